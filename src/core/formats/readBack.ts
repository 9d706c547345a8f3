import { create } from "@bufbuild/protobuf";
import type { ReadValue } from "../graph/readValues";
import { intAttribute } from "../onnx/attributes";
import { intOf, node, valueInfo } from "../onnx/build";
import { bitsOf, DataType, type DataTypeName, dataTypeName } from "../onnx/dataTypes";
import type { Model } from "../onnx/model";
import {
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
} from "../onnx/onnx_pb";
import { dimsOf, elementCount, storedBytes } from "../onnx/tensors";
import { withFloatActivations } from "./nbits";

/** How a value is stored. */
export interface Storage {
  /** Type of a plain tensor, one of Whittle's formats, or what else makes the value. */
  readonly format: DataTypeName | "qdq" | "nbits" | "packed" | "computed" | "unknown";
  /** Of a number, without scales and zero points; null where that cannot be told. */
  readonly bits: number | null;
  /** Of all tensors it is made of, scales too, but for shapes and what other values are made of as well. */
  readonly bytes: number;
}

/**
 * @param count  numbers of the value.
 * @param common names of tensors that several values are made of.
 */
export function storageOf({ nodes, tensors }: ReadValue, count: number, common: ReadonlySet<string>): Storage {
  const isShape = ({ dataType }: TensorProto): boolean => nodes.length > 0 && dataType === DataType.int64;
  const own = tensors.filter(one => !common.has(one.name) && !isShape(one));
  const bytes = own.reduce((sum, tensor) => sum + storedBytes(tensor), 0);
  const storedAs = (name: string | undefined): TensorProto | undefined => tensors.find(one => one.name === name);
  const bitsOfType = (tensor: TensorProto | undefined): number | null => {
    const type = tensor && dataTypeName(tensor.dataType);
    return type === undefined || type === "string" ? null : bitsOf(type);
  };
  const find = (...ops: string[]): NodeProto | undefined => nodes.find(one => ops.includes(one.opType));
  const [first] = tensors;
  if (nodes.length === 0 && first)
    return { format: dataTypeName(first.dataType) ?? "unknown", bits: bitsOfType(first), bytes };
  const block = find("MatMulNBits", "GatherBlockQuantized");
  if (block) {
    const usual = block.opType === "MatMulNBits" ? 4 : (bitsOfType(storedAs(block.input[0])) ?? 4);
    return { format: "nbits", bits: intAttribute(block, "bits", usual), bytes };
  }
  const dequantize = find("DequantizeLinear");
  if (dequantize) return { format: "qdq", bits: bitsOfType(storedAs(dequantize.input[0])), bytes };
  const bits = packedBits(nodes, tensors, count);
  return bits === null ? { format: "computed", bits: null, bytes } : { format: "packed", bits, bytes };
}

/**
 * Bits of codes in standard operators: a table of what the 16 halves of a byte stand for, [16, 4 / bits], for each plane of them,
 * or a byte each.
 *
 * @see packed.ts, embedding.ts
 */
function packedBits(nodes: readonly NodeProto[], tensors: readonly TensorProto[], count: number): number | null {
  const isByte = ({ dataType }: TensorProto): boolean => dataType === DataType.uint8 || dataType === DataType.int8;
  const made = new Map(nodes.map(one => [one.output[0]!, one]));
  const stored = new Map(tensors.map(one => [one.name, one]));
  // What a Gather takes rows of is the table where that comes, all the way by first inputs, from 16 halves.
  const halvesBehind = (name: string): TensorProto | undefined => {
    let at = name;
    for (let node = made.get(at); node; node = made.get(at)) at = node.input[0] ?? "";
    return stored.get(at);
  };
  const widths = nodes.flatMap(({ opType, input }) => {
    const halves = opType === "Gather" && made.get(input[0]!)?.opType === "Concat" && halvesBehind(input[0]!);
    const dims = halves ? dimsOf(halves) : [];
    return dims.length === 2 && dims[0] === 16 ? [4 / dims[1]!] : [];
  });
  if (widths.length > 0) return widths.reduce((bits, width) => bits + width, 0);
  return tensors.some(tensor => isByte(tensor) && elementCount(tensor) === count) ? 8 : null;
}

/** What a value is read under from its own model. */
export const VALUE = "whittle_value";

/**
 * A model of its own that computes a value as float32, its axes as in a product [inputs, neurons]: onnxruntime itself says what
 * the codes of any format stand for.
 */
export function valueModel(model: Model, value: ReadValue): ModelProto {
  const { nodes, tensors, probe, turned } = value;
  const ordered = turned ? [node("Transpose", [value.name], `${VALUE}_turned`)] : [];
  const last = node("Cast", [turned ? `${VALUE}_turned` : value.name], VALUE, [intOf("to", DataType.float32)]);
  const graph = create(GraphProtoSchema, {
    name: "value",
    node: [...nodes, ...ordered, last],
    initializer: [...tensors],
    input: probe ? [valueInfo(probe.input, probeType(value))] : [],
    output: [valueInfo(VALUE, "float32")],
  });
  const irVersion = model.irVersion < 4n ? 4n : model.irVersion;
  const { opsetImport, functions } = model;
  return withFloatActivations(create(ModelProtoSchema, { irVersion, opsetImport, functions, graph }));
}

/** The type in which a probe is fed: that of the scales of a product, or of indices. */
export function probeType({ nodes, tensors, probe }: ReadValue): DataTypeName {
  if (probe?.kind === "rows") return "int64";
  const scales = tensors.find(one => one.name === nodes.at(-1)?.input[2]);
  return (scales && dataTypeName(scales.dataType)) ?? "float32";
}
