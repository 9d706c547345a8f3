import { create } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Tensor } from "../../src/core/calibration/tensor";
import { node, tensorOf, valueInfo } from "../../src/core/onnx/build";
import { readModel, writeModel } from "../../src/core/onnx/model";
import { GraphProtoSchema, ModelProtoSchema, type NodeProto, type TensorProto } from "../../src/core/onnx/onnx_pb";
import { tensor } from "../../src/core/onnx/tensors";
import { seeded } from "../../src/core/random";
import { openSession } from "../../src/engine/runtime";
import { bytesOf, distance, folderOf } from "./files";
import { run } from "./run";

const ROWS = 200;
const WIDTH = 24;
const random = seeded(3);
const weights = (count: number): Float32Array => Float32Array.from({ length: count }, () => random() - 0.5);
const table = tensor("table", "float32", [ROWS, WIDTH], weights(ROWS * WIDTH));
const head = tensor("head", "float32", [WIDTH, 10], weights(WIDTH * 10));
const lookUp = (): NodeProto[] => [node("Gather", ["table", "ids"], "rows"), node("MatMul", ["rows", "head"], "y")];

function write(folder: string, nodes: NodeProto[], initializer: TensorProto[], listed = 0): string {
  const graph = create(GraphProtoSchema, {
    name: "g",
    node: nodes,
    initializer,
    input: [
      valueInfo("ids", "int64"),
      ...initializer.slice(0, listed).map(({ name }) => valueInfo(name, "float32")),
    ],
    output: [valueInfo("y", "float32")],
  });
  const file = join(folder, "m.onnx");
  writeFileSync(
    file,
    writeModel(create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ domain: "", version: 13n }], graph })),
  );
  return file;
}

async function answer(file: string): Promise<Tensor> {
  const session = await openSession(file, { weightsAlone: true, threads: 1 });
  // Of any shape, and from the end where they are negative.
  const data = BigInt64Array.from([0n, 7n, 199n, -1n, 42n, 42n]);
  const outputs = await session.run(new Map([["ids", { type: "int64", dims: [2, 3], data }]]));
  await session.release();
  return outputs.get("y")!;
}

test("a table of embeddings gets 8 bits a number and a scale a row, and only what is looked up becomes float", async t => {
  const folder = folderOf(t);
  const file = write(folder, lookUp(), [table, head]);
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

test("a rule gives a table other bits, or keeps it", async t => {
  const folder = folderOf(t);
  const file = write(folder, lookUp(), [table, head]);
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
  const file = write(folder, [constant, ...lookUp()], [table]);
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

  const all = write(folder, nodes, stored, stored.length);
  const { layers, warnings } = await run(all, copy, { bits: 8 });
  assert.equal(layers.length, 2);
  assert.match(warnings.join(), /lists all its weights among its inputs/);
  assert.ok(distance(await answer(copy), await answer(all)) < 0.01);

  const one = write(folder, nodes, stored, 1);
  const report = await run(one, join(folder, "one.onnx"), { bits: 8 });
  assert.deepEqual(
    report.layers.map(layer => layer.tensor),
    ["head"],
  );
  assert.equal(report.skipped.find(left => left.tensor === "table")!.reason, "overridable");
});
