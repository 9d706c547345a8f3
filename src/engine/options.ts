import type { AlphabetKind, Bits } from "../core/grid/alphabet";
import type { RadiusChoice } from "../core/methods/layer";
import type { Format } from "../core/formats/copy";
import type { MethodName, Variant } from "../core/methods/catalog";

/** Everything a user may choose about a run; the command line and the editor fill it in. */
export interface QuantizeOptions {
  readonly bits: Bits;
  readonly method: MethodName;
  readonly variant: Variant;
  readonly alphabet: AlphabetKind | "auto";
  readonly radius: RadiusChoice | "auto";
  readonly perTensor: boolean;
  /** Consecutive inputs that share an alphabet; undefined: all inputs of a neuron. */
  readonly group: number | undefined;
  readonly inputs: "quantized" | "float";
  readonly target: "float" | "quantized";
  /** Whether biases take up the mean of what rounding changed. */
  /** Whether of what a Relu or a Clip cuts off behind a layer no more is asked than that it be cut off. */
  readonly oneSided: "auto" | "off";
  readonly biasCorrection: "auto" | "off";
  /** Whether a BatchNormalization goes into the layer before it. */
  readonly foldBatchNorm: "auto" | "off";
  /** Coordinate descent after the method. */
  readonly refine: boolean;
  /** Share of the mean diagonal added to the metric. */
  readonly damping: number | "auto";
  /** Walks kept side by side. */
  readonly paths: number | "auto";
  readonly format: Format | "auto";
  /** The oldest onnxruntime the copy shall load and be right in, as "1.20"; undefined: whatever the format asks for. */
  readonly leastOrt: string | undefined;
  /** A data file (`FILE.json`, `FILE.json#ID`) or an array (`FILE.npy`); undefined for none. */
  readonly data: string | undefined;
  readonly samples: number | undefined;
  /** Fit on made-up inputs too, not only measure on them. */
  readonly synthetic: boolean;
  /** Bytes the copy may take; its layers' bits are then chosen for the least error of the outputs. */
  readonly maxBytes: number | undefined;
  /** Relative error of the outputs that is aimed at with the fewest bytes, instead. */
  readonly maxError: number | undefined;
  /** Sizes of free dimensions, by name. */
  readonly dims: ReadonlyMap<string, number>;
  /** Arrays for inputs by name, beside `data` or alone. */
  readonly inputFiles: ReadonlyMap<string, string>;
  readonly layers: readonly LayerRule[];
  readonly seed: number;
}

/** What to do with the layers whose node or tensor has a name like `glob`; the last rule that matches wins. */
export interface LayerRule {
  readonly glob: string;
  readonly bits: Bits | "keep";
  readonly method: MethodName | undefined;
}

/** The alphabet of a width where the user leaves it open: what its usual format stores best. */
export function alphabetFor(wanted: AlphabetKind | "auto", bits: Bits): AlphabetKind {
  if (wanted !== "auto") return wanted;
  if (bits === 1) return "midrise";
  return bits === 8 ? "symmetric" : "affine";
}
