import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Tensor } from "../../src/core/calibration/tensor";
import { findLayers } from "../../src/core/graph/layers";
import { quantizeLayers } from "../../src/core/pipeline";
import { planLayers } from "../../src/engine/plan";
import { quantize } from "../../src/engine/quantize";
import { openTensorStore, type TensorStore, USUAL_MEMORY } from "../../src/engine/tensorStore";
import { folderOf } from "./files";
import { golden, goldenModel, plainParts } from "./goldenNetwork";
import { quiet, usual } from "./run";

for (const name of [
  "conv_bn_relu_pool_fc",
  "conv_depthwise_mult2",
  "if_subgraph",
  "loop_subgraph",
  "mlp_opset21",
]) {
  test(`the copy of ${name} is the same to the byte whatever --memory is`, async t => {
    const folder = folderOf(t);
    const copy = async (memory: number): Promise<Buffer> => {
      const output = join(folder, `${memory}.onnx`);
      const options = { ...usual, method: "maly-saab", synthetic: true, samples: 12, bits: 3 } as const;
      const model = `test/data/awkward/${name}.onnx`;
      await quantize({ model, output, overwrite: false, dryRun: false, threads: 1, memory, options }, quiet);
      return readFileSync(output);
    };
    assert.ok((await copy(0)).equals(await copy(USUAL_MEMORY)));
  });
}

test("without room for a temporary file the run fails, says where, and leaves nothing behind", async t => {
  const folder = folderOf(t);
  const variable = process.platform === "win32" ? "TEMP" : "TMPDIR";
  const before = tmpdir();
  t.after(() => {
    process.env[variable] = before;
  });
  process.env[variable] = join(folder, "none");
  const job = {
    model: "samples/mnist_mlp.onnx",
    output: join(folder, "copy.onnx"),
    overwrite: false,
    dryRun: false,
  };
  await assert.rejects(quantize({ ...job, threads: 1, memory: 0, options: usual }, quiet), {
    code: "no-room",
    message: /cannot be written to .*none \(ENOENT\)/,
  });
  assert.deepEqual(readdirSync(folder), []);
});

/** The reference's network, one sample a call; it has branches and sums. */
async function fitGolden(samples: number, memory: number) {
  const store = openTensorStore(memory);
  const model = goldenModel();
  const { index, layers } = findLayers(model);
  const options = { ...usual, method: "maly-saab" } as const;
  const { plans } = planLayers(layers, options, true, () => "packed");
  const rows = Array.from({ length: samples }, (_, k) => golden.inputs[k % golden.inputs.length]!);
  const kept = await Promise.all(
    rows.map(async row => {
      const x: Tensor = { type: "float32", dims: [1, row.length], data: Float32Array.from(row) };
      return new Map([["x", await store.keep(x)]]);
    }),
  );
  const feeds = { fitted: kept.slice(2), heldOut: kept.slice(0, 2) };
  const fitted = await quantizeLayers(
    model,
    index,
    plans,
    feeds,
    { inputs: "quantized", seed: 0 },
    plainParts(store.keep),
  );
  const { bytes } = store;
  for (const feed of kept) for (const tensor of feed.values()) tensor.drop();
  return { codes: fitted.map(({ codes }) => ({ ...codes, levels: codes.levels() })), bytes, store };
}

async function nothingIsLeft(store: TensorStore): Promise<void> {
  assert.deepEqual([store.bytes.inMemory, store.bytes.inFile], [0, 0]);
  await store.close();
}

test("however many the samples, what is kept in memory stays within the budget, and the codes are the same", async () => {
  const [few, many] = [20, 80];
  const whole = await fitGolden(many, Infinity);
  assert.equal(whole.bytes.inFile, 0);
  const needed = whole.bytes.mostInMemory;
  const budget = (await fitGolden(few, Infinity)).bytes.mostInMemory;
  assert.ok(needed > 3 * budget, "without a budget it grows with the samples");
  const spilled = await fitGolden(many, budget);
  assert.ok(spilled.bytes.mostInMemory <= budget, `${spilled.bytes.mostInMemory} of ${budget}`);
  assert.ok(spilled.bytes.mostInMemory > budget / 2, "a budget is used");
  assert.ok(spilled.bytes.inFile > 0);
  assert.deepEqual(spilled.codes, whole.codes);
  await nothingIsLeft(whole.store);
  await nothingIsLeft(spilled.store);
});

test("a tensor of every type comes back from the file as it was, from a part of a longer array too", async () => {
  const store = openTensorStore(0);
  const long = Float32Array.from({ length: 8 }, (_, k) => k / 3);
  const tensors: Tensor[] = [
    { type: "float32", dims: [3], data: long.subarray(2, 5) },
    { type: "float64", dims: [1], data: Float64Array.of(Math.PI) },
    { type: "float16", dims: [2], data: Uint16Array.of(0x3c00, 1) },
    { type: "int64", dims: [2], data: BigInt64Array.of(-5n, 2n ** 40n) },
    { type: "bool", dims: [3], data: Uint8Array.of(1, 0, 1) },
    { type: "int8", dims: [0], data: new Int8Array() },
  ];
  const kept = await Promise.all(tensors.map(store.keep));
  for (const [k, one] of kept.entries()) assert.deepEqual(await one.read(), tensors[k]);
  assert.equal(store.bytes.mostInMemory, 0);
  for (const one of kept) one.drop();
  await nothingIsLeft(store);
});
