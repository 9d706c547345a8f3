import { Failure } from "../failure";
import type { TensorData, TensorType } from "./tensor";

/** An array of a `.npy` file, row-major. */
export interface NpyArray {
  readonly type: TensorType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** Headers are one line of some 80 bytes; NumPy itself refuses longer ones than this. */
const MAX_HEADER_BYTES = 10_000;
/** As for tensors of a model. */
const MAX_RANK = 16;

const NEWEST_VERSION = 3;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

const TYPES: Record<string, { type: TensorType; bytes: number; view: (buffer: ArrayBuffer) => TensorData }> = {
  f2: { type: "float16", bytes: 2, view: buffer => new Uint16Array(buffer) },
  f4: { type: "float32", bytes: 4, view: buffer => new Float32Array(buffer) },
  f8: { type: "float64", bytes: 8, view: buffer => new Float64Array(buffer) },
  i1: { type: "int8", bytes: 1, view: buffer => new Int8Array(buffer) },
  i2: { type: "int16", bytes: 2, view: buffer => new Int16Array(buffer) },
  i4: { type: "int32", bytes: 4, view: buffer => new Int32Array(buffer) },
  i8: { type: "int64", bytes: 8, view: buffer => new BigInt64Array(buffer) },
  u1: { type: "uint8", bytes: 1, view: buffer => new Uint8Array(buffer) },
  u2: { type: "uint16", bytes: 2, view: buffer => new Uint16Array(buffer) },
  u4: { type: "uint32", bytes: 4, view: buffer => new Uint32Array(buffer) },
  u8: { type: "uint64", bytes: 8, view: buffer => new BigUint64Array(buffer) },
  b1: { type: "bool", bytes: 1, view: buffer => new Uint8Array(buffer) },
};

/** What the first bytes of a `.npy` file say of the rest. */
export interface NpyHeader {
  readonly type: TensorType;
  readonly dims: readonly number[];
  readonly bytesPerElement: number;
  /** Whether the first axis runs fastest. */
  readonly fortran: boolean;
  /** Where the elements begin. */
  readonly start: number;
}

/** So many bytes of a file hold its header. */
export const NPY_HEAD_BYTES = MAX_HEADER_BYTES + 12;

/**
 * Reads the header of a NumPy array file, versions 1 to 3.
 *
 * @param head       at least the first `NPY_HEAD_BYTES` of the file, or all of it.
 * @param totalBytes of the whole file: what the header promises is held against it.
 * @param file       what to call it in a failure.
 * @throws {Failure} `data-unreadable`, with the cause.
 * @see NumPy's numpy/lib/format.py.
 */
export function readNpyHeader(head: Uint8Array, totalBytes: number, file: string): NpyHeader {
  const bad = (why: string): Failure =>
    new Failure("data-unreadable", `${file} ${why}.`, "Save the array again with numpy.save.");
  if (head.length < 10 || MAGIC.some((value, i) => head[i] !== value))
    throw bad("is not a NumPy array file (.npy)");
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head[6] === 0 || head[6]! > NEWEST_VERSION)
    throw bad(`is of version ${head[6]}, and ${NEWEST_VERSION} is known`);
  const long = head[6]! >= 2;
  if (long && head.length < 12) throw bad("has a damaged header");
  const headerLength = long ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = (long ? 12 : 10) + headerLength;
  if (headerLength > MAX_HEADER_BYTES || start > head.length) throw bad("has a damaged header");

  const header = new TextDecoder().decode(head.subarray(long ? 12 : 10, start));
  const descr = /'descr':\s*'([<>|=])([a-zA-Z]\d+)'/.exec(header);
  const fortran = /'fortran_order':\s*(True|False)/.exec(header);
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header);
  if (!descr || !fortran || !shape) throw bad("holds something other than one plain array");
  const kind = TYPES[descr[2]!];
  if (!kind) throw bad(`holds elements of type ${descr[2]}, which no model takes`);
  if (descr[1] === ">" && kind.bytes > 1) throw bad("is stored big-endian");
  const dims = shape[1]!
    .split(",")
    .filter(part => part.trim() !== "")
    .map(Number);
  if (dims.length > MAX_RANK) throw bad(`has ${dims.length} dimensions`);
  if (!dims.every(Number.isSafeInteger)) throw bad(`has impossible dimensions [${dims.join(", ")}]`);
  const expected = dims.reduce((product, dim) => product * dim, kind.bytes);
  if (expected !== totalBytes - start) {
    throw bad(`promises ${expected} bytes of data for [${dims.join(", ")}] and holds ${totalBytes - start}`);
  }
  return { type: kind.type, dims, bytesPerElement: kind.bytes, fortran: fortran[1] === "True", start };
}

/** A whole NumPy array file; @see readNpyHeader. */
export function readNpy(bytes: Uint8Array, file: string): NpyArray {
  const { type, dims, fortran, start } = readNpyHeader(bytes, bytes.length, file);
  const data = elementsOf(type, bytes.subarray(start));
  return { type, dims, data: fortran ? rowMajor(data, dims) : data };
}

/** The numbers in little-endian bytes, as ONNX and NumPy store them and every machine we run on has them. */
export function elementsOf(type: TensorType, bytes: Uint8Array): TensorData {
  const kind = Object.values(TYPES).find(one => one.type === type)!;
  return kind.view(bytes.slice().buffer);
}

/** Column-major to row-major. */
function rowMajor(data: TensorData, dims: readonly number[]): TensorData {
  const out = data.slice();
  const index = dims.map(() => 0);
  // Stride of each axis in column-major order: the product of the dimensions before it.
  const strides = dims.map((_, axis) => dims.slice(0, axis).reduce((product, dim) => product * dim, 1));
  for (let at = 0; at < out.length; at++) {
    out[at] = data[index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0)]!;
    for (let axis = dims.length - 1; axis >= 0 && ++index[axis]! === dims[axis]; axis--) index[axis] = 0;
  }
  return out;
}
