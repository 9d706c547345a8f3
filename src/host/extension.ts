import * as vscode from "vscode";
import { commands } from "./commands";
import { tellMenus } from "./contextKeys";
import { looker } from "./looker";
import { modelEditor, MODEL_EDITOR } from "./modelEditor";
import { REPORT_VIEW, reportView } from "./reportView";
import { reportStore } from "./reportStore";
import type { Services } from "./services";

/** One line a contribution; what each does stands in the file of its name. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Whittle", { log: true });
  const store = reportStore(context.workspaceState);
  const look = looker(context, log);
  const services: Services = { context, log, store, look, run: { current: undefined } };

  context.subscriptions.push(
    log,
    look,
    // A window that closes takes its run with it.
    { dispose: () => services.run.current?.cancel() },
    vscode.window.registerWebviewViewProvider(REPORT_VIEW, reportView(services)),
    vscode.window.registerCustomEditorProvider(MODEL_EDITOR, modelEditor(services), {
      supportsMultipleEditorsPerDocument: true,
    }),
    store.onChange(() => tellMenus(store)),
    ...commands(services),
  );
  tellMenus(store);
}
