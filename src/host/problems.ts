import * as vscode from "vscode";
import { Failure } from "../core/failure";
import type { Problem } from "../protocol/pages";

/** Bad news for a person. A bug keeps its stack for the log and is called what it is. */
export function problemOf(error: unknown, log: vscode.LogOutputChannel): Problem {
  if (error instanceof Failure) {
    log.warn(`${error.code}: ${error.message}`);
    return { code: error.code, happened: error.happened, next: error.next };
  }
  log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return {
    code: "bug",
    happened: vscode.l10n.t("Whittle made a mistake: {0}", error instanceof Error ? error.message : String(error)),
    next: vscode.l10n.t("No file was written. The log has what a report of it needs."),
  };
}

/** Shows bad news as a notification; the report shows it too where it belongs to a run. */
export async function tell(problem: Problem, log: vscode.LogOutputChannel): Promise<void> {
  const showLog = vscode.l10n.t("Show Log");
  const chosen = await vscode.window.showErrorMessage(`${problem.happened} ${problem.next}`, showLog);
  if (chosen === showLog) log.show();
}
