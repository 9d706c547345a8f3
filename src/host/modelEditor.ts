import { basename, dirname } from "node:path";
import * as vscode from "vscode";
import type { FromModel, ModelView, ToModel } from "../protocol/pages";
import { readFromModel } from "./messages";
import { openPage } from "./page";
import { problemOf } from "./problems";
import type { Services } from "./services";
import { defaults } from "./settings";

export const MODEL_EDITOR = "whittle.model";

/** A look at a model: its layers, its bytes, and what is left alone. It changes nothing, so there is nothing to save. */
export function modelEditor(services: Services): vscode.CustomReadonlyEditorProvider {
  return {
    openCustomDocument: uri => ({ uri, dispose: () => undefined }),
    resolveCustomEditor: ({ uri }, panel) => showModel(uri, panel, services),
  };
}

function showModel(uri: vscode.Uri, panel: vscode.WebviewPanel, { context, log, look, store }: Services): void {
  const name = basename(uri.path);
  let view: ModelView = { kind: "loading", name };
  const send = (): void => void panel.webview.postMessage({ type: "view", view, strings: {} } satisfies ToModel);
  const load = async (): Promise<void> => {
    try {
      const inspection = await look.inspect(uri.fsPath);
      view = { kind: "model", name, trusted: vscode.workspace.isTrusted, inspection };
      store.offer(inspection, defaults().bits);
    } catch (error) {
      view = { kind: "failed", name, problem: problemOf(error, log) };
    }
    send();
  };
  const answer = (message: FromModel): void => {
    if (message.type === "ready") return send();
    switch (message.command) {
      case "quantize":
        return void vscode.commands.executeCommand("whittle.quantize", uri);
      case "showLog":
        return log.show();
      case "manageTrust":
        return void vscode.commands.executeCommand("workbench.trust.manage");
      case "openAsText":
        return void vscode.commands.executeCommand("vscode.openWith", uri, "default");
      default:
        message.command satisfies never;
    }
  };
  const watcher = vscode.workspace.createFileSystemWatcher(
    new vscode.RelativePattern(vscode.Uri.file(dirname(uri.fsPath)), literally(name)),
  );
  const subscriptions = [
    watcher,
    watcher.onDidChange(() => void load()),
    watcher.onDidCreate(() => void load()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void load()),
    panel.webview.onDidReceiveMessage((received: unknown) => {
      const message = readFromModel(received);
      if (!message) return log.warn("The model page said something it never says; it was ignored.");
      answer(message);
    }),
  ];
  panel.onDidDispose(() => subscriptions.forEach(one => void one.dispose()));
  openPage(panel.webview, "model", name, context.extensionUri);
  void load();
}

/** A file's name as a pattern that matches it alone: what means something in a pattern stands in brackets of its own. */
function literally(name: string): string {
  return name.replace(/[[\]{}*?]/g, "[$&]");
}
