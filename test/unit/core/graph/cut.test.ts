import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { addendsOf } from "../../../../src/core/graph/addends";
import { type SeenRange, seenRange } from "../../../../src/core/graph/cutOffs";
import { findLayers, type Layer } from "../../../../src/core/graph/layers";
import { cutGraph } from "../../../../src/core/graph/segments";
import type { GraphIndex } from "../../../../src/core/graph/uses";
import { node, tensorOf, valueInfo } from "../../../../src/core/onnx/build";
import { type Model, readModel, writeModel } from "../../../../src/core/onnx/model";
import { GraphProtoSchema, ModelProtoSchema, type NodeProto } from "../../../../src/core/onnx/onnx_pb";
import { tensor } from "../../../../src/core/onnx/tensors";

/** A model whose MatMuls, each named as its output, read the weight "w" and their own number. */
function modelOf(nodes: NodeProto[], output: string): { index: GraphIndex; layers: Layer[] } {
  const weights = nodes.flatMap(one => one.input.filter(name => name.startsWith("w")));
  const graph = create(GraphProtoSchema, {
    name: "g",
    node: nodes,
    initializer: [
      ...weights.map(name => tensor(name, "float32", [8, 8], new Float32Array(64).fill(1))),
      tensor("stored", "float32", [1, 1, 8], new Float32Array(8)),
      tensor("bias", "float32", [8], new Float32Array(8)),
    ],
    input: [valueInfo("x", "float32")],
    output: [valueInfo(output, "float32")],
  });
  const model: Model = readModel(
    writeModel(create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ domain: "", version: 13n }], graph })),
    "made here",
  );
  return findLayers(model);
}
const product = (input: string, output: string): NodeProto => node("MatMul", [input, `w${output}`], output);

const namesOf = (nodes: readonly NodeProto[]): string[] => nodes.map(one => one.name);

const sums: { what: string; nodes: NodeProto[]; output: string; addends: (string | null)[] }[] = [
  {
    what: "the stream around a branch",
    nodes: [product("x", "a"), node("Relu", ["a"], "r"), product("r", "b"), node("Add", ["b", "a"], "y")],
    output: "y",
    addends: [null, "a"],
  },
  {
    what: "the input of the model",
    nodes: [product("x", "a"), node("Add", ["x", "a"], "y")],
    output: "y",
    addends: ["x"],
  },
  {
    what: "what stands behind the layer in the file, and does not hang on it",
    nodes: [product("x", "a"), product("a", "b"), node("Relu", ["a"], "r"), node("Add", ["b", "r"], "y")],
    output: "y",
    addends: [null, "r"],
  },
  {
    what: "of two layers that are added, the first for the second",
    nodes: [product("x", "a"), product("x", "b"), node("Add", ["a", "b"], "y")],
    output: "y",
    addends: [null, "a"],
  },
  {
    what: "behind the bias of a MatMul, what is added after it",
    nodes: [product("x", "a"), node("Add", ["a", "bias"], "c"), node("Add", ["c", "x"], "y")],
    output: "y",
    addends: ["x"],
  },
  {
    what: "nothing where the sum is with a stored tensor",
    nodes: [product("x", "a"), node("Add", ["a", "stored"], "y")],
    output: "y",
    addends: [null],
  },
  {
    what: "nothing where somebody else reads the layer's output",
    nodes: [product("x", "a"), node("Add", ["a", "x"], "s"), node("Mul", ["s", "a"], "y")],
    output: "y",
    addends: [null],
  },
  {
    what: "nothing where both operands hang on the layer",
    nodes: [product("x", "a"), node("Add", ["a", "a"], "y")],
    output: "y",
    addends: [null],
  },
];
for (const { what, nodes, output, addends } of sums) {
  test(`what is added to a layer's output: ${what}`, () => {
    const { index, layers } = modelOf(nodes, output);
    assert.deepEqual(addendsOf(index, layers), addends);
  });
}

const stored = (name: string, value: number): NodeProto =>
  node("Constant", [], name, [tensorOf("value", tensor(name, "float32", [], Float32Array.of(value)))]);
const relu = { low: 0, high: Infinity };
const ranges: { what: string; nodes: NodeProto[]; output: string; ranges: (SeenRange | null)[] }[] = [
  { what: "behind a Relu", nodes: [product("x", "a"), node("Relu", ["a"], "y")], output: "y", ranges: [relu] },
  {
    what: "behind a bias, a sum and a Relu",
    nodes: [
      product("x", "a"),
      node("Add", ["a", "bias"], "c"),
      node("Add", ["c", "x"], "s"),
      node("Relu", ["s"], "y"),
    ],
    output: "y",
    ranges: [relu],
  },
  {
    what: "behind a Clip with stored bounds, one of which may be missing",
    nodes: [stored("six", 6), product("x", "a"), node("Clip", ["a", "", "six"], "y")],
    output: "y",
    ranges: [{ low: -Infinity, high: 6 }],
  },
  {
    what: "all of it behind a Clip whose bounds are worked out",
    nodes: [node("ReduceMax", ["x"], "most"), product("x", "a"), node("Clip", ["a", "", "most"], "y")],
    output: "y",
    ranges: [null],
  },
  {
    what: "all of it where somebody else reads it",
    nodes: [product("x", "a"), node("Relu", ["a"], "r"), node("Mul", ["r", "a"], "y")],
    output: "y",
    ranges: [null],
  },
  {
    what: "all of it where it is an output of the model",
    nodes: [product("x", "a"), node("Relu", ["a"], "r")],
    output: "a",
    ranges: [null],
  },
  {
    what: "all of it where the sum with a stored tensor stands between",
    nodes: [product("x", "a"), node("Add", ["a", "stored"], "s"), node("Relu", ["s"], "y")],
    output: "y",
    ranges: [null],
  },
  {
    what: "all of it behind what bends it",
    nodes: [product("x", "a"), node("LeakyRelu", ["a"], "y")],
    output: "y",
    ranges: [null],
  },
];
for (const { what, nodes, output, ranges: wanted } of ranges) {
  test(`what is seen of a layer's outputs: ${what}`, () => {
    const { index, layers } = modelOf(nodes, output);
    const addends = addendsOf(index, layers);
    assert.deepEqual(
      layers.map((layer, k) => seenRange(layer, addends[k]!, index)),
      wanted,
    );
  });
}

test("every node that a wanted value hangs on runs once, before it is wanted; what nobody wants does not run", () => {
  const { index } = modelOf(
    [
      product("x", "a"),
      node("Relu", ["a"], "r"),
      product("r", "b"),
      node("Sigmoid", ["x"], "late"),
      node("Mul", ["b", "late"], "m"),
      product("m", "c"),
      node("Exp", ["c"], "y"),
    ],
    "y",
  );
  const segments = cutGraph(index, [["x"], ["r", "late"], ["m"]]);
  assert.deepEqual(
    segments.map(one => namesOf(one.nodes)),
    [[], ["a", "r", "late"], ["b", "m"]],
  );
  assert.deepEqual(
    segments.map(one => one.reads),
    [[], ["x"], ["r", "late"]],
  );
  assert.deepEqual(
    segments.map(one => [...one.keeps].sort()),
    [["late", "m", "r", "x"], ["late", "m", "r"], ["m"]],
  );
  assert.deepEqual(
    segments.map(one => one.makes),
    [[], ["r", "late"], ["m"]],
  );
});
