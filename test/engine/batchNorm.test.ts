import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import type { Tensor } from "../../src/core/calibration/tensor";
import { foldBatchNorms } from "../../src/core/graph/batchNorm";
import { intOf, intsOf, node, valueInfo } from "../../src/core/onnx/build";
import { type Model, readModel, writeModel } from "../../src/core/onnx/model";
import {
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
} from "../../src/core/onnx/onnx_pb";
import { float32Values, tensor } from "../../src/core/onnx/tensors";
import { seeded } from "../../src/core/random";
import { openModel } from "../../src/engine/modelFile";
import { openSession } from "../../src/engine/runtime";
import { distance, folderOf } from "./files";

const random = seeded(7);
const stored = (name: string, dims: number[], from = -1, to = 1): TensorProto => {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return tensor(
    name,
    "float32",
    dims,
    Float32Array.from({ length: size }, () => from + (to - from) * random()),
  );
};
const floatOf = (name: string, f: number) => create(AttributeProtoSchema, { name, type: 1, f });
/** The four tensors of a normalization of so many channels. */
const statistics = (channels: number): TensorProto[] => [
  stored("scale", [channels]),
  stored("shift", [channels]),
  stored("mean", [channels]),
  stored("variance", [channels], 0.1, 2),
];
const norm = (input: string, output: string): NodeProto =>
  node("BatchNormalization", [input, "scale", "shift", "mean", "variance"], output, [floatOf("epsilon", 1e-3)]);

function modelOf(nodes: NodeProto[], tensors: TensorProto[], irVersion: bigint): Model {
  // Before IR 4 every stored tensor is listed among the inputs, too.
  const listed = irVersion < 4n ? tensors.map(one => valueInfo(one.name, "float32")) : [];
  const graph = create(GraphProtoSchema, {
    name: "g",
    node: nodes,
    initializer: tensors,
    input: [valueInfo("x", "float32"), ...listed],
    output: [valueInfo("y", "float32")],
  });
  const model = create(ModelProtoSchema, { irVersion, opsetImport: [{ domain: "", version: 9n }], graph });
  return readModel(writeModel(model), "made here");
}

async function run(model: Model, x: Tensor): Promise<Tensor> {
  const session = await openSession(model, { weightsAlone: true, threads: 1 });
  const outputs = await session.run(new Map([["x", x]]));
  await session.release();
  return outputs.get("y")!;
}

const cases: { what: string; x: number[]; nodes: NodeProto[]; tensors: TensorProto[] }[] = [
  {
    what: "a convolution without a bias",
    x: [2, 3, 6, 6],
    nodes: [node("Conv", ["x", "w"], "c"), norm("c", "n"), node("Relu", ["n"], "y")],
    tensors: [stored("w", [4, 3, 3, 3]), ...statistics(4)],
  },
  {
    what: "a grouped convolution with a bias, whose normalization makes the output",
    x: [2, 4, 6, 6],
    nodes: [
      node("Conv", ["x", "w", "b"], "c", [intOf("group", 2), intsOf("kernel_shape", [3, 3])]),
      norm("c", "y"),
    ],
    tensors: [stored("w", [6, 2, 3, 3]), stored("b", [6]), ...statistics(6)],
  },
  {
    what: "a Gemm with alpha, beta and its weight as [inputs, neurons]",
    x: [3, 5],
    nodes: [node("Gemm", ["x", "w", "b"], "g", [floatOf("alpha", 0.5), floatOf("beta", 2)]), norm("g", "y")],
    tensors: [stored("w", [5, 4]), stored("b", [4]), ...statistics(4)],
  },
  {
    what: "a Gemm with its weight as [neurons, inputs]",
    x: [3, 5],
    nodes: [node("Gemm", ["x", "w", "b"], "g", [intOf("transB", 1)]), norm("g", "y")],
    tensors: [stored("w", [4, 5]), stored("b", [4]), ...statistics(4)],
  },
];

for (const { what, x, nodes, tensors } of cases) {
  for (const irVersion of [3n, 8n]) {
    test(`BatchNormalization behind ${what} folds into it and the model computes the same (IR ${irVersion})`, async () => {
      const model = modelOf(nodes, tensors, irVersion);
      const before = writeModel(model);
      const { model: after, folded } = foldBatchNorms(model);
      assert.equal(folded.length, 1);
      assert.ok(!after.graph.node.some(one => one.opType === "BatchNormalization"));
      assert.equal(after.graph.initializer.length, 2, "nothing of the normalization is left behind");
      assert.deepEqual(writeModel(model), before, "the model given stays as it was");
      const input: Tensor = { type: "float32", dims: x, data: float32Values(stored("x", x)) };
      const error = distance(await run(after, input), await run(model, input));
      assert.ok(error < 1e-6, `${error}`);
    });
  }
}

test("a BatchNormalization stays where folding it would change anything else", () => {
  const conv = node("Conv", ["x", "w"], "c");
  const tensors = [stored("w", [4, 3, 3, 3]), ...statistics(4)];
  const trains = { ...norm("c", "y"), attribute: [intOf("training_mode", 1)] };
  const unfoldable: [string, NodeProto[]][] = [
    ["somebody else reads the convolution", [conv, norm("c", "n"), node("Add", ["n", "c"], "y")]],
    [
      "the weight has two users",
      [conv, norm("c", "n"), node("Conv", ["x", "w"], "d"), node("Add", ["n", "d"], "y")],
    ],
    ["its shift has two users", [conv, norm("c", "n"), node("Conv", ["n", "w2", "shift"], "y")]],
    ["it learns while it runs", [conv, trains]],
    ["it is not behind a layer", [conv, node("Relu", ["c"], "r"), norm("r", "y")]],
  ];
  for (const [why, nodes] of unfoldable) {
    const model = modelOf(nodes, [...tensors, stored("w2", [4, 4, 1, 1])], 8n);
    assert.equal(foldBatchNorms(model).model, model, why);
  }
});

test("a weight that lies in a file is folded when it is asked for, to the same bytes", t => {
  const [channels, inputs] = [20, 64];
  const nodes = [node("Gemm", ["x", "w"], "h", [intOf("transB", 1)]), norm("h", "y")];
  const model = modelOf(nodes, [stored("w", [channels, inputs]), ...statistics(channels)], 8n);
  const path = join(folderOf(t), "model.onnx");
  writeFileSync(path, writeModel(model));
  const skimmed = foldBatchNorms(openModel(path).model).model;
  const weight = skimmed.graph.initializer.find(one => one.name === "w")!;
  assert.equal(weight.rawData.length, 0);
  const wanted = foldBatchNorms(model).model;
  assert.deepEqual(writeModel(skimmed), writeModel(wanted));
  assert.deepEqual(float32Values(weight), float32Values(wanted.graph.initializer.find(one => one.name === "w")!));
});
