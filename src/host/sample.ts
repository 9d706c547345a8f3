import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import * as vscode from "vscode";
import { MODEL_EDITOR } from "./modelEditor";
import type { Services } from "./services";

const SAMPLE = "mnist_mlp.onnx";

/**
 * Opens the small trained model that ships with Whittle and asks how to quantize it. It is copied out of the extension's own
 * folder first: copies are written beside a model, and that folder goes with the next update.
 */
export async function trySample({ context }: Services): Promise<void> {
  const folder = join(context.globalStorageUri.fsPath, "samples");
  await mkdir(folder, { recursive: true });
  await cp(join(context.extensionPath, "samples"), folder, { recursive: true });
  const model = vscode.Uri.file(join(folder, SAMPLE));
  await vscode.commands.executeCommand("vscode.openWith", model, MODEL_EDITOR);
  if (vscode.workspace.isTrusted) await vscode.commands.executeCommand("whittle.quantize", model);
}
