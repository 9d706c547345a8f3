import { create, toBinary } from "@bufbuild/protobuf";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { convertTo } from "../../src/core/calibration/convert";
import type { Tensor, TensorType } from "../../src/core/calibration/tensor";
import { valueInfo } from "../../src/core/onnx/build";
import { DataType, type DataTypeName } from "../../src/core/onnx/dataTypes";
import { type Model, readModel, writeModel } from "../../src/core/onnx/model";
import {
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  TensorProtoSchema,
  TypeProtoSchema,
} from "../../src/core/onnx/onnx_pb";
import { seeded } from "../../src/core/random";
import { openSession } from "../../src/engine/runtime";
import { bytesOf } from "./files";

// Small models made here: of one input x, [n, width], and one output y.

const random = seeded(11);
export const normal = (count: number): Float32Array => Float32Array.from({ length: count }, () => random() - 0.5);
export const [INPUTS, HIDDEN, OUTPUTS] = [24, 40, 12] as const;
const X = normal(5 * INPUTS);

export function write(
  folder: string,
  nodes: readonly NodeProto[],
  initializer: readonly TensorProto[],
  type: DataTypeName,
  width: number = INPUTS,
): string {
  const graph = create(GraphProtoSchema, {
    name: "g",
    node: [...nodes],
    initializer: [...initializer],
    input: [{ $typeName: "onnx.ValueInfoProto", name: "x", type: typeOf(type, width) }],
    output: [valueInfo("y", type)],
  });
  const file = join(folder, "m.onnx");
  const opsetImport = [{ domain: "", version: 13n }];
  writeFileSync(file, writeModel(create(ModelProtoSchema, { irVersion: 8n, opsetImport, graph })));
  return file;
}

/** [n, width], n free. */
function typeOf(type: DataTypeName, width: number) {
  const dims = [
    { value: { case: "dimParam", value: "n" } },
    { value: { case: "dimValue", value: BigInt(width) } },
  ] as const;
  return create(TypeProtoSchema, { tensorType: { elemType: DataType[type], shape: { dim: [...dims] } } });
}

export async function answer(file: string, input: Tensor): Promise<Tensor> {
  const session = await openSession(file, { weightsAlone: true, threads: 1 });
  const outputs = await session.run(new Map([["x", input]]));
  await session.release();
  return outputs.get("y")!;
}

export function inputOf(type: TensorType): Tensor {
  const data = convertTo(type, { type: "float32", data: X });
  return { type, dims: [5, INPUTS], data };
}

export function modelIn(file: string): Model {
  return readModel(bytesOf(file), file);
}

export function initializerBytes(file: string, name: string): Uint8Array {
  return toBinary(
    TensorProtoSchema,
    modelIn(file).graph.initializer.find(one => one.name === name)!,
  );
}
