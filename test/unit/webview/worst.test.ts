import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { worstOf } from "../../../webview/report/worst";

const places = (errors: (number | null)[]): number[] => [...worstOf(errors).places].sort((a, b) => a - b);

test("worst is an error of at least one and a half times the median layer's", () => {
  assert.deepEqual(places([1, 1, 1, 1, 1.5]), [4]);
  assert.deepEqual(places([1, 1, 1, 1, 1.49]), []);
});

test("of layers that are all alike none is the worst", () => {
  assert.deepEqual(places(new Array<number>(20).fill(0.07)), []);
  assert.deepEqual(places(new Array<number>(20).fill(0)), []);
});

test("with fewer than five layers there is no worst, and no line where it begins", () => {
  assert.deepEqual(worstOf([1, 1, 1, 9]), { places: new Set(), limit: null });
});

test("layers without an error neither count nor are marked", () => {
  assert.deepEqual(places([null, 1, 1, null, 1, 1, 9, null]), [6]);
});

test("at most one in five is marked, and what is marked lies at the line or beyond, the rest before it", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.double({ min: 0.001, max: 10, noNaN: true }), { minLength: 5 }), errors => {
      const { places, limit } = worstOf(errors);
      assert.ok(places.size <= errors.length / 5);
      errors.forEach((error, place) => assert.equal(places.has(place), error >= limit!));
    }),
  );
});
