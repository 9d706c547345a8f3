import { create } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { test } from "node:test";
import { DataType } from "../../../../src/core/onnx/dataTypes";
import { elsewhere } from "../../../../src/core/onnx/bytes";
import { floatTensor, floatTensorMade, floatValues, roundedTo } from "../../../../src/core/onnx/floats";
import { bfloatToNumber, numberToBfloat } from "../../../../src/core/onnx/half";
import { TensorProtoSchema } from "../../../../src/core/onnx/onnx_pb";

test("every bfloat16 is read as the float32 of which it is the upper half, and written back as itself", () => {
  for (let bits = 0; bits < 2 ** 16; bits++) {
    const value = bfloatToNumber(bits);
    if (Number.isNaN(value)) continue;
    assert.equal(numberToBfloat(value), bits);
  }
});

test("a value between two bfloat16 goes to the nearer, and to the even one from the middle", () => {
  // Steps of bfloat16 at 1 are 1/128.
  const cases: [number, number][] = [
    [1 + 0.4 / 128, 1],
    [1 + 0.6 / 128, 1 + 1 / 128],
    [1 + 0.5 / 128, 1],
    [1 + 1.5 / 128, 1 + 2 / 128],
    [-(1 + 1.5 / 128), -(1 + 2 / 128)],
    [3.4e38, Infinity],
  ];
  for (const [value, nearest] of cases) assert.equal(bfloatToNumber(numberToBfloat(value)), nearest);
  assert.ok(Number.isNaN(bfloatToNumber(numberToBfloat(NaN))));
});

test("values that are made in pieces are the values that are made at once", () => {
  const count = 2 ** 22 + 7;
  const makes = () => (from: number, to: number) =>
    Float32Array.from({ length: to - from }, (_, k) => (from + k) % 1009);
  for (const type of ["float32", "float16"] as const) {
    const bytes = elsewhere(floatTensorMade("t", type, [count], makes))!;
    const made = [...bytes.pieces!()];
    assert.ok(made.length > 1);
    assert.ok(Buffer.concat(made).equals(bytes.read()));
    assert.equal(bytes.read().length, bytes.length);
  }
});

for (const type of ["float32", "float16", "bfloat16", "float64"] as const) {
  test(`a tensor of ${type} gives back the values it was made of, rounded to it, from raw_data and from its field`, () => {
    const values = Float32Array.from({ length: 33 }, (_, at) => Math.sin(at) * 10 ** ((at % 5) - 2));
    const stored = floatTensor("t", type, [33], values);
    const rounded = roundedTo(type, values);
    assert.deepEqual(floatValues(stored, type), rounded);
    // A second rounding changes nothing.
    assert.deepEqual(roundedTo(type, rounded), rounded);
    const buffer = stored.rawData.slice().buffer;
    const field =
      type === "float32"
        ? { floatData: [...new Float32Array(buffer)] }
        : type === "float64"
          ? { doubleData: [...new Float64Array(buffer)] }
          : { int32Data: [...new Uint16Array(buffer)] };
    const typed = create(TensorProtoSchema, { name: "t", dims: [33n], dataType: DataType[type], ...field });
    assert.deepEqual(floatValues(typed, type), rounded);
  });
}
