// The methods on layers of real networks, each layer alone on the inputs the float network gives it, judged on samples the
// fit has not seen: `npm run table`. Needs the developers' pack in ../shared. Every method has the same alphabet (midrise) and
// the same rows; GPTQ with damping 1 % and order by energy.
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { ALONE, startForward, stopsAt } from "../../src/core/calibration/forward";
import { keepFeed } from "../../src/core/calibration/kept";
import { readNpy } from "../../src/core/calibration/npy";
import { layerRows } from "../../src/core/calibration/rows";
import { splitSamples } from "../../src/core/calibration/samples";
import type { Feed } from "../../src/core/calibration/tensor";
import { type Alphabets, type Bits, valuesOf } from "../../src/core/grid/alphabet";
import { findLayers } from "../../src/core/graph/layers";
import { valuesOf as weightValues } from "../../src/core/graph/storedValues";
import { groupWeights } from "../../src/core/graph/weights";
import type { Linalg } from "../../src/core/linalg/linalg";
import { type Matrix, zeros64 } from "../../src/core/matrix";
import { applyMethod, type FitOptions } from "../../src/core/methods/catalog";
import { meanGram } from "../../src/core/methods/damping";
import type { RadiusChoice } from "../../src/core/methods/layer";
import { type Model, readModel } from "../../src/core/onnx/model";
import type { ModelProto } from "../../src/core/onnx/onnx_pb";
import { type Feeds, NOTHING } from "../../src/core/pipeline";
import { errorsOnRows, relativeError } from "../../src/core/report/measure";
import { bundleFolder } from "../../src/engine/bundle";
import { readDataFile } from "../../src/engine/dataFile";
import { openLinalg } from "../../src/engine/kernelPool";
import { openSession } from "../../src/engine/runtime";
import { feedsOf as callsOf, openSamples } from "../../src/engine/samples";
import { openTensorStore } from "../../src/engine/tensorStore";

const PACK = "../shared/data";
/** As many neurons as the studies took, evenly spaced; a layer's neurons are alike. */
const MOST_NEURONS = 64;
/** Patches of a convolution: as the studies. */
const MOST_ROWS = 4096;

const NETWORKS = [
  {
    entry: "mnist_mlp",
    model: "mnist_mlp_784-500-300-10.onnx",
    samples: 1000,
    layers: ["/net/net.0/Gemm", "/net/net.2/Gemm", "/net/net.4/Gemm"],
  },
  { entry: "squeezenet1.1", model: "squeezenet1.1.onnx", samples: 100, layers: ["Conv_7", "Conv_22", "Conv_51"] },
  {
    entry: "cifar10_resnet20",
    model: "cifar10_resnet20.onnx",
    samples: 400,
    layers: ["/layer1/layer1.1/conv1/Conv", "/layer3/layer3.1/conv1/Conv"],
  },
  { entry: "stories260K", model: "stories260K.onnx", samples: 64, layers: ["/b.0/MatMul", "/b.0/MatMul_8"] },
] as const;

interface Rival {
  readonly name: string;
  readonly options: FitOptions;
  readonly radius: RadiusChoice;
}
const WALK: FitOptions = { method: "maly-saab", variant: "walk", plan: "layer-alone" };
const RIVALS: readonly Rival[] = [
  { name: "msq max", options: { method: "msq" }, radius: "max" },
  { name: "msq data", options: { method: "msq" }, radius: "data" },
  { name: "gpfq data", options: { method: "gpfq" }, radius: "data" },
  { name: "gptq max", options: { method: "gptq" }, radius: "max" },
  { name: "gptq data", options: { method: "gptq" }, radius: "data" },
  { name: "walk data", options: WALK, radius: "data" },
];

interface Cell {
  readonly layer: string;
  readonly bits: Bits;
  /** Error on held-out rows, by rival; "walk at gptq" walks at the alphabets GPTQ chose. */
  readonly errors: Record<string, number>;
}

async function main(): Promise<void> {
  const { linalg, close } = await openLinalg(availableParallelism(), bundleFolder(), () => Promise.resolve());
  const cells: Cell[] = [];
  const names = [...RIVALS.map(rival => rival.name), "walk at gptq"];
  console.log(["layer".padEnd(44), "bits", ...names, "walk/gptq", "walk/gptq max"].join("  "));
  for (const network of NETWORKS) {
    for (const one of await layersOf(network)) {
      for (const bits of [1, 2, 3, 4] as const) {
        const cell = { layer: `${network.entry} ${one.name}`, bits, errors: await errorsOf(one, bits, linalg) };
        cells.push(cell);
        const numbers = names.map(name => cell.errors[name]!.toFixed(4).padStart(name.length));
        const ratios = ["gptq data", "gptq max"].map(name =>
          (cell.errors["walk data"]! / cell.errors[name]!).toFixed(3),
        );
        console.log(
          [
            cell.layer.padEnd(44),
            String(bits).padStart(4),
            ...numbers,
            ratios[0]!.padStart(9),
            ratios[1]!.padStart(13),
          ].join("  "),
        );
      }
    }
  }
  await close();
  const mean = (above: string, below: string): number =>
    cells.reduce((sum, cell) => sum + cell.errors[above]! / cell.errors[below]!, 0) / cells.length;
  const worst = Math.max(...cells.map(cell => cell.errors["walk data"]! / cell.errors["gptq data"]!));
  console.log(
    `walk / gptq, both with radius data: mean ${mean("walk data", "gptq data").toFixed(3)} (bound 0.92), worst ${worst.toFixed(3)} (bound 1)`,
  );
  console.log(`walk / gptq with radius max: mean ${mean("walk data", "gptq max").toFixed(3)} (bound 0.85)`);
  console.log(`walk / gptq, both at the radii gptq chose: mean ${mean("walk at gptq", "gptq data").toFixed(3)}`);
  writeFileSync("dist/table.json", JSON.stringify(cells, null, 1));
}

const open = (part: ModelProto) => openSession(part, { weightsAlone: true, threads: 1 });
const { keep } = openTensorStore(Infinity);

interface OneLayer {
  readonly name: string;
  /** [inputs, some neurons]. */
  readonly weights: Matrix;
  readonly fitted: Matrix<Float32Array>;
  readonly heldOut: Matrix<Float32Array>;
}

async function layersOf({
  entry,
  model: file,
  samples,
  layers: wanted,
}: (typeof NETWORKS)[number]): Promise<OneLayer[]> {
  const model = readModel(new Uint8Array(readFileSync(`${PACK}/models/${file}`)), file);
  const { index, layers } = findLayers(model);
  const chosen = layers.filter(layer => (wanted as readonly string[]).includes(layer.name));
  const feeds = await feedsOf(entry, model, samples);
  const runs = [...feeds.fitted, ...feeds.heldOut];
  const pass = startForward(model, index, runs, open, keep);
  const found: OneLayer[] = [];
  const stops = stopsAt(
    index,
    chosen,
    chosen.map(() => ALONE),
  );
  for (const [k, stop] of stops.entries()) {
    const layer = chosen[k]!;
    const inputs = await pass.activations(stop, NOTHING);
    const rows = layerRows(layer, inputs, inputs, feeds.fitted.length, 0);
    const weights = groupWeights(layer, weightValues(layer.value), 0);
    found.push({
      name: layer.name,
      weights: someNeurons(weights),
      fitted: (await rows.fitted(MOST_ROWS).group(0)).seen,
      heldOut: (await rows.heldOut!.group(0)).seen,
    });
  }
  return found;
}

async function feedsOf(entry: string, model: Model, count: number): Promise<Feeds> {
  const { fitted, heldOut } = splitSamples(count);
  if (entry === "stories260K") {
    // [N, T + 1] token numbers: the last column is a target only.
    const ids = readNpy(
      new Uint8Array(readFileSync(`${PACK}/data/stories_calib_ids.npy`)),
      "stories_calib_ids.npy",
    );
    const width = ids.dims[1]!;
    const feed = (sample: number): Feed =>
      new Map([
        [
          "ids",
          { type: "int64", dims: [1, width - 1], data: ids.data.slice(sample * width, (sample + 1) * width - 1) },
        ],
      ]);
    const kept = (some: readonly number[]) => Promise.all(some.map(sample => keepFeed(feed(sample), keep)));
    return { fitted: await kept(fitted), heldOut: await kept(heldOut) };
  }
  const spec = await readDataFile(`${PACK}/manifest.json#${entry}`);
  const array = entry === "squeezenet1.1" ? `${PACK}/data/imagenet_calib_x_u8.npy` : spec.calibration;
  const samples = await openSamples({ ...spec, calibration: array }, "calibration", model, count);
  return { fitted: await callsOf(samples, fitted, keep), heldOut: await callsOf(samples, heldOut, keep) };
}

function someNeurons(weights: Matrix): Matrix {
  const count = Math.min(MOST_NEURONS, weights.columns);
  const some = zeros64(weights.rows, count);
  for (let j = 0; j < count; j++) {
    const from = count === 1 ? 0 : Math.floor((j * (weights.columns - 1)) / (count - 1));
    for (let i = 0; i < weights.rows; i++) some.data[i * count + j] = weights.data[i * weights.columns + from]!;
  }
  return some;
}

async function errorsOf(
  { weights, fitted, heldOut }: OneLayer,
  bits: Bits,
  linalg: Linalg,
): Promise<Record<string, number>> {
  const metric = await meanGram([fitted], linalg);
  const quantize = async (options: FitOptions, radius: RadiusChoice, given?: Alphabets) => {
    const choice = { kind: "midrise", bits, radius, given } as const;
    const fit = await applyMethod({ weights, metric, inputs: fitted }, choice, options, linalg);
    const quantized = valuesOf(fit.levels, weights.rows, fit.alphabets);
    const both = { weights, target: weights, quantized, bias: null, newBias: null };
    const rows = { float: heldOut, seen: heldOut, centred: false };
    return {
      error: relativeError((await errorsOnRows(rows, both, linalg)).layer)!,
      alphabets: fit.alphabets,
    };
  };
  const errors: Record<string, number> = {};
  for (const { name, options, radius } of RIVALS) {
    const { error, alphabets } = await quantize(options, radius);
    errors[name] = error;
    if (name === "gptq data") errors["walk at gptq"] = (await quantize(WALK, radius, alphabets)).error;
  }
  return errors;
}

void main();
