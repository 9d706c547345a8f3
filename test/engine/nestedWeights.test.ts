import { create, toBinary } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { constantNode, node, valueInfo } from "../../src/core/onnx/build";
import { floatTensor } from "../../src/core/onnx/floats";
import { allTensors, writeModel } from "../../src/core/onnx/model";
import {
  type AttributeProto,
  AttributeProtoSchema,
  FunctionProtoSchema,
  GraphProtoSchema,
  type NodeProto,
  type TensorProto,
  TensorProtoSchema,
} from "../../src/core/onnx/onnx_pb";
import { bytesOf, distance, folderOf } from "./files";
import { run } from "./run";
import { answer, INPUTS, inputOf, modelIn, normal, write } from "./smallModels";

// Weights in bodies of control flow and in functions. Each copy is compared with its dequantized weights put back as floats (1e-4)
// before it is kept.

/** `AttributeProto.AttributeType.GRAPH`. */
const GRAPH = 5;
const body = (name: string, node: NodeProto[], initializer: TensorProto[], output: string): AttributeProto => {
  const g = create(GraphProtoSchema, { name, node, initializer, output: [valueInfo(output, "float32")] });
  return create(AttributeProtoSchema, { name, type: GRAPH, g });
};
const square = (name: string): TensorProto =>
  floatTensor(name, "float32", [INPUTS, INPUTS], normal(INPUTS * INPUTS));
const condition = [
  node("ReduceSum", ["x"], "sum"),
  node("Less", ["sum", "limit"], "isLess"),
  node("Squeeze", ["isLess"], "choice"),
];
const limit = (value: number): TensorProto => floatTensor("limit", "float32", [1, 1], Float32Array.of(value));
const choose = (...branches: AttributeProto[]): NodeProto => node("If", ["choice"], "y", branches);

for (const taken of ["then", "else"] as const) {
  test(`weights of one name in both branches of an If, the ${taken} branch taken, keep to their branch`, async t => {
    const folder = folderOf(t);
    const branches = [
      body("then_branch", [node("MatMul", ["x", "w"], "a")], [square("w")], "a"),
      // In the other branch a Constant node holds it.
      body("else_branch", [constantNode(square("w")), node("MatMul", ["x", "w"], "a")], [], "a"),
    ];
    const tensors = [limit(taken === "then" ? 1e9 : -1e9)];
    const file = write(folder, [...condition, choose(...branches)], tensors, "float32");
    for (const bits of [8, 4, 3] as const) {
      const copy = join(folder, `${bits}.onnx`);
      const report = await run(file, copy, { bits, method: "maly-saab", synthetic: true, samples: 40 });
      assert.deepEqual(
        report.layers.map(({ tensor, method }) => [tensor, method]),
        [
          ["w", "msq"],
          ["w", "msq"],
        ],
      );
      assert.match(report.warnings.join(), /inside If, Loop, Scan or a function/);
      assert.notEqual(report.runtime, null);
      if (bits !== 8) continue;
      // Tables of values take more than so small weights at fewer bits.
      assert.ok(bytesOf(copy).length < bytesOf(file).length);
      assert.ok(distance(await answer(copy, inputOf("float32")), await answer(file, inputOf("float32"))) < 0.01);
    }
  });
}

test("a nested weight that is left out, and one that something else uses, stay to the byte", async t => {
  const folder = folderOf(t);
  const branches = [
    body("then_branch", [node("MatMul", ["x", "w1"], "a")], [square("w1")], "a"),
    body(
      "else_branch",
      [node("MatMul", ["x", "w2"], "b"), node("Add", ["b", "v"], "c"), node("MatMul", ["c", "v"], "d")],
      [square("w2"), square("v")],
      "d",
    ),
  ];
  const file = write(folder, [...condition, choose(...branches)], [limit(1e9)], "float32");
  const copy = join(folder, "c.onnx");
  const { layers, skipped } = await run(file, copy, {
    bits: 8,
    layers: [{ glob: "w1", bits: "keep", method: undefined }],
  });
  assert.deepEqual(
    layers.map(layer => layer.tensor),
    ["w2"],
  );
  assert.deepEqual(
    skipped.filter(one => one.bytes > 4).map(({ tensor, reason }) => [tensor, reason]),
    [
      ["v", "shared"],
      ["w1", "excluded"],
    ],
  );
  const bytes = (of: string, name: string): Uint8Array =>
    toBinary(
      TensorProtoSchema,
      allTensors(modelIn(of)).find(one => one.name === name)!,
    );
  for (const name of ["w1", "v"]) assert.deepEqual(bytes(copy, name), bytes(file, name));
  assert.equal(
    allTensors(modelIn(copy)).find(one => one.name === "w2"),
    undefined,
  );
});

test("a weight of the model that only a nested graph reads is stored once, outside", async t => {
  const folder = folderOf(t);
  const branches = [
    body("then_branch", [node("MatMul", ["x", "outer"], "a")], [], "a"),
    body("else_branch", [node("Transpose", ["outer"], "turned"), node("MatMul", ["x", "turned"], "a2")], [], "a2"),
  ];
  const file = write(folder, [...condition, choose(...branches)], [limit(1e9), square("outer")], "float32");
  const copy = join(folder, "c.onnx");
  const { layers, runtime } = await run(file, copy, { bits: 8 });
  assert.deepEqual(
    layers.map(layer => layer.tensor),
    ["outer"],
  );
  assert.notEqual(runtime, null);
  assert.ok(distance(await answer(copy, inputOf("float32")), await answer(file, inputOf("float32"))) < 0.01);
});

test("weights that a function holds, and weights that it is given, are quantized where they are stored", async t => {
  const folder = folderOf(t);
  const file = write(
    folder,
    [
      { ...node("Block", ["x", "given"], "h"), domain: "local" },
      { ...node("Block", ["h", "given"], "y"), domain: "local" },
    ],
    [square("given")],
    "float32",
  );
  const model = modelIn(file);
  model.opsetImport.push({ $typeName: "onnx.OperatorSetIdProto", domain: "local", version: 1n });
  model.functions.push(
    create(FunctionProtoSchema, {
      name: "Block",
      domain: "local",
      input: ["in", "weight"],
      output: ["out"],
      opsetImport: [{ domain: "", version: 13n }],
      node: [
        constantNode(square("held")),
        node("MatMul", ["in", "held"], "first"),
        node("Tanh", ["first"], "bent"),
        node("MatMul", ["bent", "weight"], "out"),
      ],
    }),
  );
  writeFileSync(file, writeModel(model));
  for (const bits of [8, 2] as const) {
    const copy = join(folder, `${bits}.onnx`);
    const { layers, runtime } = await run(file, copy, { bits });
    assert.deepEqual(
      layers.map(layer => layer.tensor),
      ["given", "held"],
    );
    assert.notEqual(runtime, null);
    if (bits === 8)
      assert.ok(distance(await answer(copy, inputOf("float32")), await answer(file, inputOf("float32"))) < 0.01);
  }
});
