import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Model, readModel, writeModel } from "../../src/core/onnx/model";
import { node } from "../../src/core/onnx/build";
import { putElsewhere } from "../../src/core/onnx/bytes";
import { int64Tensor } from "../../src/core/onnx/tensors";
import { findLayers } from "../../src/core/graph/layers";
import { readLabels } from "../../src/engine/data/open";
import type { QuantizeOptions } from "../../src/engine/options";
import { npy } from "./containers";
import { bytesOf, folderOf } from "./files";
import { run } from "./run";

// What fuzzing (`npm run fuzz`) broke. Broken encodings that it found are in the table of hostile models.

async function copyOf(
  folder: string,
  change: (model: Model) => void,
  file = "test/data/awkward/mlp_opset13.onnx",
  options: Partial<QuantizeOptions> = {},
) {
  const model = readModel(bytesOf(file), "seed");
  change(model);
  const path = join(folder, "model.onnx");
  writeFileSync(path, writeModel(model));
  return run(path, join(folder, "copy.onnx"), { bits: 8, method: "msq", ...options });
}

function sizeOfInput(model: Model, axis: number, value: bigint): void {
  model.graph.input[0]!.type!.tensorType!.shape!.dim[axis]!.value = { case: "dimValue", value };
}

test("a model whose input is -1 long takes any length, as some exporters mean it", async t => {
  const report = await copyOf(folderOf(t), model => sizeOfInput(model, 0, -1n));
  assert.equal(report.calibration.samples, 4);
  assert.ok(report.layers.every(layer => layer.layerError !== null));
});

test("a model whose input has 2^40 rows is copied without being run, and says so", async t => {
  const report = await copyOf(folderOf(t), model => sizeOfInput(model, 0, 2n ** 40n));
  assert.match(report.warnings.join(), /cannot be run on made-up inputs \(an input of a kind or a size/);
});

test("a network that overflows is rounded without its data where it does, and says so", async t => {
  const report = await copyOf(
    folderOf(t),
    ({ graph }) => {
      // 500 neurons that all give 784 times 3e38.
      const bytes = 4 * 784 * 500;
      const first = graph.initializer.find(one => one.rawData.length === bytes)!;
      first.rawData = new Uint8Array(new Float32Array(bytes / 4).fill(3e38).buffer);
    },
    "samples/mnist_mlp.onnx",
  );
  // The first weight itself is left alone, as out of range.
  assert.deepEqual(
    report.layers.map(layer => [layer.rows, layer.layerError, layer.layerErrorHeldOut]),
    [
      [0, null, null],
      [0, null, null],
    ],
  );
  assert.match(
    report.warnings.join("\n"),
    /inputs of \/net\/net.2\/Gemm, \/net\/net.4\/Gemm hold .* NaN and infinite values/,
  );
});

test("a weight behind a thousand Identity nodes is left alone: that is no way a weight goes", () => {
  const model = readModel(bytesOf("test/data/awkward/mlp_opset13.onnx"), "seed");
  const reads = model.graph.node[0]!;
  for (const [before, after] of [
    ["W1", "i0"],
    ...Array.from({ length: 1000 }, (_, k) => [`i${k}`, `i${k + 1}`] as const),
  ] as const)
    model.graph.node.unshift(node("Identity", [before], after));
  reads.input[1] = "i1000";
  const { layers, skipped } = findLayers(model);
  assert.deepEqual(
    layers.map(({ tensor }) => tensor),
    ["W2"],
  );
  assert.ok(skipped.some(({ tensor }) => tensor === "W1"));
});

test("a Constant node that gives nothing is no weight", () => {
  const model = readModel(bytesOf("test/data/awkward/weights_in_constant_nodes.onnx"), "seed");
  const before = findLayers(model).layers.length;
  model.graph.node.find(({ opType }) => opType === "Constant")!.output.splice(0);
  assert.equal(findLayers(model).layers.length, before - 1);
});

test("a Reshape to negative sides is none that a weight is seen through", () => {
  const model = readModel(bytesOf("test/data/awkward/mlp_opset13.onnx"), "seed");
  model.graph.initializer.push(int64Tensor("shape", [-48n, -32n]));
  model.graph.node[0]!.input[1] = "reshaped";
  model.graph.node.unshift(node("Reshape", ["W1", "shape"], "reshaped"));
  assert.ok(findLayers(model).layers.every(({ tensor }) => tensor !== "W1"));
});

test("a weight of 2^31 numbers is left alone, and none of them is read", () => {
  const model = readModel(bytesOf("test/data/awkward/mlp_opset13.onnx"), "seed");
  const weight = model.graph.initializer.find(({ name }) => name === "W1")!;
  Object.assign(weight, { dims: [2n ** 26n, 32n], rawData: new Uint8Array(0) });
  putElsewhere(weight, { length: 2 ** 33, read: () => assert.fail("was read") });
  const { skipped } = findLayers(model);
  assert.equal(skipped.find(({ tensor }) => tensor === "W1")?.reason, "too-large");
});

test("an input of two million numbers is made up once, and that is said", async t => {
  const report = await copyOf(folderOf(t), model => sizeOfInput(model, 0, 65_536n), undefined, {
    samples: undefined,
  });
  assert.equal(report.calibration.samples, 1);
  assert.match(report.warnings.join("\n"), /so large that only 1 was made up/);
});

test("a hundred thousand million samples without a number in them are refused", async t => {
  const folder = folderOf(t);
  const data = join(folder, "x.npy");
  writeFileSync(data, npy("<f4", [99_999_999_999, 0], new Float32Array(0)));
  const free = (model: Model): void => {
    for (const dim of model.graph.input[0]!.type!.tensorType!.shape!.dim) dim.value = { case: undefined };
  };
  await assert.rejects(copyOf(folder, free, undefined, { data, samples: undefined }), {
    code: "data-does-not-fit",
    message: /holds 99999999999 samples, and 16777216 are the most/,
  });
});

test("a model that takes 2^40 samples a call is not fed", async t => {
  const folder = folderOf(t);
  const data = join(folder, "x.npy");
  writeFileSync(data, npy("<f4", [2, 32], new Float32Array(64)));
  await assert.rejects(
    copyOf(folder, model => sizeOfInput(model, 0, 2n ** 40n), undefined, { data }),
    {
      code: "data-does-not-fit",
      message: /A call with 1099511627776 samples holds 35184372088832 numbers/,
    },
  );
});

test("data that make int8 activations NaN are told by what breaks, and a copy with float activations is made of them", async t => {
  const folder = folderOf(t);
  const data = join(folder, "x.npy");
  const values = Float32Array.from({ length: 4 * 32 }, (_, at) => (at % 2 ? 3e37 : -3e37));
  writeFileSync(data, npy("<f4", [4, 32], values));
  await assert.rejects(
    copyOf(folder, () => {}, undefined, { data }),
    {
      code: "copy-differs",
      message: /In a default session, where onnxruntime rounds activations to int8, .* use --format packed/,
    },
  );
  await copyOf(folder, () => {}, undefined, { data, format: "packed" });
});

test("labels in a table are refused: each sample has one", async t => {
  const folder = folderOf(t);
  const file = join(folder, "labels.npy");
  writeFileSync(file, npy("<i8", [20, 3], new BigInt64Array(60)));
  await assert.rejects(readLabels(file), { code: "data-does-not-fit", message: /\[20, 3\] numbers/ });
  writeFileSync(file, npy("<i8", [20, 1], new BigInt64Array(20)));
  assert.equal((await readLabels(file)).length, 20);
});
