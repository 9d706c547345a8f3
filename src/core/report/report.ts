import type { Cost } from "../cost";
import type { FoldedNorm } from "../graph/batchNorm";
import type { InBrowser } from "../formats/browsers";
import type { OutputError } from "./measure";

/** The report of a run: plain data, numbers unrounded, keys as agreed with the scripts that read it. */
export interface Report {
  readonly schema: 1;
  readonly model: string;
  readonly output: string | null;
  /** The file beside it in which its tensors lie, where it has one. */
  readonly outputData: string | null;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly seconds: number;
  /** Where they went; null where nothing was fitted. */
  readonly cost: Cost | null;
  readonly peakRssBytes: number;
  readonly options: Readonly<Record<string, unknown>>;
  readonly calibration: Calibration;
  readonly layers: readonly LayerReport[];
  /** Normalizations that went into the layer before them, which is exact but for float rounding. */
  readonly folded: readonly FoldedNorm[];
  readonly skipped: readonly SkippedReport[];
  readonly outputs: readonly (OutputError & { readonly name: string; readonly heldOut: number })[];
  /** Null where nothing was fitted to data, or there is too little of it to judge by. */
  readonly rounding: RoundingReport | null;
  /** Null where the bits were not chosen within a budget. */
  readonly budget: BudgetReport | null;
  readonly runtime: RuntimeReport | null;
  readonly warnings: readonly string[];
}

/** Plain rounding beside the fit, on samples not fitted to: the relative error of the worst output. */
export interface RoundingReport {
  readonly relativeError: number;
  readonly fittedRelativeError: number;
  /** Whether two fits, each to half the samples, were judged on the other half, because none were held out. */
  readonly crossValidated: boolean;
}

/** How the bits of the layers were chosen; what came out is in `bytesAfter` and `outputs`. */
export interface BudgetReport {
  readonly maxBytes: number | null;
  readonly maxError: number | null;
  readonly predictedBytes: number;
  /** Root of the sum of the squared errors that the layers cause alone. */
  readonly predictedError: number;
  /**
   * By what the bits were chosen: the relative error of the outputs, or where they are logits what they say of the classes,
   * by the Kullback-Leibler divergence in nats.
   */
  readonly chosenBy: "relativeError" | "divergence";
  /** Over the weights of the quantized layers. */
  readonly averageBits: number;
  /** The bits chosen, and the relative error of the outputs with this layer alone quantized, by bits. */
  readonly sensitivities: readonly {
    readonly name: string;
    readonly bits: number;
    readonly outputErrors: Readonly<Record<string, number>>;
    /** From the float model; null where the outputs are not known to be logits. */
    readonly outputDivergences: Readonly<Record<string, number>> | null;
  }[];
}

export interface Calibration {
  readonly samples: number;
  readonly heldOut: number;
  readonly synthetic: boolean;
}

/** Errors are relative; null where they were not or could not be measured. */
export interface LayerReport {
  readonly name: string;
  readonly op: string;
  readonly tensor: string;
  readonly shape: readonly number[];
  readonly inputs: number;
  readonly neurons: number;
  readonly bits: number;
  readonly method: string;
  readonly variant: string | null;
  readonly rank: number | null;
  readonly alphabet: string;
  readonly format: string;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly weightError: number | null;
  readonly layerError: number | null;
  readonly layerErrorHeldOut: number | null;
  readonly propagatedError: number | null;
  /** `propagatedError` behind the Relu or Clip that cuts the layer's outputs off (measure.ts); null where there is none. */
  readonly passedOnError: number | null;
  readonly sqnrDb: number | null;
  readonly bound: number | null;
  /** What no quantizer of these bits could get below (methods/bound.ts); null where it was not worked out. */
  readonly limit: number | null;
  readonly interior: number | null;
  readonly residual: number | null;
  readonly rows: number;
  readonly alignment: number | null;
  readonly damping: number | null;
  readonly seconds: number;
}

export interface SkippedReport {
  readonly tensor: string;
  readonly reason: string;
  readonly detail: string;
  readonly bytes: number;
}

export interface RuntimeReport {
  /** The least onnxruntime that loads the copy, and the least that computes it right. */
  readonly leastOnnxruntime: string;
  readonly leastCorrectOnnxruntime: string;
  /** The same in browsers, which have onnxruntime as WebAssembly and, with a graphics card, as WebGPU. */
  readonly webAssembly: InBrowser;
  readonly webGpu: InBrowser;
  readonly opset: number;
  readonly irVersion: number;
  /** One run, medians, in milliseconds; all four null where the model is too large to be run as a whole here. */
  readonly msFloat: number | null;
  readonly msQuantized: number | null;
  readonly loadMsFloat: number | null;
  readonly loadMsQuantized: number | null;
  /** Of a process of its own that loads the model, onnxruntime included; null where it was not asked for. */
  readonly residentBytesFloat: number | null;
  readonly residentBytesQuantized: number | null;
  readonly smallerInMemory: boolean | null;
  /** Largest relative difference of an output from that of the dequantized weights put back as floats; null where none was. */
  readonly differenceAlone: number | null;
  /** The same in a default session, where it is int8 activations that differ. */
  readonly differenceAsRun: number | null;
  /** Relative error of the outputs in a default session, where onnxruntime may use int8 activations. */
  readonly asRunError: number | null;
}
