import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Tensor } from "../../src/core/calibration/tensor";
import { node, tensorOf } from "../../src/core/onnx/build";
import { readModel } from "../../src/core/onnx/model";
import { tensor } from "../../src/core/onnx/tensors";
import { openSession } from "../../src/engine/runtime";
import type { NodeProto, TensorProto } from "../../src/core/onnx/onnx_pb";
import { bytesOf, distance, folderOf } from "./files";
import { run } from "./run";
import { head, ids, lookUp, ROWS, table, weights, WIDTH, writeTableModel } from "./tableModel";

async function answer(file: string): Promise<Tensor> {
  const session = await openSession(readModel(bytesOf(file), file), { weightsAlone: true, threads: 1 });
  const outputs = await session.run(new Map([["ids", ids]]));
  await session.release();
  return outputs.get("y")!;
}

test("a table of embeddings gets 8 bits a number and a scale a row, and only what is looked up becomes float", async t => {
  const folder = folderOf(t);
  const file = writeTableModel(folder, lookUp(), [table, head]);
  const copy = join(folder, "c.onnx");
  const { layers } = await run(file, copy, { bits: 4 });
  assert.deepEqual(
    layers.map(({ op, bits, method, format, bytesAfter }) => [
      op,
      bits,
      method,
      format === "packed" && op,
      bytesAfter,
    ]),
    [
      ["Gather", 8, "msq", "Gather", ROWS * WIDTH + 4 * ROWS],
      ["MatMul", 4, "msq", false, layers[1]!.bytesAfter],
    ],
  );
  const eight = join(folder, "8.onnx");
  await run(file, eight, { bits: 8 });
  assert.ok(distance(await answer(eight), await answer(file)) < 0.01);
  const { graph } = readModel(bytesOf(eight), eight);
  assert.deepEqual(
    graph.node.slice(-5, -1).map(one => one.opType),
    ["Gather", "Gather", "Cast", "Mul"],
  );
});

for (const [bits, bytes] of [
  [8, ROWS * WIDTH + 4 * ROWS],
  [4, (ROWS * WIDTH) / 2 + 4 * ROWS + ROWS / 2],
  [2, (ROWS * WIDTH) / 4 + 4 * ROWS + ROWS],
] as const) {
  test(`in nbits a table of ${bits} bits is looked up by GatherBlockQuantized, of the same values as packed`, async t => {
    const folder = folderOf(t);
    const file = writeTableModel(folder, lookUp(), [table, head]);
    const layers = [{ glob: "table", bits, method: undefined }];
    const [copy, packed] = [join(folder, "n.onnx"), join(folder, "p.onnx")];
    const report = await run(file, copy, { bits: 8, format: "nbits", layers });
    await run(file, packed, { bits: 8, format: "packed", layers });
    assert.deepEqual(
      report.layers.map(layer => layer.format),
      ["nbits", "nbits"],
    );
    assert.equal(report.layers[0]!.bytesAfter, bytes);
    assert.deepEqual(
      readModel(bytesOf(copy), copy).graph.node.map(one => one.opType),
      ["GatherBlockQuantized", "MatMulNBits"],
    );
    assert.equal(report.runtime!.leastOnnxruntime, { 8: "1.23", 4: "1.22", 2: "1.27" }[bits]);
    // 2 bits of packed have zero points half way between levels, too.
    if (bits > 2) assert.ok(distance(await answer(copy), await answer(packed)) < 1e-5);
  });
}

test("in nbits a table that several nodes look up is stored once; one that is the head, too, is packed", async t => {
  const folder = folderOf(t);
  const twice = [
    node("Gather", ["table", "ids"], "a"),
    node("Gather", ["table", "ids"], "b"),
    node("Add", ["a", "b"], "rows"),
    node("MatMul", ["rows", "head"], "y"),
  ];
  const tied = [
    node("Gather", ["table", "ids"], "rows"),
    node("Transpose", ["table"], "turned"),
    node("MatMul", ["rows", "turned"], "y"),
  ];
  const operatorsOf = async (name: string, nodes: NodeProto[], stored: TensorProto[]): Promise<string[]> => {
    const inner = join(folder, name);
    mkdirSync(inner);
    const file = writeTableModel(inner, nodes, stored);
    const copy = join(inner, "c.onnx");
    await run(file, copy, { bits: 8, format: "nbits" });
    assert.ok(distance(await answer(copy), await answer(file)) < 0.02);
    return readModel(bytesOf(copy), copy).graph.node.map(one => one.opType);
  };
  assert.deepEqual(await operatorsOf("twice", twice, [table, head]), [
    "GatherBlockQuantized",
    "GatherBlockQuantized",
    "Add",
    "MatMulNBits",
  ]);
  const ofTied = await operatorsOf("tied", tied, [table]);
  assert.ok(!ofTied.includes("GatherBlockQuantized") && ofTied.includes("Gather"));
});

test("a table of 2 bits whose rows do not end with a byte is packed in nbits, as are widths it has not", async t => {
  const folder = folderOf(t);
  const odd = tensor("table", "float32", [ROWS, 27], weights(ROWS * 27));
  const file = writeTableModel(folder, lookUp(), [odd, tensor("head", "float32", [27, 10], weights(270))]);
  const layers = [{ glob: "table", bits: 2, method: undefined }] as const;
  const report = await run(file, join(folder, "c.onnx"), { bits: 4, format: "nbits", layers });
  assert.deepEqual(
    report.layers.map(layer => layer.format),
    ["packed", "nbits"],
  );
});

test("a rule gives a table other bits, or keeps it", async t => {
  const folder = folderOf(t);
  const file = writeTableModel(folder, lookUp(), [table, head]);
  const bitsWith = async (bits: 4 | "keep"): Promise<number[]> => {
    const copy = join(folder, `${bits}.onnx`);
    const { layers } = await run(file, copy, { layers: [{ glob: "table", bits, method: undefined }] });
    await answer(copy);
    return layers.filter(layer => layer.op === "Gather").map(layer => layer.bits);
  };
  assert.deepEqual([await bitsWith(4), await bitsWith("keep")], [[4], []]);
});

test("weights in Constant nodes are found, and their nodes are gone from the copy", async t => {
  const folder = folderOf(t);
  const constant = node("Constant", [], "head", [tensorOf("value", head)]);
  const file = writeTableModel(folder, [constant, ...lookUp()], [table]);
  const copy = join(folder, "c.onnx");
  const { layers } = await run(file, copy, { bits: 8 });
  assert.deepEqual(
    layers.map(layer => layer.tensor),
    ["table", "head"],
  );
  const { graph } = readModel(bytesOf(copy), copy);
  assert.ok(graph.node.every(one => !one.output.includes("head")));
  assert.ok(distance(await answer(copy), await answer(file)) < 0.01);
});

test("weights that are all listed as inputs are fixed in the copy, with a warning; single ones stay what a caller may feed", async t => {
  const folder = folderOf(t);
  const names = Array.from({ length: 8 }, (_, k) => `b${k}`);
  const adds = names.map((name, k) => node("Add", [k === 0 ? "h" : `h${k}`, name], k === 7 ? "y" : `h${k + 1}`));
  const nodes = [node("Gather", ["table", "ids"], "rows"), node("MatMul", ["rows", "head"], "h"), ...adds];
  const stored = [table, head, ...names.map(name => tensor(name, "float32", [10], weights(10)))];
  const copy = join(folder, "c.onnx");

  const all = writeTableModel(folder, nodes, stored, stored.length);
  const { layers, warnings } = await run(all, copy, { bits: 8 });
  assert.equal(layers.length, 2);
  assert.match(warnings.join(), /lists all its weights among its inputs/);
  assert.ok(distance(await answer(copy), await answer(all)) < 0.01);

  const one = writeTableModel(folder, nodes, stored, 1);
  const report = await run(one, join(folder, "one.onnx"), { bits: 8 });
  assert.deepEqual(
    report.layers.map(layer => layer.tensor),
    ["head"],
  );
  assert.equal(report.skipped.find(left => left.tensor === "table")!.reason, "overridable");
});
