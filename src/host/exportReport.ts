import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import * as vscode from "vscode";
import { REPORT_KINDS, type ReportKind, reportFile } from "../core/report/file";
import { Failure } from "../core/failure";
import type { Services } from "./services";
import { writeWhole } from "./writeWhole";

const names = (): Record<ReportKind, string> => ({
  html: vscode.l10n.t("Page to read"),
  md: "Markdown",
  csv: vscode.l10n.t("Layers as CSV"),
  json: "JSON",
});

/** Saves the report that is shown as a file; the name's ending says which kind. */
export async function exportReport({ store }: Services): Promise<void> {
  const view = store.view();
  if (view.kind !== "finished") {
    throw new Failure(
      "output-unwritable",
      vscode.l10n.t("There is no report yet."),
      vscode.l10n.t("Quantize a model first."),
    );
  }
  const { report } = view;
  const chosen = await vscode.window.showSaveDialog({
    title: vscode.l10n.t("Export the report"),
    defaultUri: vscode.Uri.file((report.output ?? report.model).replace(/(\.onnx)?$/, ".html")),
    filters: Object.fromEntries(REPORT_KINDS.toReversed().map(kind => [names()[kind], [kind]])),
  });
  if (!chosen) return;
  const path = chosen.fsPath;
  await writeWhole(path, pending => writeFile(pending, reportFile(path, report)));
  const open = vscode.l10n.t("Open");
  const answer = await vscode.window.showInformationMessage(vscode.l10n.t("Saved {0}.", basename(path)), open);
  if (answer === open) await vscode.env.openExternal(chosen);
}
