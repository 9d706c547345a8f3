import { create } from "@bufbuild/protobuf";
import { DataType, type DataTypeName } from "./dataTypes";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./onnx_pb";

/** `AttributeProto.AttributeType`. */
const INT = 2;
const TENSOR = 4;
const INTS = 7;

export function node(
  opType: string,
  input: readonly string[],
  output: string,
  attribute: readonly AttributeProto[] = [],
): NodeProto {
  return create(NodeProtoSchema, {
    opType,
    name: output,
    input: [...input],
    output: [output],
    attribute: [...attribute],
  });
}

export function intOf(name: string, value: number): AttributeProto {
  return create(AttributeProtoSchema, { name, type: INT, i: BigInt(value) });
}

export function intsOf(name: string, values: readonly number[]): AttributeProto {
  return create(AttributeProtoSchema, { name, type: INTS, ints: values.map(BigInt) });
}

export function tensorOf(name: string, value: TensorProto): AttributeProto {
  return create(AttributeProtoSchema, { name, type: TENSOR, t: value });
}

/** A tensor as a Constant node, where an initializer cannot stand or may be replaced by a caller. */
export function constantNode(stored: TensorProto): NodeProto {
  return node("Constant", [], stored.name, [tensorOf("value", stored)]);
}

/** The declaration of a value, its shape left open. */
export function valueInfo(name: string, type: DataTypeName): ValueInfoProto {
  return create(ValueInfoProtoSchema, { name, type: { tensorType: { elemType: DataType[type] } } });
}

/** A message with some fields replaced; the others, unknown ones too, are shared with the original, which stays as it was. */
export function changed<Message extends object>(message: Message, fields: Partial<Message>): Message {
  return Object.assign(Object.create(Object.getPrototypeOf(message) as object) as Message, message, fields);
}
