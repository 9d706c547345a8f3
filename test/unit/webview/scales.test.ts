import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { barShare, median, percentLength, roundUp, ticks } from "../../../webview/report/scales";

test("a scale ends at a round number at or above the largest value", () => {
  for (const [value, end] of [
    [0.142, 0.15],
    [0.3, 0.3],
    [0.100001, 0.15],
    [1, 1],
    [7, 8],
    [99, 100],
    [0, 1],
  ] as const) {
    assert.ok(Math.abs(roundUp(value) - end) < 1e-12, `${value} ends at ${roundUp(value)}`);
  }
});

test("a scale is never less than its value, nor more than twice as long", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), value => {
      const end = roundUp(value);
      assert.ok(end >= value * (1 - 1e-9) && end <= 2 * value);
    }),
  );
});

test("a bar is as long as its value's part of the scale; zero and less draw nothing", () => {
  assert.equal(barShare(5, 10, false), 0.5);
  assert.equal(barShare(12, 10, false), 1);
  assert.equal(barShare(0, 10, false), 0);
  assert.equal(barShare(-3, 10, false), 0);
  assert.equal(barShare(NaN, 10, true), 0);
});

test("a logarithmic bar loses a third for each power of ten, and keeps a hair of what is smaller", () => {
  assert.equal(barShare(10, 10, true), 1);
  assert.ok(Math.abs(barShare(1, 10, true) - 2 / 3) < 1e-12);
  assert.ok(barShare(1e-6, 10, true) > 0);
  assert.equal(percentLength(barShare(1e-6, 10, true)), "0.00%");
});

test("ticks begin at 0, end within the scale and are at most five", () => {
  assert.deepEqual(ticks(15), [0, 5, 10, 15]);
  assert.deepEqual(ticks(8), [0, 2, 4, 6, 8]);
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), value => {
      const end = roundUp(value);
      const marks = ticks(end);
      assert.ok(marks.length >= 2 && marks.length <= 6);
      assert.ok(marks.at(-1)! <= end * (1 + 1e-9));
    }),
  );
});

test("the middle of an even number of values is the mean of two", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([]), null);
});
