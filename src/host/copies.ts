import { realpathSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as vscode from "vscode";
import { Failure } from "../core/failure";
import { MODEL_EDITOR } from "./modelEditor";
import type { Services } from "./services";
import { chooseTarget } from "./target";
import { writeWhole } from "./writeWhole";

// What can be done with the copy that the report is about.

export async function saveCopyAs(services: Services): Promise<void> {
  const { model, output, data } = shownCopy(services);
  const target = await chooseTarget(model, output);
  if (!target || target.output === output) return;
  if (isSame(target.output, model)) throw overModel();
  // Its tensors lie in a file that it calls by this name.
  const dataTarget = data && join(dirname(target.output), basename(data));
  if (data && dataTarget && dataTarget !== data) {
    if (isSame(dataTarget, model)) throw overModel();
    await writeWhole(dataTarget, pending => copyFile(data, pending));
  }
  await writeWhole(target.output, pending => copyFile(output, pending));
  void vscode.window.showInformationMessage(vscode.l10n.t("Saved {0}.", basename(target.output)));
}

function overModel(): Failure {
  return new Failure(
    "output-is-model",
    vscode.l10n.t("Cannot save over the model itself."),
    vscode.l10n.t("A copy never replaces the file it was made from. Choose another name."),
  );
}

/** In the Explorer for a file of the workspace, else in the system's file manager. */
export async function revealCopy(services: Services): Promise<void> {
  const uri = vscode.Uri.file(shownCopy(services).output);
  const inside = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  await vscode.commands.executeCommand(inside ? "revealInExplorer" : "revealFileInOS", uri);
}

export async function openCopy(services: Services): Promise<void> {
  await vscode.commands.executeCommand(
    "vscode.openWith",
    vscode.Uri.file(shownCopy(services).output),
    MODEL_EDITOR,
  );
}

/** @throws {Failure} where the report is not about a copy on the disk. */
function shownCopy({ store }: Services): { model: string; output: string; data: string | null } {
  const view = store.view();
  const output = view.kind === "finished" ? view.report.output : null;
  if (view.kind === "finished" && output !== null) {
    return { model: view.report.model, output, data: view.report.outputData };
  }
  throw new Failure(
    "output-unwritable",
    vscode.l10n.t("There is no copy yet."),
    vscode.l10n.t("Quantize a model first."),
  );
}

/** Links are seen through. */
function isSame(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    // One of them is not there, so it is not the other.
    return false;
  }
}
