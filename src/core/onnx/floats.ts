import { rawLength } from "./bytes";
import type { DataTypeName } from "./dataTypes";
import { bfloatToNumber, halfToNumber, numberToBfloat, numberToHalf } from "./half";
import type { TensorProto } from "./onnx_pb";
import { float32Values, rawBuffer, tensor, tensorMade } from "./tensors";

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
  const raw = rawLength(stored) > 0;
  switch (type) {
    case "float32":
      return float32Values(stored);
    case "float64":
      return Float32Array.from(raw ? new Float64Array(rawBuffer(stored)) : stored.doubleData);
    case "float16":
    case "bfloat16": {
      const bits = raw ? new Uint16Array(rawBuffer(stored)) : Uint16Array.from(stored.int32Data);
      const toNumber = type === "float16" ? halfToNumber : bfloatToNumber;
      const values = new Float32Array(bits.length);
      for (let at = 0; at < bits.length; at++) values[at] = toNumber(bits[at]!);
      return values;
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
  return tensor(name, type, dims, storedAs(type, values));
}

/** Values that are made at once. */
const VALUES_AT_ONCE = 2 ** 22;

/**
 * The same, its values made when they are asked for.
 *
 * @param maker called anew each time; gives what makes the values from one place to before another.
 */
export function floatTensorMade(
  name: string,
  type: FloatType,
  dims: readonly number[],
  maker: () => (from: number, to: number) => Float32Array,
): TensorProto {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return tensorMade(
    name,
    type,
    dims,
    () => storedAs(type, maker()(0, count)),
    function* () {
      const make = maker();
      for (let from = 0; from < count; from += VALUES_AT_ONCE)
        yield storedAs(type, make(from, Math.min(count, from + VALUES_AT_ONCE)));
    },
  );
}

function storedAs(type: FloatType, values: Float32Array): ArrayBufferView {
  switch (type) {
    case "float32":
      return values;
    case "float64":
      return Float64Array.from(values);
    case "float16":
    case "bfloat16": {
      const bitsOf = type === "float16" ? numberToHalf : numberToBfloat;
      // Not `from` with a function: that makes a list of all values first.
      const bits = new Uint16Array(values.length);
      for (let at = 0; at < bits.length; at++) bits[at] = bitsOf(values[at]!);
      return bits;
    }
    default:
      return type satisfies never;
  }
}
