import { create } from "@bufbuild/protobuf";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Tensor } from "../../src/core/calibration/tensor";
import { node, valueInfo } from "../../src/core/onnx/build";
import { writeModel } from "../../src/core/onnx/model";
import { GraphProtoSchema, ModelProtoSchema, type NodeProto, type TensorProto } from "../../src/core/onnx/onnx_pb";
import { tensor } from "../../src/core/onnx/tensors";
import { seeded } from "../../src/core/random";

// A table of embeddings and the product behind it: y = table[ids] head.

export const ROWS = 200;
export const WIDTH = 24;
const random = seeded(3);
export const weights = (count: number): Float32Array => Float32Array.from({ length: count }, () => random() - 0.5);
export const table = tensor("table", "float32", [ROWS, WIDTH], weights(ROWS * WIDTH));
export const head = tensor("head", "float32", [WIDTH, 10], weights(WIDTH * 10));
export const lookUp = (): NodeProto[] => [
  node("Gather", ["table", "ids"], "rows"),
  node("MatMul", ["rows", "head"], "y"),
];

/** Of any shape, and from the end where they are negative. */
export const ids: Tensor = {
  type: "int64",
  dims: [2, 3],
  data: BigInt64Array.from([0n, 7n, 199n, -1n, 42n, 42n]),
};

/** @param listed so many of the tensors are inputs of the graph, too. */
export function writeTableModel(
  folder: string,
  nodes: NodeProto[],
  initializer: TensorProto[],
  listed = 0,
): string {
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
