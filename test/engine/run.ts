import { parseCommand } from "../../src/cli/options";
import type { Report } from "../../src/core/report/report";
import type { QuantizeOptions } from "../../src/engine/options";
import { quantize, type QuantizeEvents } from "../../src/engine/quantize";

export const quiet: QuantizeEvents = {
  onPlan: () => {},
  onLayerStart: () => {},
  onLayer: () => {},
  onStage: () => {},
};

export const usual: QuantizeOptions = {
  bits: 4,
  method: "msq",
  variant: "auto",
  alphabet: "auto",
  radius: "auto",
  perTensor: false,
  group: undefined,
  target: "float",
  oneSided: "auto",
  biasCorrection: "auto",
  foldBatchNorm: "auto",
  maxBytes: undefined,
  maxError: undefined,
  refine: false,
  damping: "auto",
  paths: "auto",
  inputs: "quantized",
  format: "auto",
  leastOrt: undefined,
  data: undefined,
  samples: 4,
  synthetic: false,
  dims: new Map(),
  inputFiles: new Map(),
  layers: [],
  seed: 0,
};

export function run(model: string, output: string, options: Partial<QuantizeOptions>): Promise<Report> {
  return quantize(
    { model, output, overwrite: false, dryRun: false, threads: 1, options: { ...usual, ...options } },
    quiet,
  );
}

/** `whittle quantize` with these words, in this process and without a word. */
export function runWords(...words: readonly string[]): Promise<Report> {
  const command = parseCommand(["quantize", ...words]);
  if (command.kind !== "quantize") throw new Error("Not a command to quantize.");
  return quantize({ ...command.job, measureMemory: false }, quiet);
}
