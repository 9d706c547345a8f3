import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type Alphabets, type Bits, valuesOf } from "../../../../src/core/grid/alphabet";
import type { Matrix64 } from "../../../../src/core/matrix";
import { plainLinalg } from "../../../../src/core/linalg/plain";
import { malySaab } from "../../../../src/core/methods/malySaab";
import { msq } from "../../../../src/core/methods/msq";

interface Golden {
  W: number[][];
  X: Record<string, number[][]>;
  cases: {
    inputs: string;
    bits: Bits;
    radius: number[];
    levels: Record<string, number[][]>;
    error: Record<string, number>;
  }[];
}

const golden = JSON.parse(readFileSync("test/reference/golden.json", "utf8")) as Golden;
const linalg = plainLinalg(() => Promise.resolve());
const matrix = (rows: number[][]): Matrix64 => ({
  rows: rows.length,
  columns: rows[0]!.length,
  data: Float64Array.from(rows.flat()),
});
const W = matrix(golden.W);

/** The reference's alphabets, whose steps are not rounded to float32. */
function midriseOf(bits: Bits, radius: number[]): Alphabets {
  const levels = 2 ** bits;
  return {
    kind: "midrise",
    bits,
    levels,
    steps: Float64Array.from(radius, c => (2 * c) / (levels - 1)),
    zeroPoints: Float64Array.from(radius, () => (levels - 1) / 2),
  };
}

async function layerError(X: Matrix64, levels: Uint8Array, alphabets: Alphabets): Promise<number> {
  const Q = valuesOf(levels, W.rows, alphabets);
  const difference = { ...W, data: W.data.map((w, i) => w - Q.data[i]!) };
  const sum = (squares: Float64Array) => squares.reduce((a, b) => a + b, 0);
  return Math.sqrt(sum(await linalg.squaredNorms(X, difference)) / sum(await linalg.squaredNorms(X, W)));
}

for (const { inputs, bits, radius, levels, error } of golden.cases) {
  const X = matrix(golden.X[inputs]!);
  const alphabets = midriseOf(bits, radius);

  test(`msq gives the reference's levels: ${inputs}, ${bits} bits`, async () => {
    assert.deepEqual([...(await msq(W, X, alphabets)).levels], levels.msq!.flat());
  });

  for (const variant of ["range", "cell"] as const) {
    test(`${variant} leaves at most rank(X) coordinates inside and Xz = Xw: ${inputs}, ${bits} bits`, async () => {
      const outcome = await malySaab(W, X, alphabets, variant, linalg);
      const found = await layerError(X, outcome.levels, alphabets);
      assert.equal(outcome.rank, Math.min(X.rows, X.columns));
      assert.ok(outcome.interior! <= outcome.rank, `${outcome.interior} inside, rank ${outcome.rank}`);
      assert.ok(outcome.residual! < 1e-9, `residual ${outcome.residual}`);
      if (inputs === "few") {
        const reference = error[`maly-saab/${variant}`]!;
        assert.ok(found <= 1.3 * reference, `error ${found}, reference ${reference}`);
      } else {
        assert.deepEqual([...outcome.levels], levels.msq!.flat());
      }
    });
  }
}
