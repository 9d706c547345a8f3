import { create } from "@bufbuild/protobuf";
import { DataType, type DataTypeName } from "../../src/core/onnx/dataTypes";
import { type Model, readModel, writeModel } from "../../src/core/onnx/model";
import {
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../../src/core/onnx/onnx_pb";

/** What goes into a model or comes out: its type, and sides that are numbers, or names where they are free. */
export type Values = Readonly<Record<string, readonly [DataTypeName, ...(number | string)[]]>>;

/** A small model, made here. */
export function modelOf(
  inputs: Values,
  nodes: readonly NodeProto[],
  outputs: Values,
  stored: readonly TensorProto[] = [],
  opset = 17,
): Model {
  const graph = create(GraphProtoSchema, {
    name: "small",
    node: [...nodes],
    initializer: [...stored],
    input: Object.entries(inputs).map(valueOf),
    output: Object.entries(outputs).map(valueOf),
  });
  const opsetImport = [{ domain: "", version: BigInt(opset) }];
  return readModel(writeModel(create(ModelProtoSchema, { irVersion: 8n, opsetImport, graph })), "made here");
}

function valueOf([name, [type, ...dims]]: [string, Values[string]]): ValueInfoProto {
  const dim = dims.map(side => ({
    value:
      typeof side === "number"
        ? { case: "dimValue" as const, value: BigInt(side) }
        : { case: "dimParam" as const, value: side },
  }));
  return create(ValueInfoProtoSchema, { name, type: { tensorType: { elemType: DataType[type], shape: { dim } } } });
}
