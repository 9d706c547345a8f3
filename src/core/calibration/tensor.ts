/** What a model eats and gives: a dense tensor, row-major. */
export interface Tensor {
  readonly type: TensorType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

export const TENSOR_TYPES = [
  "float32",
  "float64",
  "float16",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "bool",
] as const;
export type TensorType = (typeof TENSOR_TYPES)[number];

/** An element type of ONNX that can be fed; undefined for the others (texts, numbers of 4 bits, …). */
export function tensorTypeOf(name: string | undefined): TensorType | undefined {
  return TENSOR_TYPES.find(type => type === name);
}

/** float16 values travel as their 16 bits. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** One call of a model: a tensor for each of its inputs. */
export type Feed = ReadonlyMap<string, Tensor>;

export interface Session {
  run(feed: Feed): Promise<Map<string, Tensor>>;
  release(): Promise<void>;
}
