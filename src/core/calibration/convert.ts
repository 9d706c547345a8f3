import { halfToNumber, numberToHalf } from "../onnx/half";
import type { Tensor, TensorData, TensorType } from "./tensor";

const FLOATS: readonly TensorType[] = ["float32", "float64", "float16"];
const INTEGERS: readonly TensorType[] = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"];

/** Whether values of one type may be fed where a model wants another without changing what they mean. */
export function convertible(from: TensorType, to: TensorType): boolean {
  return (
    from === to ||
    (FLOATS.includes(from) && FLOATS.includes(to)) ||
    (INTEGERS.includes(from) && INTEGERS.includes(to))
  );
}

/** Values as plain numbers; float16 travels as bits, int64 as bigint. */
export function numbersOf({ type, data }: Pick<Tensor, "type" | "data">): ArrayLike<number> {
  if (type === "float16") return Float32Array.from(data as Uint16Array, halfToNumber);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return Float64Array.from(data as BigInt64Array, Number);
  return data;
}

/** The values in the type a model wants; `convertible` says whether they can be, `firstOutside` whether they fit. */
export function convertTo(type: TensorType, values: Pick<Tensor, "type" | "data">): TensorData {
  if (values.type === type) return values.data;
  const numbers = numbersOf(values);
  switch (type) {
    case "float32":
      return Float32Array.from(numbers);
    case "float64":
      return Float64Array.from(numbers);
    case "int8":
      return Int8Array.from(numbers);
    case "uint8":
    case "bool":
      return Uint8Array.from(numbers);
    case "int16":
      return Int16Array.from(numbers);
    case "uint16":
      return Uint16Array.from(numbers);
    case "float16":
      return Uint16Array.from(numbers, numberToHalf);
    case "int32":
      return Int32Array.from(numbers);
    case "uint32":
      return Uint32Array.from(numbers);
    case "int64":
      return BigInt64Array.from(numbers as ArrayLike<number> & Iterable<number>, BigInt);
    case "uint64":
      return BigUint64Array.from(numbers as ArrayLike<number> & Iterable<number>, BigInt);
    default:
      return type satisfies never;
  }
}

const RANGES: Partial<Record<TensorType, readonly [least: bigint, most: bigint]>> = {
  int8: [-128n, 127n],
  uint8: [0n, 255n],
  int16: [-32_768n, 32_767n],
  uint16: [0n, 65_535n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** The first of whole numbers that a type cannot hold; undefined where all fit. */
export function firstOutside(type: TensorType, values: Pick<Tensor, "type" | "data">): bigint | undefined {
  const range = RANGES[type];
  if (!range || values.type === type || !INTEGERS.includes(values.type)) return undefined;
  const [least, most] = range;
  for (const value of values.data) {
    // BigInt compares with a number as it is.
    if (value < least || value > most) return BigInt(value);
  }
  return undefined;
}
