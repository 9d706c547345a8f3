import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { node } from "../../src/core/onnx/build";
import { tensor } from "../../src/core/onnx/tensors";
import { writeModel } from "../../src/core/onnx/model";
import { compareModels, type Comparison } from "../../src/engine/compareModels";
import type { Format } from "../../src/core/formats/copy";
import { folderOf } from "./files";
import { modelOf } from "./models";
import { run } from "./run";
import { head, lookUp, table, writeTableModel } from "./tableModel";

const mlp = resolve("samples/mnist_mlp.onnx");

function compared(a: string, b: string, data?: string): Promise<Comparison> {
  return compareModels({ a, b, data, samples: 12, dims: new Map(), threads: 1, memory: undefined });
}

async function copyOf(t: TestContext, model: string, format: Format, bits: 2 | 3 | 4 | 8) {
  const output = join(folderOf(t), `${format}${bits}.onnx`);
  return { output, report: await run(model, output, { format, bits }) };
}

for (const [model, format, bits] of [
  [mlp, "packed", 3],
  [mlp, "qdq", 4],
  [mlp, "nbits", 2],
  // Weights that are cut, moved, grouped, folded, in bodies, of halves.
  ["test/data/awkward/conv_bn_relu_pool_fc.onnx", "packed", 4],
  ["test/data/awkward/lstm_gru_rnn.onnx", "qdq", 8],
  ["test/data/awkward/if_subgraph.onnx", "packed", 2],
  ["test/data/awkward/fp16_weights.onnx", "nbits", 4],
  ["test/data/awkward/shared_initializer.onnx", "packed", 8],
] as const) {
  test(`read back from ${format} at ${bits} bits, the weights of ${model.split("/").at(-1)} are as far off as its report says`, async t => {
    const { output, report } = await copyOf(t, model, format, bits);
    const found = await compared(model, output);
    assert.deepEqual(found.onlyInA, { nodes: [], tensors: [] });
    assert.deepEqual(found.onlyInB, { nodes: [], tensors: [] });
    assert.equal(found.warnings.length, 0);
    assert.ok(report.layers.length > 0);
    for (const layer of report.layers) {
      const one = found.layers.find(({ tensor: name, b }) => name === layer.tensor && b.bits === layer.bits);
      assert.ok(one, layer.tensor);
      assert.equal(one.b.format, layer.format);
      assert.ok(Math.abs(one.weightError! - layer.weightError!) < 1e-4 * layer.weightError!);
    }
    assert.ok(found.outputs.every(output => output.relativeError! > 0 && output.sqnrDb! > 0));
  });
}

test("the bytes of a layer are those of its report", async t => {
  const { output, report } = await copyOf(t, mlp, "packed", 3);
  const { layers, a, b } = await compared(mlp, output);
  assert.deepEqual(
    layers.map(layer => [layer.a.bytes, layer.b.bytes]),
    report.layers.map(layer => [layer.bytesBefore, layer.bytesAfter]),
  );
  assert.deepEqual([a.bytes, b.bytes], [report.bytesBefore, report.bytesAfter]);
});

test("two copies that hold the same numbers differ in how they store them, and in nothing else", async t => {
  const [one, other] = [await copyOf(t, mlp, "packed", 4), await copyOf(t, mlp, "nbits", 4)];
  const { layers, outputs } = await compared(one.output, other.output);
  assert.deepEqual(
    layers.map(({ a, b, weightError }) => [a.format, a.bits, b.format, b.bits, weightError]),
    Array.from({ length: 3 }, () => ["packed", 4, "nbits", 4, 0]),
  );
  assert.ok(outputs[0]!.relativeError! < 1e-5);
});

test("a table of embeddings that is looked up as codes is read back by all its rows", async t => {
  const model = writeTableModel(folderOf(t), lookUp(), [table, head]);
  for (const format of ["packed", "nbits"] as const) {
    const { output, report } = await copyOf(t, model, format, 8);
    const { layers, onlyInB } = await compared(model, output);
    const rows = layers.find(({ op }) => op === "Gather")!;
    assert.deepEqual([rows.tensor, rows.shape, rows.b.bits, rows.b.format], ["table", [200, 24], 8, format]);
    const told = report.layers.find(({ op }) => op === "Gather")!;
    assert.ok(Math.abs(rows.weightError! - told.weightError!) < 1e-6);
    assert.deepEqual(onlyInB.nodes, []);
  }
});

test("a model and itself differ in nothing", async t => {
  const other = join(folderOf(t), "same.onnx");
  copyFileSync(mlp, other);
  const found = await compared(mlp, other, "samples/mnist.json");
  assert.ok(found.layers.every(layer => layer.weightError === 0 && layer.biasError === 0));
  assert.equal(found.equalTensors, 6);
  assert.deepEqual(found.interface, { inputs: [], outputs: [], opsets: [] });
  assert.deepEqual(found.data, { samples: 12, synthetic: false });
  assert.deepEqual(
    found.outputs.map(({ relativeError, top1Agreement }) => [relativeError, top1Agreement]),
    [[0, 1]],
  );
  assert.ok(found.a.msMedian! > 0 && found.b.msMedian! > 0);
});

/** y = Relu(x w), with what the second model changes of it. */
function small(t: TestContext, input: string, width: number, more: boolean): string {
  const w = tensor("w", "float32", [width, 6], new Float32Array(6 * width).fill(0.5));
  const extra = tensor("extra", "float32", [6], new Float32Array(6).fill(2));
  const nodes = more
    ? [node("MatMul", [input, "w"], "p"), node("Mul", ["p", "extra"], "q"), node("Relu", ["q"], "y")]
    : [node("MatMul", [input, "w"], "p"), node("Relu", ["p"], "y")];
  const file = join(folderOf(t), "small.onnx");
  const model = modelOf(
    { [input]: ["float32", "n", width] },
    nodes,
    { y: ["float32", "n", 6] },
    more ? [w, extra] : [w],
  );
  writeFileSync(file, writeModel(model));
  return file;
}

test("what only one model has is named, and outputs that cannot be compared are said to be so", async t => {
  const first = small(t, "x", 4, false);
  const added = await compared(first, small(t, "x", 4, true));
  assert.deepEqual(added.onlyInB, {
    nodes: [{ name: "q", op: "Mul" }],
    tensors: [{ name: "extra", shape: [6], bytes: 24 }],
  });
  // The product is as it was, and twice as large afterwards.
  assert.equal(added.layers[0]!.weightError, 0);
  assert.equal(added.outputs[0]!.relativeError, 1);

  const renamed = await compared(first, small(t, "z", 4, false));
  assert.deepEqual(renamed.interface.inputs, [
    { name: "x", a: "float32 [n, 4]", b: null },
    { name: "z", a: null, b: "float32 [n, 4]" },
  ]);
  assert.deepEqual(renamed.outputs, []);
  assert.match(renamed.warnings.join(), /outputs were not compared: only A has an input "x"/);

  const wider = await compared(first, small(t, "x", 5, false));
  assert.equal(wider.layers[0]!.weightError, null);
  assert.match(wider.warnings.join(), /reads \[4, 6\] in A and \[5, 6\] in B/);
});

function whittle(...words: string[]) {
  return spawnSync(process.execPath, [resolve("dist/cli.js"), "compare", ...words], { encoding: "utf8" });
}

test("whittle compare prints a row a weight, or one JSON object; its failures are one line", async t => {
  const { output } = await copyOf(t, mlp, "qdq", 4);
  const data = ["--data", "samples/mnist.json", "--samples", "20"];
  const { stdout, status } = whittle(mlp, output, ...data);
  assert.equal(status, 0);
  assert.match(stdout, /^layer +operator +shape +A +B +bytes of A +of B +weight error +SQNR/);
  assert.match(stdout, /Gemm +784x500 +float32 +qdq 4 +1\.50 MB/);
  assert.match(stdout, /Opset ai\.onnx: 13 in A, 21 in B/);
  assert.match(stdout, /Output "logits" on 20 samples: error .* dB, cosine 0\.\d+, same answer on/);
  const json = JSON.parse(whittle(mlp, output, "--json").stdout) as Comparison;
  assert.deepEqual(json.data, { samples: 10, synthetic: true });
  assert.equal(json.layers.length, 3);

  const missing = whittle(mlp, join(folderOf(t), "none.onnx"));
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /^whittle: model-missing: .*\n$/);
  const unfit = whittle("samples/mnist_mlp.onnx", output, "--data", "test/data/awkward/conv1d.in.x.npy");
  assert.equal(unfit.status, 1);
  assert.match(unfit.stderr, /^whittle: data-does-not-fit: Input "input" wants .*\n$/);
  const one = whittle(mlp);
  assert.equal(one.status, 2);
  assert.match(one.stderr, /takes two models/);
});
