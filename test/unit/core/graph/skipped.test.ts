import { create } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { test } from "node:test";
import { findLayers } from "../../../../src/core/graph/layers";
import { intOf, node } from "../../../../src/core/onnx/build";
import type { Model } from "../../../../src/core/onnx/model";
import { GraphProtoSchema, ModelProtoSchema, type NodeProto } from "../../../../src/core/onnx/onnx_pb";
import { tensor } from "../../../../src/core/onnx/tensors";

/** Why the tensor `b` of 32 numbers is left by a model of these nodes. */
function reasonOf(nodes: NodeProto[], output = "y"): string | undefined {
  const graph = create(GraphProtoSchema, {
    name: "g",
    node: nodes,
    input: [{ name: "x" }],
    output: [{ name: output }],
    initializer: [
      tensor("b", "float32", [32], new Float32Array(32)),
      tensor("W", "float32", [1, 16, 8], new Float32Array(128).fill(1)),
      tensor("R", "float32", [1, 16, 4], new Float32Array(64).fill(1)),
    ],
  });
  const model = create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ domain: "", version: 13n }], graph });
  return findLayers(model as Model).skipped.find(one => one.tensor === "b")?.reason;
}

const cut = [
  node("Slice", ["b", "from", "middle"], "first"),
  node("Slice", ["b", "middle", "to"], "last"),
  node("Concat", ["last", "first"], "turned", [intOf("axis", 0)]),
  node("Unsqueeze", ["turned", "axes"], "bias"),
];
const lstm = node("LSTM", ["x", "W", "R", "bias"], "y");

test("a bias that comes to its LSTM in pieces is left as a bias", () => {
  assert.equal(reasonOf([...cut, lstm]), "bias");
});

test("pieces that something else reads, too, or that leave the model, are no bias", () => {
  assert.equal(reasonOf([...cut, lstm, node("Exp", ["first"], "z")]), "unsupported-operator");
  assert.equal(reasonOf([...cut, lstm], "first"), "unsupported-operator");
});
