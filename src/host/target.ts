import { existsSync } from "node:fs";
import { basename } from "node:path";
import * as vscode from "vscode";
import { type Choice, pickOne } from "./pick";
import type { Choices } from "./settings";

/** Where a copy goes, and whether the user agreed to lose what is there. */
export interface Target {
  readonly output: string;
  readonly overwrite: boolean;
}

/** `model.onnx` to `model.w4.onnx`, as on the command line; to `model.mixed.onnx` where layers differ in bits. */
export function usualTarget(model: string, { bits, maxBytes }: Pick<Choices, "bits" | "maxBytes">): string {
  return model.replace(/(\.onnx)?$/, maxBytes === undefined ? `.w${bits}.onnx` : ".mixed.onnx");
}

/** @returns undefined when the user turned away. */
export async function askTarget(title: string, model: string, usual: string): Promise<Target | undefined> {
  const free = freeName(usual);
  const choices: Choice<Target | "choose">[] = [
    {
      value: { output: free, overwrite: false },
      label: basename(free),
      description: vscode.l10n.t("beside the model"),
    },
    ...(free === usual
      ? []
      : [
          {
            value: { output: usual, overwrite: true },
            label: basename(usual),
            description: vscode.l10n.t("replaces the file that is there"),
          },
        ]),
    { value: "choose", label: vscode.l10n.t("Choose Another Place…") },
  ];
  const answer = await pickOne(title, vscode.l10n.t("Where to save the copy"), choices);
  return answer === "choose" ? chooseTarget(model, usual) : answer;
}

/** The save dialog asks by itself before it lets a file be replaced. */
export async function chooseTarget(model: string, proposed: string): Promise<Target | undefined> {
  const chosen = await vscode.window.showSaveDialog({
    title: vscode.l10n.t("Save the quantized copy of {0}", basename(model)),
    defaultUri: vscode.Uri.file(proposed),
    filters: { [vscode.l10n.t("ONNX model")]: ["onnx"] },
  });
  return chosen && { output: chosen.fsPath, overwrite: true };
}

/** The name itself, or the first of `model.w4-2.onnx`, `model.w4-3.onnx` … that is not taken. */
export function freeName(path: string): string {
  for (let count = 1; ; count++) {
    const name = count === 1 ? path : path.replace(/\.onnx$/, `-${count}.onnx`);
    if (!existsSync(name)) return name;
  }
}
