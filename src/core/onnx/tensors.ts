import { create } from "@bufbuild/protobuf";
import { Failure } from "../failure";
import { bitsOf, DataType, type DataTypeName, dataTypeName } from "./dataTypes";
import { type TensorProto, TensorProtoSchema } from "./onnx_pb";

/** `TensorProto.DataLocation.EXTERNAL`: the bytes lie in a file beside the model. */
const EXTERNAL = 1;
/** ONNX allows any rank; we have met 6. Beyond this the file is damaged or hostile. */
const MAX_RANK = 16;
/** Elements of one tensor. 2^40 float weights are 4 TiB; more can only be a forged number. */
const MAX_ELEMENTS = 2 ** 40;

export function isExternal(tensor: TensorProto): boolean {
  return tensor.dataLocation === EXTERNAL;
}

/**
 * Dimensions as numbers.
 *
 * @throws {Failure} `model-invalid` for a negative dimension, a rank or a size that no tensor has.
 */
export function dimsOf(tensor: TensorProto): number[] {
  const dims = tensor.dims.map(Number);
  const elements = dims.reduce((product, dim) => product * dim, 1);
  if (dims.length > MAX_RANK)
    throw damaged(tensor, `has ${dims.length} dimensions, and ${MAX_RANK} are the most that are read`);
  if (dims.some(dim => dim < 0) || elements > MAX_ELEMENTS) {
    throw damaged(tensor, `has impossible dimensions [${dims.join(", ")}]`);
  }
  return dims;
}

export function elementCount(tensor: TensorProto): number {
  return dimsOf(tensor).reduce((product, dim) => product * dim, 1);
}

/** Bytes the elements take, wherever they are stored. */
export function storedBytes(tensor: TensorProto): number {
  const type = dataTypeName(tensor.dataType);
  if (type === undefined || type === "string")
    return tensor.stringData.reduce((sum, one) => sum + one.length, tensor.rawData.length);
  return Math.ceil((elementCount(tensor) * bitsOf(type)) / 8);
}

/**
 * Checks that a tensor holds what its dimensions promise; everything after trusts it.
 *
 * @throws {Failure} `model-invalid`, with the tensor's name and both sizes.
 */
export function checkTensor(tensor: TensorProto): void {
  const count = elementCount(tensor);
  const type = dataTypeName(tensor.dataType);
  if (type === undefined || type === "string" || isExternal(tensor)) return;
  if (tensor.rawData.length > 0) {
    const expected = Math.ceil((count * bitsOf(type)) / 8);
    if (tensor.rawData.length !== expected) {
      throw damaged(tensor, `promises ${expected} bytes and holds ${tensor.rawData.length}`);
    }
    return;
  }
  const typed = typedLength(tensor, type);
  if (typed !== undefined && typed.held !== typed.perElement * count) {
    throw damaged(tensor, `promises ${count} elements and holds ${typed.held / typed.perElement}`);
  }
}

/** Entries in the typed field of a data type; undefined for the packed types, whose entries hold several elements. */
function typedLength(tensor: TensorProto, type: DataTypeName): { held: number; perElement: number } | undefined {
  switch (type) {
    case "float32":
      return { held: tensor.floatData.length, perElement: 1 };
    case "complex64":
      return { held: tensor.floatData.length, perElement: 2 };
    case "float64":
      return { held: tensor.doubleData.length, perElement: 1 };
    case "complex128":
      return { held: tensor.doubleData.length, perElement: 2 };
    case "int64":
      return { held: tensor.int64Data.length, perElement: 1 };
    case "uint32":
    case "uint64":
      return { held: tensor.uint64Data.length, perElement: 1 };
    default:
      return bitsOf(type) < 8 ? undefined : { held: tensor.int32Data.length, perElement: 1 };
  }
}

/** The values of a float32 tensor, copied out of the message. The tensor has passed `checkTensor`. */
export function float32Values(tensor: TensorProto): Float32Array {
  if (tensor.rawData.length === 0) return Float32Array.from(tensor.floatData);
  // raw_data may start at any byte of the file; a Float32Array may not.
  return new Float32Array(tensor.rawData.slice().buffer);
}

/** The values of an int64 tensor, which is small: a shape or a list of axes. The tensor has passed `checkTensor`. */
export function int64Values(tensor: TensorProto): bigint[] {
  return tensor.rawData.length > 0 ? [...new BigInt64Array(tensor.rawData.slice().buffer)] : [...tensor.int64Data];
}

export function int64Tensor(name: string, values: readonly bigint[]): TensorProto {
  return tensor(name, "int64", [values.length], BigInt64Array.from(values));
}

/** An initializer of plain bytes; multi-byte numbers are little-endian, as ONNX wants them and every machine we run on has them. */
export function tensor(
  name: string,
  type: DataTypeName,
  dims: readonly number[],
  data: ArrayBufferView,
): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: DataType[type],
    dims: dims.map(BigInt),
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice(),
  });
}

function damaged(tensor: TensorProto, what: string): Failure {
  return new Failure(
    "model-invalid",
    `Tensor "${tensor.name}" ${what}.`,
    "The file is damaged; fetch or export the model again.",
  );
}
