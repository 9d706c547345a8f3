import assert from "node:assert/strict";
import { test } from "node:test";
import { convertTo, firstOutside, numbersOf } from "../../../../src/core/calibration/convert";

test("fractions survive the way to float16 and back", () => {
  const data = Float32Array.of(0, 0.5, 1.5, -2.25, 65_504, 2 ** -24);
  const half = convertTo("float16", { type: "float32", data });
  assert.deepEqual(Array.from(numbersOf({ type: "float16", data: half })), Array.from(data));
});

test("a whole number that a type cannot hold is found before it wraps", () => {
  const data = BigInt64Array.of(0n, 255n, 300n, -1n);
  assert.equal(firstOutside("uint8", { type: "int64", data }), 300n);
  assert.equal(firstOutside("int16", { type: "int64", data }), undefined);
  assert.equal(firstOutside("uint64", { type: "int32", data: Int32Array.of(5, -5) }), -5n);
});
