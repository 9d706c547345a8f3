import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { numbersOf } from "../../src/core/calibration/convert";
import type { Tensor } from "../../src/core/calibration/tensor";
import { FORMATS } from "../../src/core/formats/copy";
import { intAttribute } from "../../src/core/onnx/attributes";
import { constantNode, intOf, intsOf, node } from "../../src/core/onnx/build";
import { DataType } from "../../src/core/onnx/dataTypes";
import { floatTensor } from "../../src/core/onnx/floats";
import type { NodeProto } from "../../src/core/onnx/onnx_pb";
import { int64Tensor, tensor } from "../../src/core/onnx/tensors";
import { openSession } from "../../src/engine/runtime";
import { bytesOf, distance, folderOf, writeNpy } from "./files";
import { run } from "./run";
import { answer, modelIn, normal, write } from "./smallModels";

// Inputs on which other quantizers and runtimes went wrong, as people reported them: what comes of them here. Each copy is
// compared with its dequantized weights, alone and in a default session, before it is kept (checkCopy).

const rows = (width: number, values: Float32Array): Tensor => ({
  type: "float32",
  dims: [values.length / width, width],
  data: values,
});
const nodesOf = (file: string, type: string): NodeProto[] =>
  modelIn(file).graph.node.filter(one => one.opType === type);

/** What users get: the default session, with all its fusions. */
async function asRun(file: string, x: Tensor): Promise<Tensor> {
  const session = await openSession(file, { weightsAlone: false, threads: 1 });
  const y = (await session.run(new Map([["x", x]]))).get("y")!;
  await session.release();
  return y;
}

test("negative weights behind a Reshape stay negative, and every DequantizeLinear has its zero point (onnxruntime#27845)", async t => {
  const folder = folderOf(t);
  const pattern = [12, -45, 7, -3].map(level => 0.02 * level);
  const held = floatTensor(
    "w",
    "float32",
    [64],
    Float32Array.from({ length: 64 }, (_, k) => pattern[k % 4]!),
  );
  const nodes = [
    constantNode(held),
    node("Reshape", ["w", "shape"], "square"),
    node("MatMul", ["x", "square"], "y"),
  ];
  const file = write(folder, nodes, [int64Tensor("shape", [8n, 8n])], "float32", 8);
  const x = rows(8, normal(16));
  for (const format of FORMATS) {
    const copy = join(folder, `${format}.onnx`);
    await run(file, copy, { format, bits: 8 });
    assert.ok(nodesOf(copy, "DequantizeLinear").every(one => one.input.length === 3));
    assert.ok(distance(await asRun(copy, x), await answer(file, x)) < 0.02);
  }
});

test("int8 weights of somebody else's file are left to the byte, zero points or none (onnxruntime#28491)", async t => {
  const folder = folderOf(t);
  const levels = tensor("w", "int8", [4], Int8Array.of(12, -45, 7, -3));
  const nodes = [
    node("DequantizeLinear", ["w", "scale"], "flat"),
    node("Reshape", ["flat", "shape"], "square"),
    node("MatMul", ["x", "square"], "y"),
  ];
  const stored = [
    levels,
    floatTensor("scale", "float32", [], Float32Array.of(0.02)),
    int64Tensor("shape", [2n, 2n]),
  ];
  const file = write(folder, nodes, stored, "float32", 2);
  const copy = join(folder, "c.onnx");
  const { layers, skipped } = await run(file, copy, {});
  assert.deepEqual(layers, []);
  assert.ok(skipped.some(({ reason }) => reason === "already-quantized"));
  assert.deepEqual(bytesOf(copy), bytesOf(file));
});

test("a table of 8 rows that is the head, too, loads and is right in every format (transformers.js#1707)", async t => {
  const folder = folderOf(t);
  const nodes = [
    node("Cast", ["x"], "ids", [intOf("to", DataType.int64)]),
    node("Gather", ["w", "ids"], "rows"),
    node("Transpose", ["w"], "head", [intsOf("perm", [1, 0])]),
    node("MatMul", ["rows", "head"], "y"),
  ];
  const file = write(folder, nodes, [floatTensor("w", "float32", [8, 32], normal(256))], "float32", 4);
  const x: Tensor = { type: "float32", dims: [1, 4], data: Float32Array.of(0, 7, 3, 3) };
  for (const format of ["auto", ...FORMATS] as const) {
    const copy = join(folder, `${format}.onnx`);
    const { layers } = await run(file, copy, { format, bits: 8 });
    assert.equal(layers.length, 1);
    assert.ok(distance(await asRun(copy, x), await answer(file, x)) < 0.01);
    const scales = nodesOf(copy, "DequantizeLinear").map(one => one.input[1]);
    assert.equal(new Set(scales).size, scales.length);
  }
});

test("groups of 512 become blocks that onnxruntime computes: 1024 weights of -0.5 add up to -512 (onnxruntime#28551)", async t => {
  const folder = folderOf(t);
  const weight = floatTensor("w", "float32", [1024, 4], new Float32Array(4096).fill(-0.5));
  const file = write(folder, [node("MatMul", ["x", "w"], "y")], [weight], "float32", 1024);
  for (const bits of [2, 4, 8] as const) {
    const copy = join(folder, `${bits}.onnx`);
    await run(file, copy, { format: "nbits", bits, group: 512 });
    const [product] = nodesOf(copy, "MatMulNBits");
    assert.ok(intAttribute(product!, "block_size", 0) <= 256);
    // Activations are rounded to int8, which at 8 bits makes 2 of it.
    const y = numbersOf(await asRun(copy, rows(1024, new Float32Array(1024).fill(1))));
    assert.ok(
      Array.from(y).every(value => Math.abs(value + 512) < 5),
      Array.from(y).join(),
    );
  }
});

test("a width that is no multiple of the group ends with a short block, and no layer is left out (executorch#22044)", async t => {
  const folder = folderOf(t);
  const stored = [
    floatTensor("w", "float32", [576, 64], normal(576 * 64)),
    floatTensor("v", "float32", [64, 32], normal(2048)),
  ];
  const nodes = [node("MatMul", ["x", "w"], "h"), node("MatMul", ["h", "v"], "y")];
  const file = write(folder, nodes, stored, "float32", 576);
  const x = rows(576, normal(2 * 576));
  for (const format of FORMATS) {
    const copy = join(folder, `${format}.onnx`);
    const { layers, skipped } = await run(file, copy, { format, bits: 4, group: 128 });
    assert.deepEqual([layers.map(one => one.format), skipped], [[format, format], []]);
    assert.ok(distance(await asRun(copy, x), await answer(file, x)) < 0.15);
    // WebGPU takes blocks of a list for one alphabet each (onnxruntime#32730), so there are none.
    const shapes = new Map(modelIn(copy).graph.initializer.map(one => [one.name, one.dims.length]));
    for (const one of nodesOf(copy, "DequantizeLinear"))
      assert.ok(intAttribute(one, "block_size", 0) === 0 || shapes.get(one.input[0]!)! > 1);
  }
});

test("a weight of three dimensions has its scales along the last (onnxruntime#25489)", async t => {
  const folder = folderOf(t);
  const nodes = [
    node("Reshape", ["x", "shape"], "batches"),
    node("MatMul", ["batches", "w"], "z"),
    node("Reshape", ["z", "flat"], "y"),
  ];
  const stored = [
    floatTensor("w", "float32", [2, 8, 12], normal(192)),
    int64Tensor("shape", [2n, 1n, 8n]),
    int64Tensor("flat", [1n, -1n]),
  ];
  const file = write(folder, nodes, stored, "float32", 8);
  const x = rows(8, normal(16));
  const copy = join(folder, "c.onnx");
  await run(file, copy, { format: "qdq", bits: 8, dims: new Map([["n", 2]]) });
  assert.deepEqual(
    nodesOf(copy, "DequantizeLinear").map(one => intAttribute(one, "axis", 1)),
    [2],
  );
  assert.ok(distance(await asRun(copy, x), await answer(file, x)) < 0.02);
});

test("a zero neuron, a zero block and an input that is always 0 give numbers, in every format and width (pytorch/ao#4713)", async t => {
  const folder = folderOf(t);
  const [inputs, neurons] = [64, 8];
  const values = normal(inputs * neurons).map((value, at) => {
    const [input, neuron] = [Math.floor(at / neurons), at % neurons];
    return neuron === 3 || (input >= 16 && input < 32) ? 0 : value;
  });
  const weight = floatTensor("w", "float32", [inputs, neurons], values);
  const file = write(folder, [node("MatMul", ["x", "w"], "y")], [weight], "float32", inputs);
  const samples = normal(20 * inputs).map((value, at) => (at % inputs === 5 ? 0 : value));
  const x = writeNpy(join(folder, "x.npy"), [20, inputs], samples);
  for (const format of FORMATS) {
    for (const bits of [1, 2, 3, 4, 8] as const) {
      if (format !== "packed" && (bits === 1 || bits === 3)) continue;
      const copy = join(folder, `${format}${bits}.onnx`);
      const wish = { format, bits, group: 16, method: "maly-saab", inputFiles: new Map([["x", x]]), samples: 20 };
      const { layers } = await run(file, copy, { ...wish, method: "maly-saab" });
      assert.ok(Number.isFinite(layers[0]!.weightError));
      const y = numbersOf(await asRun(copy, rows(inputs, samples)));
      assert.ok(Array.from(y).every(Number.isFinite));
      // At one bit there is no zero, and the step of a neuron of zeros is 0.
      for (let k = 3; k < y.length; k += neurons) assert.equal(Math.abs(y[k]!), 0);
    }
  }
});

test("channels of sizes from 1 to 1e-30 are each as exact as the others (onnxruntime#22020)", async t => {
  const folder = folderOf(t);
  const sizes = [1, 1e-4, 1e-8, 1e-30];
  const shape = [4, 1, 3, 3];
  const weight = normal(36).map((value, at) => value * sizes[Math.floor(at / 9)]!);
  const nodes = [
    node("Reshape", ["x", "picture"], "p"),
    node("Conv", ["p", "w"], "c", [intOf("group", 4)]),
    node("Reshape", ["c", "flat"], "y"),
  ];
  const stored = [
    floatTensor("w", "float32", shape, weight),
    int64Tensor("picture", [-1n, 4n, 3n, 3n]),
    int64Tensor("flat", [-1n, 4n]),
  ];
  const file = write(folder, nodes, stored, "float32", 36);
  const x = rows(36, normal(20 * 36));
  const wanted = numbersOf(await answer(file, x));
  for (const format of ["qdq", "packed"] as const) {
    const copy = join(folder, `${format}.onnx`);
    await run(file, copy, { format, bits: 8 });
    const found = numbersOf(await asRun(copy, x));
    for (const channel of [0, 1, 2, 3]) {
      const of = (values: ArrayLike<number>): Tensor => ({
        type: "float32",
        dims: [20],
        data: Float32Array.from({ length: 20 }, (_, k) => values[4 * k + channel]! / sizes[channel]!),
      });
      assert.ok(distance(of(found), of(wanted)) < 0.02, `${format}, channel ${channel}`);
    }
  }
});

for (const method of ["msq", "gptq", "gpfq", "maly-saab"] as const) {
  test(`four samples, two of them the same, and an input that is always 0 are enough for ${method} (AutoGPTQ#708)`, async t => {
    const folder = folderOf(t);
    const weight = floatTensor("w", "float32", [24, 12], normal(24 * 12));
    const file = write(folder, [node("MatMul", ["x", "w"], "y")], [weight], "float32", 24);
    const first = normal(3 * 24);
    const samples = Float32Array.from([...first, ...first.subarray(0, 24)], (value, at) =>
      at % 24 === 7 ? 0 : value,
    );
    const x = writeNpy(join(folder, "x.npy"), [4, 24], samples);
    const { layers } = await run(file, join(folder, "c.onnx"), { method, inputFiles: new Map([["x", x]]) });
    assert.ok(layers[0]!.rank! <= 3);
    assert.ok(Number.isFinite(layers[0]!.layerError));
  });
}

test("a model with a node called w_DequantizeLinear is quantized, and its copy run again changes nothing (onnxruntime#8811)", async t => {
  const folder = folderOf(t);
  const product = node("MatMul", ["x", "w"], "w_q");
  product.name = "w_DequantizeLinear";
  const nodes = [product, node("Relu", ["w_q"], "s"), node("MatMul", ["s", "w"], "y")];
  const weights = [floatTensor("w", "float32", [24, 24], normal(576))];
  const file = write(folder, nodes, weights, "float32", 24);
  const x = rows(24, normal(48));
  for (const format of FORMATS) {
    for (const bits of [4, 8] as const) {
      const copy = join(folder, `${format}${bits}.onnx`);
      const { layers } = await run(file, copy, { format, bits });
      assert.equal(layers.length, 1);
      assert.ok(distance(await asRun(copy, x), await answer(file, x)) < 0.3);
      const before = modelIn(file).graph;
      const { graph } = modelIn(copy);
      // Original names, inputs and outputs stay, free dimensions too.
      assert.deepEqual([graph.input, graph.output], [before.input, before.output]);
      const names = graph.node.map(one => one.name);
      assert.ok(before.node.every(one => one.name === "" || names.includes(one.name)));
      const again = join(folder, `${format}${bits}again.onnx`);
      const second = await run(copy, again, { format, bits });
      assert.deepEqual(second.layers, []);
      assert.deepEqual(bytesOf(again), bytesOf(copy));
    }
  }
});

test("a weight behind a Reshape is quantized in the shape its layer reads (onnxruntime#18668)", async t => {
  const folder = folderOf(t);
  const nodes = [
    node("Reshape", ["w", "shape"], "matrix"),
    node("Gemm", ["x", "matrix"], "y", [intOf("transB", 1)]),
  ];
  const stored = [floatTensor("w", "float32", [20, 32, 1, 1], normal(640)), int64Tensor("shape", [20n, 32n])];
  const file = write(folder, nodes, stored, "float32", 32);
  const x = rows(32, normal(64));
  for (const format of FORMATS) {
    const copy = join(folder, `${format}.onnx`);
    const { layers } = await run(file, copy, { format, bits: 8 });
    assert.deepEqual([layers[0]!.shape, layers[0]!.neurons], [[20, 32], 20]);
    assert.ok(modelIn(copy).graph.initializer.every(one => one.name !== "w"));
    assert.ok(distance(await asRun(copy, x), await answer(file, x)) < 0.02);
  }
});
