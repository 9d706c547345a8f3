import * as vscode from "vscode";
import type { ReportStore } from "./reportStore";

/** The names that `when` clauses of package.json ask for. */
export function tellMenus(store: ReportStore): void {
  const view = store.view();
  const set = (key: string, value: boolean): void =>
    void vscode.commands.executeCommand("setContext", `whittle.${key}`, value);
  set("running", view.kind === "running");
  set("hasCopy", view.kind === "finished" && view.report.output !== null);
}
