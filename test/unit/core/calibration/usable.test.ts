import assert from "node:assert/strict";
import { test } from "node:test";
import { convertTo } from "../../../../src/core/calibration/convert";
import { isUsable } from "../../../../src/core/calibration/kept";

for (const type of ["float32", "float64", "float16"] as const) {
  test(`values of ${type} can be fitted to unless one is NaN or infinite`, () => {
    const usable = (...values: number[]): boolean =>
      isUsable({ type, data: convertTo(type, { type: "float64", data: Float64Array.from(values) }) });
    assert.ok(usable(0, -1, 65_504, 6e-8));
    for (const odd of [NaN, Infinity, -Infinity]) assert.ok(!usable(1, odd, 2));
  });
}

test("nor to values whose squares would overflow; whole numbers always can", () => {
  assert.ok(!isUsable({ type: "float32", data: Float32Array.of(1e16) }));
  assert.ok(isUsable({ type: "int64", data: BigInt64Array.of(2n ** 62n) }));
});
