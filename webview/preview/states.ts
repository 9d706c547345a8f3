import type { LayerDetail } from "../../src/core/report/detail";
import type { LayerReport, Report } from "../../src/core/report/report";
import type { Inspection } from "../../src/engine/inspect";
import type { ModelView, ReportView, Run } from "../../src/protocol/pages";

// Invented states to look at the pages without VS Code. Names, shapes and bytes are squeezenet1.1's; every error is made up.

const squeezenet: readonly (readonly [string, number, number, number, number])[] = [
  // name, neurons, channels, kernel, error % on held-out samples
  ["Conv_0", 64, 3, 3, 4.1],
  ["Conv_3", 16, 64, 1, 6.2],
  ["Conv_5", 64, 16, 1, 5.0],
  ["Conv_7", 64, 16, 3, 11.8],
  ["Conv_10", 16, 128, 1, 6.9],
  ["Conv_12", 64, 16, 1, 4.4],
  ["Conv_14", 64, 16, 3, 7.0],
  ["Conv_18", 32, 128, 1, 7.9],
  ["Conv_20", 128, 32, 1, 5.6],
  ["Conv_22", 128, 32, 3, 6.8],
  ["Conv_25", 32, 256, 1, 8.3],
  ["Conv_27", 128, 32, 1, 5.9],
  ["Conv_29", 128, 32, 3, 8.8],
  ["Conv_33", 48, 256, 1, 8.4],
  ["Conv_35", 192, 48, 1, 5.7],
  ["Conv_37", 192, 48, 3, 14.2],
  ["Conv_40", 48, 384, 1, 13.1],
  ["Conv_42", 192, 48, 1, 5.2],
  ["Conv_44", 192, 48, 3, 7.4],
  ["Conv_47", 64, 384, 1, 8.1],
  ["Conv_49", 256, 64, 1, 5.3],
  ["Conv_51", 256, 64, 3, 7.6],
  ["Conv_54", 64, 512, 1, 7.7],
  ["Conv_56", 256, 64, 1, 5.4],
  ["Conv_58", 256, 64, 3, 7.2],
  ["Conv_61", 1000, 512, 1, 6.4],
];

const FILE = 4_948_338;

function layer(
  name: string,
  place: number,
  neurons: number,
  channels: number,
  kernel: number,
  percent: number,
  bits = 4,
): LayerReport {
  const inputs = channels * kernel * kernel;
  const error = percent / 100;
  return {
    name,
    op: "Conv",
    tensor: `squeezenet0_conv${place}_weight`,
    shape: [neurons, channels, kernel, kernel],
    inputs,
    neurons,
    bits,
    method: "maly-saab",
    variant: place % 5 === 0 ? "walk" : "cell",
    rank: Math.min(inputs, 60),
    alphabet: "affine",
    format: "qdq",
    bytesBefore: 4 * inputs * neurons,
    bytesAfter: Math.ceil((inputs * neurons * bits) / 8) + 5 * neurons,
    weightError: 0.9 * error,
    layerError: error * (0.72 + 0.01 * (place % 7)),
    layerErrorHeldOut: error,
    propagatedError: error * 1.4,
    passedOnError: null,
    sqnrDb: -20 * Math.log10(error),
    bound: null,
    limit: null,
    interior: Math.min(41, inputs),
    residual: 0.000_002,
    rows: 64,
    alignment: null,
    damping: null,
    seconds: 0.2 + (inputs * neurons) / 52_000 + place / 1000,
  };
}

const layers = squeezenet.map(([name, neurons, channels, kernel, error], place) =>
  layer(name, place, neurons, channels, kernel, error, place === 24 ? 8 : 4),
);

function runOf(all: readonly LayerReport[], done: number, model = "squeezenet1.1.onnx", file = FILE): Run {
  return {
    model,
    path: `/home/ada/models/${model}`,
    bits: 4,
    method: "maly-saab",
    bytesBefore: file,
    rows: all.map((one, place) => ({
      name: one.name,
      bits: one.bits,
      bytesBefore: one.bytesBefore,
      bytesAfter: one.bytesAfter,
      done: place < done ? one : null,
    })),
    current: done < all.length ? done : null,
  };
}

function reportOf(all: readonly LayerReport[], changes: Partial<Report> = {}): Report {
  return {
    schema: 1,
    model: "/home/ada/models/squeezenet1.1.onnx",
    output: "/home/ada/models/squeezenet1.1.w4.onnx",
    outputData: null,
    bytesBefore: FILE,
    bytesAfter: FILE - all.reduce((sum, one) => sum + one.bytesBefore - one.bytesAfter, 0) + 4100,
    seconds: 52,
    peakRssBytes: 400e6,
    options: {},
    calibration: { samples: 160, heldOut: 40, synthetic: false },
    layers: all,
    folded: [],
    rounding: null,
    budget: null,
    cost: null,
    skipped: [],
    outputs: [
      { name: "logits", relativeError: 0.168, sqnrDb: 15.5, cosine: 0.98, top1Agreement: 0.9, heldOut: 40 },
    ],
    runtime: {
      leastOnnxruntime: "1.20",
      leastCorrectOnnxruntime: "1.20",
      webAssembly: { runs: true, reason: "Right from onnxruntime-web 1.20 on, without int8 activations." },
      webGpu: { runs: true, reason: "From onnxruntime-web 1.30 on, by its source; it was not run." },
      opset: 21,
      irVersion: 10,
      msFloat: 6.2,
      msQuantized: 11.8,
      loadMsFloat: 20,
      loadMsQuantized: 30,
      residentBytesFloat: 5_400_000,
      residentBytesQuantized: 3_100_000,
      smallerInMemory: true,
      differenceAlone: 1e-7,
      differenceAsRun: 2e-3,
      asRunError: 0.169,
    },
    warnings: [],
    ...changes,
  };
}

/** Names as transformers have them, a thousand rows. */
const many = Array.from({ length: 1000 }, (_, place) => {
  const part = ["attn/q_proj", "attn/k_proj", "attn/v_proj", "attn/o_proj", "mlp/up_proj"][place % 5]!;
  return layer(
    `/decoder/layers.${Math.floor(place / 5)}/${part}/MatMul`,
    place,
    256,
    64 * (1 + (place % 3)),
    1,
    4 + (((place * 7919) % 1000) / 1000) * 5 + (place % 97 === 0 ? 12 : 0),
  );
});

/** One layer for each way of fitting one, and one of each thing that can be said of it. */
const methods: readonly LayerReport[] = (
  [
    {
      method: "maly-saab",
      variant: "walk",
      interior: null,
      residual: null,
      bound: 0.31,
      limit: 0.048,
      alignment: 0.01,
    },
    { method: "maly-saab", variant: "cell" },
    { method: "maly-saab", variant: "range", residual: 0.021, layerErrorHeldOut: 0.25 },
    { method: "gptq", variant: null, rank: 288, interior: null, residual: null, damping: 0.01, bits: 8 },
    { method: "gpfq", variant: null, rank: null, interior: null, residual: null, bits: 2, layerErrorHeldOut: null },
    { method: "msq", variant: null, rank: null, interior: null, residual: null, bits: 1, limit: 0.01 },
  ] as const
).map((changes, place) => ({ ...layer(`Fit_${place}`, place, 128, 32, 3, 6 + place), ...changes }));

const withoutData = layers.map(one => ({
  ...one,
  method: "msq",
  variant: null,
  rank: null,
  interior: null,
  residual: null,
  layerError: null,
  layerErrorHeldOut: null,
  propagatedError: null,
  passedOnError: null,
  sqnrDb: null,
  rows: 0,
}));

const inspection: Inspection = {
  model: "/home/ada/models/squeezenet1.1.onnx",
  bytes: FILE,
  producer: "pack",
  irVersion: 7,
  opsets: { "ai.onnx": 13 },
  inputs: [{ name: "data", type: "float32", dims: ["N", 3, 224, 224] }],
  outputs: [{ name: "logits", type: "float32", dims: ["N", 1000] }],
  nodes: 65,
  parameters: 1_235_496,
  layers: layers.map(({ name, op, tensor, shape, inputs, neurons, bytesBefore }) => ({
    name,
    op: op as "Conv",
    tensor,
    shape,
    inputs,
    neurons,
    groups: 1,
    bytes: bytesBefore,
  })),
  skipped: Array.from({ length: 26 }, (_, place) => ({
    tensor: `squeezenet0_conv${place}_bias`,
    reason: "bias" as const,
    detail: "Small, and rounding one shifts a whole output. Stays float32.",
    bytes: 4 * squeezenet[place]![1],
  })),
  bytesByOperator: { Conv: 4_900_000, Gemm: 41_000 },
  duplicates: [{ tensors: ["fire9_weight", "fire9_weight_1"], bytes: 65_536 }],
  quantizedBy: {},
  leastOnnxruntime: "1.17",
  bytesAtBits: { 1: 190_000, 2: 350_000, 3: 504_000, 4: 657_000, 8: 1_270_000 },
};

const reasons: Inspection["skipped"] = (
  [
    ["unsupported-operator", 3_080_000, "Whittle does not quantize what Gather uses."],
    ["not-constant", 0, "MatMul_3 computes this weight at run time, so there is nothing stored to quantize."],
    ["overridable", 262_144, "Also a graph input: someone may feed another value."],
    ["already-quantized", 144_384, "Stored as int8; kept as it is."],
    ["bias", 74_240, "Small, and rounding one shifts a whole output. Stays float32."],
    ["too-small", 120, "30 weights, under 32: scales and new nodes would eat the saving."],
    ["too-small", 64, "16 weights, under 32: scales and new nodes would eat the saving."],
    ["not-finite", 4096, "Holds NaN or infinity, for which rounding has no meaning."],
    ["unsupported-type", 8, "Stored as int64; not a weight."],
    ["shared", 40_960, "Used by Conv and, in another way, by Concat, which needs it as it is."],
  ] as const
).map(([reason, bytes, detail], place) => ({
  tensor: `/decoder/layers.${place}/a_rather_long_module_name/self_attention/weight_${place}`,
  reason,
  detail,
  bytes,
}));

/** A made-up pair of histograms: a bell, and the bell on its grid. */
export function detailOf(name: string): LayerDetail | null {
  const one = [...layers, ...many, ...methods].find(other => other.name === name);
  if (!one) return null;
  const levels = 2 ** one.bits;
  const bell = (x: number): number => Math.exp(-0.5 * ((x - (levels - 1) / 2) / (levels / 6)) ** 2);
  const perLevel = Math.max(1, Math.round(120 / (levels + 1)));
  const before = Array.from({ length: (levels + 1) * perLevel }, (_, bin) =>
    Math.round((4000 / perLevel) * bell(-1 + (bin + 0.5) / perLevel) * (1 + 0.08 * Math.sin(bin * 2.7))),
  );
  before[0] = 40;
  before[before.length - 1] = 60;
  return {
    name,
    histogram: {
      levels,
      from: -1,
      to: levels,
      before,
      after: Array.from({ length: levels }, (_, level) => Math.round(4000 * bell(level) + 20)),
      clipped: 0.0102,
    },
    neuronErrors: Array.from({ length: one.neurons }, (_, neuron) =>
      neuron === 71 ? 0.19 : (0.2 + (((neuron * 7919) % 101) / 101) ** 2) * (one.layerErrorHeldOut ?? 0.1),
    ),
  };
}

export const reportStates: Readonly<Record<string, ReportView>> = {
  empty: { kind: "empty", trusted: true },
  restricted: { kind: "empty", trusted: false },
  ready: { kind: "ready", trusted: true, inspection, bits: 4 },
  "ready-restricted": { kind: "ready", trusted: false, inspection, bits: 4 },
  nothing: {
    kind: "ready",
    trusted: true,
    inspection: { ...inspection, model: "/home/ada/postprocess.onnx", layers: [], skipped: reasons },
    bits: 4,
  },
  reading: { kind: "running", run: { ...runOf([], 0), rows: [] }, stage: "reading", secondsLeft: null },
  running: { kind: "running", run: runOf(layers, 13), stage: "fitting", secondsLeft: 40 },
  checking: { kind: "running", run: runOf(layers, 26), stage: "checking", secondsLeft: null },
  finished: { kind: "finished", run: runOf(layers, 26), report: reportOf(layers) },
  synthetic: {
    kind: "finished",
    run: runOf(layers, 26),
    report: reportOf(layers, {
      calibration: { samples: 40, heldOut: 8, synthetic: true },
      warnings: [
        "Measured on made-up inputs: the errors rank layers at best; on your data they can be several times larger.",
        "Conv_3: 12 % of the weights are exactly zero, and 1 bit has no zero; 2 bits would keep them.",
      ],
    }),
  },
  few: {
    kind: "finished",
    run: runOf(layers, 26),
    report: reportOf(layers, {
      calibration: { samples: 5, heldOut: 0, synthetic: false },
      rounding: { relativeError: 0.316, fittedRelativeError: 0.074, crossValidated: true },
    }),
  },
  "no-data": {
    kind: "finished",
    run: { ...runOf(withoutData, 26), method: "msq" },
    report: reportOf(withoutData, {
      calibration: { samples: 0, heldOut: 0, synthetic: false },
      outputs: [],
      runtime: null,
      warnings: [
        "The model cannot be run on made-up inputs (an input of a kind that cannot be made up), so nothing was measured on data; give calibration data.",
      ],
    }),
  },
  methods: { kind: "finished", run: runOf(methods, 6), report: reportOf(methods) },
  many: {
    kind: "finished",
    run: runOf(many, 1000, "decoder.onnx", 132e6),
    report: reportOf(many, { bytesBefore: 132e6, bytesAfter: 17.6e6 }),
  },
  "many-running": {
    kind: "running",
    run: runOf(many, 400, "decoder.onnx", 132e6),
    stage: "fitting",
    secondsLeft: 4000,
  },
  failed: {
    kind: "failed",
    run: null,
    problem: {
      code: "model-invalid",
      happened: "resnet50.onnx promises 97.8 MB of weights and holds 41.2 MB.",
      next: "The download was probably cut off; fetch it again.",
    },
  },
  "failed-midway": {
    kind: "failed",
    run: { ...runOf(layers, 9), current: null },
    problem: {
      code: "engine-gone",
      happened: "The engine process ended with signal SIGABRT while fitting Conv_22.",
      next: "Run again; the log holds the last things it said.",
    },
  },
  cancelled: { kind: "cancelled", run: { ...runOf(layers, 9), current: null } },
};

export const modelStates: Readonly<Record<string, ModelView>> = {
  loading: { kind: "loading", name: "squeezenet1.1.onnx" },
  model: { kind: "model", name: "squeezenet1.1.onnx", trusted: true, inspection },
  left: {
    kind: "model",
    name: "a-model-with-a-rather-long-name-and-one-of-every-reason.onnx",
    trusted: false,
    inspection: {
      ...inspection,
      skipped: reasons,
      quantizedBy: { DequantizeLinear: 12, MatMulNBits: 1 },
      producer: "pytorch 2.7.1",
      opsets: { "ai.onnx": 12, "com.microsoft": 1 },
      bytesAtBits: { ...inspection.bytesAtBits, 1: null },
      inputs: [
        { name: "input_ids", type: "int64", dims: ["batch", "sequence"] },
        { name: "mask", type: "bool", dims: ["?0", 1, "?2"] },
        { name: "anything", type: "float32", dims: undefined },
      ],
    },
  },
  nothing: {
    kind: "model",
    name: "postprocess.onnx",
    trusted: true,
    inspection: { ...inspection, layers: [], skipped: reasons },
  },
  failed: {
    kind: "failed",
    name: "resnet50.onnx",
    problem: {
      code: "model-invalid",
      happened: "resnet50.onnx promises 97.8 MB of weights and holds 41.2 MB.",
      next: "The download was probably cut off; fetch it again.",
    },
  },
  many: {
    kind: "model",
    name: "decoder.onnx",
    trusted: true,
    inspection: {
      ...inspection,
      bytes: 132e6,
      layers: many.map(({ name, tensor, shape, inputs, neurons, bytesBefore }) => ({
        name,
        op: "MatMul" as const,
        tensor,
        shape,
        inputs,
        neurons,
        groups: 1,
        bytes: bytesBefore,
      })),
    },
  },
};
