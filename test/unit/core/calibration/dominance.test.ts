import assert from "node:assert/strict";
import { test } from "node:test";
import { dominatedInputs } from "../../../../src/core/calibration/dominance";

const SAMPLES = 20;
const ROWS = 3;

/** Every sample has three rows; `value` gives input i in sample s. */
function count(inputs: number, value: (sample: number, input: number) => number): number {
  const rows = SAMPLES * ROWS;
  const data = Float64Array.from({ length: rows * inputs }, (_, at) =>
    value(Math.floor(at / inputs / ROWS), at % inputs),
  );
  return dominatedInputs(
    { rows, columns: inputs, data },
    Int32Array.from({ length: rows }, (_, row) => Math.floor(row / ROWS)),
  );
}

test("an input that speaks in one sample alone is counted", () => {
  assert.equal(
    count(4, (sample, input) => (input === 2 ? (sample === 7 ? 5 : 0.1) : 1)),
    1,
  );
});

test("inputs that all samples share, dead ones and very quiet ones are not", () => {
  assert.equal(
    count(4, () => 1),
    0,
  );
  assert.equal(
    count(4, (_, input) => (input === 0 ? 0 : 1)),
    0,
  );
  assert.equal(
    count(4, (sample, input) => (input === 0 ? (sample === 3 ? 0.1 : 0) : 1)),
    0,
  );
});
