import { type Alphabet, alphabetOf, type Alphabets, nearestLevels, valueOf } from "../grid/alphabet";
import type { Linalg } from "../linalg/linalg";
import { columnOf, type Matrix, setColumn, zeros64 } from "../matrix";
import type { Quantized, Variant } from "./catalog";

// Maly & Saab, "A simple approach for quantizing neural networks" (arXiv 2209.03487). For every neuron w:
//
//   1. c = max |w|; the box is [-c, c]^n                                                      (`range`, the paper)
//      or, coordinate by coordinate, the two values of the alphabet around w_i                (`cell`)
//   2. while more than m coordinates of z (at first w) are strictly inside the box:
//        J = m + 1 of them;  b with X_J b = 0;  z_J += t b, the direction and t > 0 that meet a face first
//   3. q_i = the value of the alphabet nearest to z_i                                         (MSQ)
//
// Xz = Xw throughout, and at most rank(X) coordinates of z are off the faces, so at most rank(X) roundings cost anything:
// ||X(w - q)|| <= sum over those of |z_i - q_i| ||X_i||, relative to ||Xw|| of the order sqrt(m log n / n).
//
// The faces of `range` are the two outermost values, so off the data z can be as far from w as c; those of `cell` are
// the values beside w, which keeps z within a step of w wherever it is used. Both need m < n to move anything.

/** Eigenvalues of XᵀX below this share of the largest are taken as zero, as in the reference. */
const RANK_TOLERANCE = 1e-10;

/**
 * @param weights [inputs, neurons].
 * @param inputs  X, [m, inputs].
 * @see Maly & Saab 2022, arXiv 2209.03487, section 2.
 */
export async function malySaab(
  weights: Matrix,
  inputs: Matrix,
  alphabets: Alphabets,
  variant: Variant,
  linalg: Linalg,
): Promise<Quantized> {
  const { rows: n, columns: neurons } = weights;
  const [start, low, high] = [zeros64(n, neurons), zeros64(n, neurons), zeros64(n, neurons)];
  for (let j = 0; j < neurons; j++) {
    const box = boxOf(columnOf(weights, j), alphabetOf(alphabets, j), variant);
    setColumn(start, j, box.w);
    setColumn(low, j, box.low);
    setColumn(high, j, box.high);
  }
  const rowSpace = await linalg.rowSpace(inputs, RANK_TOLERANCE);
  const { moved, interior, residual } = await linalg.kernelWalk(rowSpace, start, low, high);
  return { levels: nearestLevels(moved, alphabets), rank: rowSpace.rows, interior, residual };
}

/** The weights, clipped to their alphabet, and the box they may move in. */
function boxOf(weights: Float64Array, alphabet: Alphabet, variant: Variant) {
  const ends = [valueOf(alphabet, 0), valueOf(alphabet, alphabet.levels - 1)];
  const least = Math.min(...ends);
  const largest = Math.max(...ends);
  const w = weights.map(value => Math.min(Math.max(value, least), largest));
  if (variant === "range") return { w, low: w.map(() => least), high: w.map(() => largest) };
  const below = w.map(value => lowerNeighbour(alphabet, value));
  return {
    w,
    low: below.map(level => Math.min(valueOf(alphabet, level), valueOf(alphabet, level + 1))),
    high: below.map(level => Math.max(valueOf(alphabet, level), valueOf(alphabet, level + 1))),
  };
}

/** The level k such that `value` lies between those of k and k + 1. */
function lowerNeighbour({ step, zeroPoint, levels }: Alphabet, value: number): number {
  const position = step === 0 ? 0 : value / step + zeroPoint;
  return Math.min(Math.max(Math.floor(position), 0), levels - 2);
}
