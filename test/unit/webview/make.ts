import type { LayerReport, Report } from "../../../src/core/report/report";
import type { Run } from "../../../src/protocol/pages";

/** A layer of a report with everything in it, changed as a test wants it. */
export function layerReport(name: string, changes: Partial<LayerReport> = {}): LayerReport {
  return {
    name,
    op: "Gemm",
    tensor: `${name}.weight`,
    shape: [100, 200],
    inputs: 200,
    neurons: 100,
    bits: 4,
    method: "maly-saab",
    variant: "walk",
    rank: 60,
    alphabet: "affine",
    format: "qdq",
    bytesBefore: 80_000,
    bytesAfter: 10_000,
    weightError: 0.1,
    layerError: 0.05,
    layerErrorHeldOut: 0.06,
    propagatedError: 0.08,
    passedOnError: null,
    sqnrDb: 24.4,
    bound: null,
    limit: null,
    interior: null,
    residual: null,
    rows: 64,
    alignment: null,
    damping: null,
    seconds: 1.5,
    ...changes,
  };
}

/** A run whose layers are all done. */
export function runOf(layers: readonly LayerReport[]): Run {
  return {
    model: "model.onnx",
    path: "/models/model.onnx",
    bits: 4,
    method: "maly-saab",
    bytesBefore: 100_000,
    rows: layers.map(done => ({
      name: done.name,
      bits: done.bits,
      bytesBefore: done.bytesBefore,
      bytesAfter: done.bytesAfter,
      done,
    })),
    current: null,
  };
}

export function report(changes: Partial<Report> = {}): Report {
  return {
    schema: 1,
    model: "/models/model.onnx",
    output: "/models/model.w4.onnx",
    outputData: null,
    bytesBefore: 100_000,
    bytesAfter: 20_000,
    seconds: 3,
    peakRssBytes: 1e8,
    options: {},
    calibration: { samples: 50, heldOut: 10, synthetic: false },
    layers: [layerReport("fc")],
    folded: [],
    rounding: null,
    budget: null,
    cost: null,
    skipped: [],
    outputs: [],
    runtime: {
      leastOnnxruntime: "1.20",
      leastCorrectOnnxruntime: "1.20",
      webAssembly: { runs: true, reason: "Right from onnxruntime-web 1.20 on, without int8 activations." },
      webGpu: { runs: true, reason: "From onnxruntime-web 1.30 on, by its source; it was not run." },
      opset: 21,
      irVersion: 10,
      msFloat: 2,
      msQuantized: 2,
      loadMsFloat: 1,
      loadMsQuantized: 1,
      residentBytesFloat: null,
      residentBytesQuantized: null,
      smallerInMemory: null,
      differenceAlone: 1e-7,
      differenceAsRun: 2e-3,
      asRunError: null,
    },
    warnings: [],
    ...changes,
  };
}
