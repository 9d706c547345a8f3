import { availableParallelism } from "node:os";
import * as vscode from "vscode";
import type { Bits } from "../core/grid/alphabet";
import type { Format } from "../core/formats/copy";
import type { MethodName } from "../core/methods/catalog";
import type { QuantizeOptions } from "../engine/options";

/** What a user chooses for a model; the rest comes from the settings. */
export interface Choices {
  readonly bits: Bits;
  /** Bits are chosen layer by layer so that the copy takes no more; absent where all layers take `bits`. */
  readonly maxBytes?: number | undefined;
  /** Nothing is fitted: weights go to the nearest value of a grid over the largest of them. */
  readonly plainRounding?: boolean;
  readonly method: MethodName;
  /** Path of calibration data; null for none. */
  readonly data: string | null;
}

/** The settings, as far as they fill in a form. VS Code checks them against package.json. */
export function defaults(): Pick<Choices, "bits" | "method"> {
  const settings = vscode.workspace.getConfiguration("whittle");
  return { bits: settings.get<Bits>("bits", 4), method: settings.get<MethodName>("method", "maly-saab") };
}

export function threads(): number {
  return vscode.workspace.getConfiguration("whittle").get<number>("threads", 0) || availableParallelism();
}

/** The choices of a form and the settings, as the engine takes them. */
export function optionsOf({ bits, maxBytes, plainRounding, method, data }: Choices): QuantizeOptions {
  const settings = vscode.workspace.getConfiguration("whittle");
  return {
    bits,
    method,
    variant: "auto",
    alphabet: "auto",
    radius: "auto",
    perTensor: false,
    group: undefined,
    inputs: "quantized",
    target: "float",
    oneSided: "auto",
    biasCorrection: "auto",
    foldBatchNorm: "auto",
    maxBytes,
    maxError: undefined,
    refine: false,
    damping: "auto",
    paths: "auto",
    format: settings.get<Format | "auto">("format", "auto"),
    leastOrt: undefined,
    data: data ?? undefined,
    samples: settings.get<number | null>("samples", null) ?? undefined,
    synthetic: false,
    dims: new Map(),
    inputFiles: new Map(),
    layers: [],
    seed: 0,
    ...(plainRounding ? PLAIN_ROUNDING : {}),
  };
}

const PLAIN_ROUNDING = { method: "msq", radius: "max", target: "quantized", biasCorrection: "off" } as const;
