import * as vscode from "vscode";
import type { FromReport, ToReport } from "../protocol/pages";
import { readFromReport } from "./messages";
import { openPage } from "./page";
import type { Services } from "./services";

export const REPORT_VIEW = "whittle.report";

/** A run of many small layers changes the report faster than anyone reads it. */
const REDRAW_MS = 100;

/** The side panel. It holds nothing: a page that comes up asks with `ready` and gets the whole view. */
export function reportView({ context, log, store }: Services): vscode.WebviewViewProvider {
  return {
    resolveWebviewView(view) {
      const post = (message: ToReport): void => void view.webview.postMessage(message);
      const send = (): void => post({ type: "view", view: store.view(), strings: {} });
      const sendSoon = throttled(send, REDRAW_MS);

      const subscriptions = [
        store.onChange(sendSoon),
        vscode.workspace.onDidGrantWorkspaceTrust(send),
        view.webview.onDidReceiveMessage((received: unknown) => {
          const message = readFromReport(received);
          if (!message) return log.warn("The report page said something it never says; it was ignored.");
          answer(message);
        }),
      ];
      const answer = (message: FromReport): void => {
        switch (message.type) {
          case "ready":
            return send();
          case "detail":
            return post({ type: "detail", name: message.name, detail: store.detail(message.name) });
          case "command":
            return void vscode.commands.executeCommand(commandOf[message.command]);
          default:
            message satisfies never;
        }
      };
      view.onDidDispose(() => subscriptions.forEach(one => void one.dispose()));
      openPage(view.webview, "report", vscode.l10n.t("Layer Report"), context.extensionUri);
    },
  };
}

type PageCommand = Extract<FromReport, { type: "command" }>["command"];

const commandOf: Record<PageCommand, string> = {
  openModel: "whittle.openModel",
  trySample: "whittle.trySample",
  quantize: "whittle.quantizeShown",
  roundInstead: "whittle.roundInstead",
  cancel: "whittle.cancel",
  saveCopyAs: "whittle.saveCopyAs",
  reveal: "whittle.revealCopy",
  openCopy: "whittle.openCopy",
  showLog: "whittle.showLog",
  manageTrust: "workbench.trust.manage",
  showModel: "whittle.showModel",
};

/** Calls at once, then at most once an interval, and once more at its end if there was something. */
function throttled(call: () => void, intervalMs: number): () => void {
  let resting = false;
  let missed = false;
  return function ask() {
    if (resting) {
      missed = true;
      return;
    }
    resting = true;
    call();
    setTimeout(() => {
      resting = false;
      if (!missed) return;
      missed = false;
      ask();
    }, intervalMs);
  };
}
