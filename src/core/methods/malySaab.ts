import { type Alphabets, groupStart } from "../grid/alphabet";
import type { Linalg } from "../linalg/linalg";
import { nearest } from "../linalg/rounding";
import { type Matrix, zeros64 } from "../matrix";
import type { Choice, Fit, Layer } from "./layer";
import { energiesOf, errorsOf, sum } from "./metric";
import { roundWithoutData } from "./msq";
import { atBestRadius } from "./radius";

// Maly & Saab, "A simple approach for quantizing neural networks" (arXiv 2209.03487). For every neuron w:
//
//   1. c = max |w|; the box is [-c, c]^n                                                      (`range`, the paper)
//      or, coordinate by coordinate, the two values of the alphabet around w_i                (`cell`)
//   2. while more than m coordinates of z (at first w) are strictly inside the box:
//        J = m + 1 of them;  b with X_J b = 0;  z_J += t b, the direction and t > 0 that meet a face first
//   3. q_i = the value of the alphabet nearest to z_i                                         (MSQ)
//
// Xz = Xw throughout, and at most rank(X) coordinates of z are off the faces, so at most rank(X) roundings cost anything:
//
//   ||X(w - q)|| <= Σ over those of |z_i - q_i| ||X_i|| <= Σ over them of step_i / 2 · ||X_i||,                       (1)
//
// relative to ||Xw|| of the order sqrt(m log n / n). Where a weight was clipped into the box, (1) says nothing.
//
// The faces of `range` are the two outermost values, so off the data z can be as far from w as c; those of `cell` are
// the values beside w, which keeps z within a step of w wherever it is used. Both need m < n to move anything.

export type Box = "range" | "cell";

export interface KernelRounded {
  /** [inputs, neurons]. */
  readonly levels: Uint8Array;
  /** Rank of the inputs. */
  readonly rank: number;
  /** The most coordinates of a neuron left inside its box before rounding. */
  readonly interior: number;
  /** The largest ||X(z - w)|| / ||Xw|| of a neuron. */
  readonly residual: number;
}

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
  box: Box,
  linalg: Linalg,
): Promise<KernelRounded> {
  const { start, low, high } = boxesOf(weights, alphabets, box);
  const rowSpace = await linalg.rowSpace(inputs, RANK_TOLERANCE);
  const { moved, interior, residual } = await linalg.kernelWalk(rowSpace, start, low, high);
  return { levels: nearest(moved, alphabets), rank: rowSpace.rows, interior, residual };
}

/** Every walk of a kernel is dear, so one factor for the layer has to do. */
const FACTORS = [0.8, 1, 1.25, 1.5];

/** Error, costs and bound are those on the rows given: what the kernel is taken of. */
export async function malySaabLayer(layer: Layer, choice: Choice, box: Box, linalg: Linalg): Promise<Fit> {
  const { weights, inputs } = layer;
  if (!inputs || inputs.rows === 0) return roundWithoutData(weights, choice, linalg);
  const m = inputs.rows;
  const energy = energiesOf(inputs);
  const around = { pilots: FACTORS, radii: [1] };
  let kernel = { rank: 0, interior: 0, residual: 0 };
  const fit = await atBestRadius(weights, energy, choice, around, linalg, async (columns, alphabets) => {
    const { levels, ...found } = await malySaab(columns, inputs, alphabets, box, linalg);
    kernel = found;
    const norms = await linalg.squaredNorms(inputs, errorsOf(columns, levels, alphabets));
    return { levels, costs: norms.map(norm => norm / m) };
  });
  const signal = sum(await linalg.squaredNorms(inputs, weights)) / m;
  const rounding = boundOf(weights, fit.alphabets, energy, kernel.interior);
  const bound = rounding === null ? null : (Math.sqrt(rounding) + kernel.residual * Math.sqrt(signal)) ** 2;
  return { ...fit, bound, damping: 0, kernel };
}

/** (1) squared and summed over the neurons: the `interior` largest terms are no less than any others. */
function boundOf(weights: Matrix, alphabets: Alphabets, energy: Float64Array, interior: number): number | null {
  const { rows: n, columns: neurons } = weights;
  let total = 0;
  for (let j = 0; j < neurons; j++) {
    const terms = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const step = alphabets.steps[groupStart(alphabets, i, neurons) + j]!;
      const { low, high } = ends(alphabets, i, j, neurons);
      const w = weights.data[i * neurons + j]!;
      if (Math.max(low - w, w - high) > (Math.abs(step) / 2) * 1e-6) return null;
      terms[i] = (Math.abs(step) / 2) * Math.sqrt(energy[i]!);
    }
    total += sum(terms.sort().subarray(n - interior)) ** 2;
  }
  return total;
}

/** The weights, clipped to their alphabets, and the boxes they may move in. */
function boxesOf(weights: Matrix, alphabets: Alphabets, box: Box) {
  const { rows: n, columns: neurons } = weights;
  const [start, low, high] = [zeros64(n, neurons), zeros64(n, neurons), zeros64(n, neurons)];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < neurons; j++) {
      const at = i * neurons + j;
      const range = ends(alphabets, i, j, neurons);
      const w = Math.min(Math.max(weights.data[at]!, range.low), range.high);
      const own = box === "range" ? range : cellAround(w, alphabets, i, j, neurons);
      start.data[at] = w;
      low.data[at] = own.low;
      high.data[at] = own.high;
    }
  }
  return { start, low, high };
}

interface Interval {
  readonly low: number;
  readonly high: number;
}

function ends(alphabets: Alphabets, input: number, neuron: number, neurons: number): Interval {
  return between(0, alphabets.levels - 1, alphabets, groupStart(alphabets, input, neurons) + neuron);
}

/** The two neighbouring values around w. */
function cellAround(w: number, alphabets: Alphabets, input: number, neuron: number, neurons: number): Interval {
  const at = groupStart(alphabets, input, neurons) + neuron;
  const step = alphabets.steps[at]!;
  const position = step === 0 ? 0 : w / step + alphabets.zeroPoints[at]!;
  const below = Math.min(Math.max(Math.floor(position), 0), Math.max(alphabets.levels - 2, 0));
  return between(below, Math.min(below + 1, alphabets.levels - 1), alphabets, at);
}

function between(first: number, second: number, { steps, zeroPoints }: Alphabets, at: number): Interval {
  const a = steps[at]! * (first - zeroPoints[at]!);
  const b = steps[at]! * (second - zeroPoints[at]!);
  return { low: Math.min(a, b), high: Math.max(a, b) };
}
