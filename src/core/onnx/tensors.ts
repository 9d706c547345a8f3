import { clearField, create } from "@bufbuild/protobuf";
import { Failure } from "../failure";
import { type BytesElsewhere, elsewhere, putElsewhere, rawLength } from "./bytes";
import { bitsOf, DataType, type DataTypeName, dataTypeName } from "./dataTypes";
import { type TensorProto, TensorProtoSchema } from "./onnx_pb";

/** `TensorProto.DataLocation.EXTERNAL`: the bytes lie in a file beside the model. */
export const EXTERNAL = 1;
/** ONNX allows any rank; we have met 6. Beyond this the file is damaged or hostile. */
const MAX_RANK = 16;
/** Elements of one tensor. 2^40 float weights are 4 TiB; more can only be a forged number. */
const MAX_ELEMENTS = 2 ** 40;

export function isExternal(tensor: TensorProto): boolean {
  return tensor.dataLocation === EXTERNAL;
}

/** Says where the bytes of an external tensor were found; from then on it is a tensor like any other. */
export function foundOutside(tensor: TensorProto, bytes: BytesElsewhere): void {
  clearField(tensor, TensorProtoSchema.field.externalData);
  clearField(tensor, TensorProtoSchema.field.dataLocation);
  putElsewhere(tensor, bytes);
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
  if (rawLength(tensor) > 0) {
    const expected = Math.ceil((count * bitsOf(type)) / 8);
    if (rawLength(tensor) !== expected) {
      throw damaged(tensor, `promises ${expected} bytes and holds ${rawLength(tensor)}`);
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

/** Values that are gone through at once where they are only looked at. */
const VALUES_AT_ONCE = 2 ** 20;

/**
 * The bytes of `raw_data`, wherever it is, from byte 0 of a buffer of their own: in the message they may start at any byte of the
 * file, where arrays of numbers may not.
 */
export function rawBuffer(tensor: TensorProto): ArrayBuffer {
  return (elsewhere(tensor)?.read() ?? tensor.rawData.slice()).buffer as ArrayBuffer;
}

/** The values of a float32 tensor. It has passed `checkTensor`. */
export function float32Values(tensor: TensorProto): Float32Array {
  return rawLength(tensor) === 0 ? Float32Array.from(tensor.floatData) : new Float32Array(rawBuffer(tensor));
}

/** The same, some at a time where they lie in a file: a large tensor is never in memory as a whole. */
export function* float32Pieces(tensor: TensorProto): Generator<Float32Array> {
  const bytes = elsewhere(tensor);
  if (!bytes?.place) {
    yield float32Values(tensor);
    return;
  }
  const { source, offset } = bytes.place;
  for (let at = 0; at < bytes.length; at += 4 * VALUES_AT_ONCE) {
    const piece = source.read(offset + at, Math.min(4 * VALUES_AT_ONCE, bytes.length - at));
    yield new Float32Array(piece.buffer, piece.byteOffset, piece.length / 4);
  }
}

/** The bytes of a tensor, at most so many at a time; none of one whose numbers stand in a typed field that is not of floats. */
export function* piecesOfBytes(tensor: TensorProto, atOnce: number): Generator<Uint8Array> {
  const place = elsewhere(tensor)?.place;
  const bytes = place
    ? undefined
    : new Uint8Array(rawLength(tensor) > 0 ? rawBuffer(tensor) : Float32Array.from(tensor.floatData).buffer);
  const length = bytes?.length ?? rawLength(tensor);
  for (let at = 0; at < length; at += atOnce) {
    const end = Math.min(length, at + atOnce);
    yield bytes?.subarray(at, end) ?? place!.source.read(place!.offset + at, end - at);
  }
}

/** The values of an int64 tensor, which is small: a shape or a list of axes. The tensor has passed `checkTensor`. */
export function int64Values(tensor: TensorProto): bigint[] {
  return rawLength(tensor) > 0 ? [...new BigInt64Array(rawBuffer(tensor))] : [...tensor.int64Data];
}

/** In the typed field a small number takes a byte, in `raw_data` eight. */
export function int64Tensor(name: string, values: readonly bigint[]): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: DataType.int64,
    dims: [BigInt(values.length)],
    int64Data: [...values],
  });
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

/**
 * An initializer whose bytes are made when they are asked for, each time anew: its size is known without them.
 *
 * @param pieces the same in pieces, in order; undefined: they are made at once.
 */
export function tensorMade(
  name: string,
  type: DataTypeName,
  dims: readonly number[],
  make: () => ArrayBufferView,
  pieces?: () => Iterable<ArrayBufferView>,
): TensorProto {
  const made = create(TensorProtoSchema, { name, dataType: DataType[type], dims: dims.map(BigInt) });
  const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    new Uint8Array(buffer, byteOffset, byteLength);
  return putElsewhere(made, {
    length: storedBytes(made),
    read: () => bytesOf(make()),
    ...(pieces && {
      *pieces() {
        for (const piece of pieces()) yield bytesOf(piece);
      },
    }),
  });
}

function damaged(tensor: TensorProto, what: string): Failure {
  return new Failure(
    "model-invalid",
    `Tensor "${tensor.name}" ${what}.`,
    "The file is damaged; fetch or export the model again.",
  );
}
