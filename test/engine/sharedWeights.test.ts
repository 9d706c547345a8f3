import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Tensor } from "../../src/core/calibration/tensor";
import { intOf, intsOf, node } from "../../src/core/onnx/build";
import { DataType } from "../../src/core/onnx/dataTypes";
import { floatTensor } from "../../src/core/onnx/floats";
import type { NodeProto } from "../../src/core/onnx/onnx_pb";
import { bytesOf, distance, folderOf } from "./files";
import { run } from "./run";
import { answer, initializerBytes, INPUTS, inputOf, modelIn, normal, write } from "./smallModels";

// A weight that several places read is stored once. Each copy is compared with its dequantized weights put back as floats (1e-4)
// before it is kept.

const [ROWS, WIDTH] = [300, 32];
const table = floatTensor("table", "float32", [ROWS, WIDTH], normal(ROWS * WIDTH));
const square = floatTensor("w", "float32", [INPUTS, INPUTS], normal(INPUTS * INPUTS));
const ids = node("Cast", ["x"], "ids", [intOf("to", DataType.int64)]);
const rowsAsked: Tensor = { type: "float32", dims: [1, 4], data: Float32Array.from([0, 299, 7, 7]) };

/** A language model in small: rows of a table are looked up, and the same table turned over scores them. */
const tied: NodeProto[] = [
  ids,
  node("Gather", ["table", "ids"], "rows"),
  node("Tanh", ["rows"], "t"),
  node("Transpose", ["table"], "head", [intsOf("perm", [1, 0])]),
  node("MatMul", ["t", "head"], "y"),
];

test("a table that is the head, too, is stored once, at 8 bits with a scale a row", async t => {
  const folder = folderOf(t);
  const file = write(folder, tied, [table], "float32", 4);
  for (const format of ["auto", "qdq"] as const) {
    const copy = join(folder, `${format}.onnx`);
    const { layers, skipped, runtime } = await run(file, copy, { bits: 4, format });
    assert.deepEqual(
      layers.map(({ op, tensor, bits, method, bytesBefore, bytesAfter }) => [
        op,
        tensor,
        bits,
        method,
        bytesBefore,
        bytesAfter,
      ]),
      [["Gather", "table", 8, "msq", 4 * ROWS * WIDTH, ROWS * WIDTH + 4 * ROWS]],
    );
    assert.deepEqual(skipped, []);
    assert.notEqual(runtime, null);
    // The head is made of the very codes that rows are looked up in, and of no DequantizeLinear.
    const { graph } = modelIn(copy);
    assert.equal(graph.initializer.filter(one => one.dataType === DataType.int8).length, 1);
    assert.ok(graph.node.every(one => one.opType !== "DequantizeLinear"));
    assert.ok(bytesOf(copy).length < 0.32 * bytesOf(file).length);
    assert.ok(distance(await answer(copy, rowsAsked), await answer(file, rowsAsked)) < 0.01);
  }
});

test("a rule gives a tied table other bits, or keeps it to the byte", async t => {
  const folder = folderOf(t);
  const file = write(folder, tied, [table], "float32", 4);
  const rule = (bits: 4 | "keep") => ({ layers: [{ glob: "table", bits, method: undefined }] });
  const four = join(folder, "4.onnx");
  const { layers, runtime } = await run(file, four, rule(4));
  assert.deepEqual(
    layers.map(layer => layer.bits),
    [4],
  );
  assert.notEqual(runtime, null);
  assert.ok(distance(await answer(four, rowsAsked), await answer(file, rowsAsked)) < 0.2);
  const kept = join(folder, "kept.onnx");
  const report = await run(file, kept, rule("keep"));
  assert.deepEqual(
    report.skipped.map(one => one.reason),
    ["excluded"],
  );
  assert.deepEqual(initializerBytes(kept, "table"), initializerBytes(file, "table"));
});

test("a table that is looked up twice and read by nothing else is never a float as a whole", async t => {
  const folder = folderOf(t);
  const nodes = [
    ids,
    node("Gather", ["table", "ids"], "a"),
    node("Gather", ["table", "ids"], "b"),
    node("Add", ["a", "b"], "y"),
  ];
  const file = write(folder, nodes, [table], "float32", 4);
  const copy = join(folder, "c.onnx");
  const { layers } = await run(file, copy, {});
  assert.equal(layers.length, 1);
  assert.ok(modelIn(copy).graph.node.every(one => !one.output.includes("table")));
  assert.ok(distance(await answer(copy, rowsAsked), await answer(file, rowsAsked)) < 0.01);
});

test("a layer that is applied twice is stored once and rounded without data, which is said", async t => {
  const folder = folderOf(t);
  const nodes = [node("MatMul", ["x", "w"], "h"), node("Tanh", ["h"], "t"), node("MatMul", ["t", "w"], "y")];
  const file = write(folder, nodes, [square], "float32");
  for (const bits of [8, 4, 2] as const) {
    const copy = join(folder, `${bits}.onnx`);
    const { layers, warnings, runtime } = await run(file, copy, {
      bits,
      method: "maly-saab",
      synthetic: true,
      samples: 40,
    });
    assert.deepEqual(
      layers.map(layer => [layer.method, layer.format]),
      [["msq", "packed"]],
    );
    assert.match(warnings.join(), /several places use the same weights/);
    assert.notEqual(runtime, null);
    if (bits === 8)
      assert.ok(distance(await answer(copy, inputOf("float32")), await answer(file, inputOf("float32"))) < 0.01);
  }
});

test("a weight that something other than a layer uses, too, stays to the byte, with the reason", async t => {
  const folder = folderOf(t);
  const nodes = [node("MatMul", ["x", "w"], "h"), node("ReduceSum", ["w"], "sum"), node("Mul", ["h", "sum"], "y")];
  const file = write(folder, nodes, [square], "float32");
  const copy = join(folder, "c.onnx");
  const { layers, skipped } = await run(file, copy, {});
  assert.equal(layers.length, 0);
  assert.deepEqual(
    skipped.map(({ tensor, reason, detail }) => [tensor, reason, /ReduceSum/.test(detail)]),
    [["w", "shared", true]],
  );
  assert.deepEqual(bytesOf(copy), bytesOf(file));
});
