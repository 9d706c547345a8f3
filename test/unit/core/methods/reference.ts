import { readFileSync } from "node:fs";
import type { Alphabets, Bits } from "../../../../src/core/grid/alphabet";
import { plainLinalg } from "../../../../src/core/linalg/plain";
import type { Matrix, Matrix64 } from "../../../../src/core/matrix";

/** What the methods' tests share: the reference's files and the plain loops. */
export const linalg = plainLinalg(() => Promise.resolve());

export function readReference(name: "golden" | "golden_walk" | "golden_network"): unknown {
  return JSON.parse(readFileSync(`test/reference/${name}.json`, "utf8"));
}

export function matrix(rows: number[][]): Matrix64 {
  return { rows: rows.length, columns: rows[0]!.length, data: Float64Array.from(rows.flat()) };
}

/** The reference's alphabets, whose steps are not rounded to float32. */
export function midriseOf(bits: Bits, radius: number[]): Alphabets {
  const levels = 2 ** bits;
  return {
    kind: "midrise",
    bits,
    levels,
    steps: Float64Array.from(radius, c => (2 * c) / (levels - 1)),
    zeroPoints: Float64Array.from(radius, () => (levels - 1) / 2),
  };
}

/** ||X(W - Q)|| / ||XW||. */
export async function layerError(X: Matrix, W: Matrix, Q: Matrix): Promise<number> {
  const difference = { ...W, data: Float64Array.from(W.data, (w, at) => w - Q.data[at]!) };
  return Math.sqrt(total(await linalg.squaredNorms(X, difference)) / total(await linalg.squaredNorms(X, W)));
}

export function total(numbers: Float64Array): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

export function column(matrix: Matrix, j: number): Matrix64 {
  const data = Float64Array.from({ length: matrix.rows }, (_, i) => matrix.data[i * matrix.columns + j]!);
  return { rows: matrix.rows, columns: 1, data };
}
