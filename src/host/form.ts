import { basename } from "node:path";
import * as vscode from "vscode";
import type { Bits } from "../core/grid/alphabet";
import type { MethodName } from "../core/methods/catalog";
import { sizeOf } from "../core/report/words";
import type { Inspection } from "../engine/inspect";
import { dataBeside } from "./dataFiles";
import { type Choice, pickOne } from "./pick";
import type { Choices } from "./settings";
import { askTarget, usualTarget } from "./target";
import { bytesIn } from "./words";

/** A filled-in form: what to do, and where the copy goes. */
export interface Filled {
  readonly choices: Choices;
  readonly output: string;
  readonly overwrite: boolean;
}

/**
 * Asks how to quantize a model, one question after the other.
 *
 * @param before what the answers start from: those of last time, or the settings.
 * @returns undefined when the user turned away.
 */
export async function fillIn(inspection: Inspection, before: Choices): Promise<Filled | undefined> {
  const title = (question: number): string =>
    vscode.l10n.t("Quantize {0} ({1} of {2})", basename(inspection.model), question, 4);
  const size = await askSize(title(1), inspection, before);
  if (size === undefined) return undefined;
  const method = await askMethod(title(2), before.method);
  if (method === undefined) return undefined;
  const data = await askData(title(3), inspection.model, before.data);
  if (data === undefined) return undefined;
  const target = await askTarget(title(4), inspection.model, usualTarget(inspection.model, size));
  return target && { choices: { ...size, method, data }, ...target };
}

const MEANING: Record<Bits, string> = {
  8: vscode.l10n.t("Nearly always as good as the float model"),
  4: vscode.l10n.t("The usual choice"),
  3: vscode.l10n.t("Small; look at the report"),
  2: vscode.l10n.t("Very small; wants calibration data"),
  1: vscode.l10n.t("The sign of each weight and a scale per neuron"),
};

type Size = Pick<Choices, "bits" | "maxBytes">;

/** One number of bits for all layers, or a size of the copy within which each gets its own. */
async function askSize(title: string, inspection: Inspection, before: Choices): Promise<Size | undefined> {
  const widths = (Object.keys(MEANING).map(Number) as Bits[]).sort((a, b) => b - a);
  const choices = widths.flatMap((bits): Choice<Bits | "size">[] => {
    const bytes = inspection.bytesAtBits[bits];
    if (bytes === null || bytes === undefined) return [];
    const share = Math.round((100 * bytes) / inspection.bytes);
    return [
      {
        value: bits,
        label: bits === 1 ? vscode.l10n.t("1 bit") : vscode.l10n.t("{0} bits", bits),
        description: vscode.l10n.t("{0}, {1}% of {2}", sizeOf(bytes), share, sizeOf(inspection.bytes)),
        detail: MEANING[bits],
      },
    ];
  });
  const bySize: Choice<Bits | "size"> = {
    value: "size",
    label: vscode.l10n.t("By Size…"),
    description:
      before.maxBytes === undefined ? "" : vscode.l10n.t("at most {0}, as last time", sizeOf(before.maxBytes)),
    detail: vscode.l10n.t("Each layer gets the bits that keep the output's error least within a size you name"),
  };
  const all = [...choices, ...(inspection.layers.length > 1 ? [bySize] : [])];
  const answer = await pickOne(
    title,
    vscode.l10n.t("Bits of a weight, and the size of the copy"),
    all,
    all.find(one => one.value === (before.maxBytes === undefined ? before.bits : "size")),
  );
  if (answer !== "size") return answer && { bits: answer };
  const maxBytes = await askMaxBytes(title, inspection, before.maxBytes);
  return maxBytes === undefined ? undefined : { bits: before.bits, maxBytes };
}

async function askMaxBytes(
  title: string,
  { bytesAtBits }: Inspection,
  before?: number,
): Promise<number | undefined> {
  const [least, most] = [bytesAtBits[2] ?? 0, bytesAtBits[8] ?? Infinity];
  const text = await vscode.window.showInputBox({
    title,
    prompt: vscode.l10n.t(
      "The most the copy may take, between {0} (2 bits) and {1} (8 bits)",
      sizeOf(least),
      sizeOf(most),
    ),
    value: sizeOf(before ?? bytesAtBits[4] ?? least),
    ignoreFocusOut: true,
    validateInput: typed => {
      const bytes = bytesIn(typed);
      if (bytes === undefined) return vscode.l10n.t("A number and a unit, such as 300 KB or 1.5 MB");
      return bytes < least ? vscode.l10n.t("Even 2 bits everywhere need {0}.", sizeOf(least)) : undefined;
    },
  });
  return text === undefined ? undefined : bytesIn(text);
}

/** A sentence a method. A method the catalogue gains is missed here by the compiler. */
const METHODS: Record<MethodName, string> = {
  "maly-saab": vscode.l10n.t(
    "Moves weights onto the grid one by one; those still free follow where the data sees least",
  ),
  gptq: vscode.l10n.t("Rounds weights one by one; each rounding error is spread over those still free"),
  gpfq: vscode.l10n.t("Rounds weights one by one, each to what keeps the layer's output nearest to the float one"),
  msq: vscode.l10n.t("Rounds every weight to the nearest value of its grid; needs no data"),
};

function askMethod(title: string, before: MethodName): Promise<MethodName | undefined> {
  const choices = (Object.keys(METHODS) as MethodName[]).map(value => ({
    value,
    label: value,
    detail: METHODS[value],
  }));
  return pickOne(
    title,
    vscode.l10n.t("Method"),
    choices,
    choices.find(one => one.value === before),
  );
}

type DataAnswer = { readonly path: string | null } | "file" | "folder";

/** @returns a path, null for no data, undefined when the user turned away. */
async function askData(title: string, model: string, before: string | null): Promise<string | null | undefined> {
  const found = await dataBeside(model);
  const paths = [...new Set([...(before === null ? [] : [before]), ...found])];
  const choices: Choice<DataAnswer>[] = [
    ...paths.map(path => ({
      value: { path },
      label: basename(path),
      description: path === before ? vscode.l10n.t("as last time") : vscode.l10n.t("beside the model"),
      detail: path,
    })),
    {
      value: "file",
      label: vscode.l10n.t("Choose a File…"),
      detail: vscode.l10n.t(
        "An array whose first axis counts samples (.npy, .npz), a table (.csv), or a data file (.json)",
      ),
    },
    {
      value: "folder",
      label: vscode.l10n.t("Choose a Folder…"),
      detail: vscode.l10n.t("Pictures (JPEG, PNG, WebP, BMP), or test_data_set_* with .pb tensors"),
    },
    {
      value: { path: null },
      label: vscode.l10n.t("None"),
      detail: vscode.l10n.t(
        "Weights are rounded to nearest; errors are measured on random inputs and rank layers at best",
      ),
    },
  ];
  const answer = await pickOne(title, vscode.l10n.t("Calibration data"), choices);
  return typeof answer === "string" ? chooseData(model, answer) : answer?.path;
}

async function chooseData(model: string, what: "file" | "folder"): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t("Calibration data for {0}", basename(model)),
    defaultUri: vscode.Uri.joinPath(vscode.Uri.file(model), ".."),
    openLabel: vscode.l10n.t("Use as Calibration Data"),
    canSelectFiles: what === "file",
    canSelectFolders: what === "folder",
    filters: what === "file" ? { [vscode.l10n.t("Calibration data")]: ["npy", "npz", "csv", "json"] } : {},
  });
  return chosen?.[0]?.fsPath;
}
