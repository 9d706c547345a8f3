import type { DataTypeName } from "./dataTypes";
import { bfloatToNumber, halfToNumber, numberToBfloat, numberToHalf } from "./half";
import type { TensorProto } from "./onnx_pb";
import { float32Values, tensor } from "./tensors";

/** The types of numbers that weights are stored and computed in. */
export type FloatType = "float32" | "float16" | "bfloat16" | "float64";

export function isFloatType(type: DataTypeName | undefined): type is FloatType {
  return type === "float32" || type === "float16" || type === "bfloat16" || type === "float64";
}

/** The largest number of a type, or of float32, which everything is worked out in. */
export function largestOf(type: FloatType): number {
  return type === "float16" ? 65504 : 3.4e38;
}

/**
 * The values of a tensor of such a type as float32, which holds all but float64 exactly. The tensor has passed `checkTensor`.
 *
 * @see onnx.proto: float16 and bfloat16 lie in `int32_data` as their 16 bits, where they are not in `raw_data`.
 */
export function floatValues(stored: TensorProto, type: FloatType): Float32Array {
  const raw = stored.rawData.length > 0;
  switch (type) {
    case "float32":
      return float32Values(stored);
    case "float64":
      return Float32Array.from(raw ? new Float64Array(stored.rawData.slice().buffer) : stored.doubleData);
    case "float16":
    case "bfloat16": {
      const bits = raw ? new Uint16Array(stored.rawData.slice().buffer) : Uint16Array.from(stored.int32Data);
      return Float32Array.from(bits, type === "float16" ? halfToNumber : bfloatToNumber);
    }
    default:
      return type satisfies never;
  }
}

/** Float32 values as the nearest of another type, ties to even, as Cast makes them. */
export function roundedTo(type: FloatType, values: Float32Array): Float32Array {
  if (type === "float16") return values.map(value => halfToNumber(numberToHalf(value)));
  return type === "bfloat16" ? values.map(value => bfloatToNumber(numberToBfloat(value))) : values;
}

/** A stored tensor of such a type, its values rounded to it. */
export function floatTensor(
  name: string,
  type: FloatType,
  dims: readonly number[],
  values: Float32Array,
): TensorProto {
  switch (type) {
    case "float32":
      return tensor(name, type, dims, values);
    case "float64":
      return tensor(name, type, dims, Float64Array.from(values));
    case "float16":
    case "bfloat16":
      return tensor(name, type, dims, Uint16Array.from(values, type === "float16" ? numberToHalf : numberToBfloat));
    default:
      return type satisfies never;
  }
}
