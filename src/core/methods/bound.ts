import { type Alphabets, groupStart } from "../grid/alphabet";
import type { Factor, Linalg, Walked } from "../linalg/linalg";
import { columnOf, type Matrix, type Matrix64, zeros64 } from "../matrix";
import { errorsOf, squaredDistances, sum } from "./metric";
import { neuronPieces } from "./neurons";

// THE BOUND. With H = LᵀL, L lower triangular in walk order,
//
//   (w-q)ᵀH(w-q) = Σ_i (L_ii e_i + Σ_{j<i} L_ij e_j)² = Σ_i L_ii² (q_i - v_i)²,    v_i = w_i + (1/L_ii) Σ_{j<i} L_ij e_j.
//
// A walk that puts q_i at the value nearest to v_i, and is never sent beyond the ends of its grid, has |q_i - v_i| <= step/2:
//
//   cost <= Σ_i L_ii² step_i² / 4.                                                                       (1)
//
// So GPTQ, in whatever order. Several paths: each step offers the cheapest path its nearest value for at most the i-th term,
// and keeps the cheapest child, so the least cost rises by no more than that term, and (1) holds as well. What comes after
// (pairs, refit, descent, the cheaper of two candidates) only lowers the cost. L_ii is the distance of column i of the data to
// the span of the columns still free: while those are dependent it vanishes with the damping, and (1) is the bound of Maly & Saab,
// in which only rank(X) roundings count. Where a weight was clipped |q_i - v_i| has no bound but itself, and (1) says nothing.
//
// Plain rounding has |e_i| <= step_i / 2 and nothing else: cost <= Σ_ij |H_ij| step_i step_j / 4.           (2)
//
// THE AIM. No code of b bits a weight for Gaussian weights of variance σ², over all neurons together, has an expected cost
// below that of reverse water-filling over the eigenvalues λ of C (Cover & Thomas, section 10.3.3):
//
//   D = σ² Σ_i min(θ, λ_i),    Σ_i max(0, ½ log2(λ_i / θ)) = n b.                                           (3)
//
// It is a limit for codes of any size over typical weights, no theorem about these weights.

/** Single precision may send a walk this much farther than half a step; see `Walked.clipped`. */
const SLACK = (1 + 1e-4) ** 2;

/** (1) of every neuron; Infinity where its walk was clipped. */
export function walkBounds(factor: Factor, alphabets: Alphabets, { clipped }: Walked): Float64Array {
  const neurons = clipped.length;
  const bounds = new Float64Array(neurons);
  squaredDistances(factor).forEach((square, i) => {
    const group = groupStart(alphabets, i, neurons);
    for (let j = 0; j < neurons; j++) bounds[j]! += (SLACK * square * alphabets.steps[group + j]! ** 2) / 4;
  });
  return bounds.map((bound, j) => (clipped[j] ? Infinity : bound));
}

/** (2) of the layer; null where a weight lies beyond its grid. */
export async function roundingBound(
  H: Matrix64,
  alphabets: Alphabets,
  errors: Matrix64,
  linalg: Linalg,
): Promise<number | null> {
  const halves = halfSteps(alphabets, errors, errors.columns, 0);
  if (!halves) return null;
  return SLACK * sum(await linalg.metricNorms({ ...H, data: H.data.map(Math.abs) }, halves));
}

/**
 * (2) with |H_ij| <= Σ_r |X_ri| |X_rj| / m in its place: of every row |X_r e| <= Σ_i |X_ri| step_i / 2. No less than (2), and
 * no metric is made.
 */
export async function roundingBoundOnRows(
  inputs: Matrix,
  weights: Matrix,
  levels: Uint8Array,
  alphabets: Alphabets,
  linalg: Linalg,
): Promise<number | null> {
  const sizes = { ...inputs, data: inputs.data.map(Math.abs) };
  let total = 0;
  for (const { from, to } of neuronPieces(weights.rows, weights.columns)) {
    const errors = errorsOf(weights, levels, alphabets, from, to);
    const halves = halfSteps(alphabets, errors, weights.columns, from);
    if (!halves) return null;
    total += sum(await linalg.squaredNorms(sizes, halves));
  }
  return (SLACK * total) / Math.max(1, inputs.rows);
}

/** step / 2 of every weight, [inputs, neurons]; null where one lies beyond its grid. */
function halfSteps(alphabets: Alphabets, errors: Matrix64, neurons: number, from: number): Matrix64 | null {
  const { rows: n, columns } = errors;
  const halves = zeros64(n, columns);
  for (let i = 0; i < n; i++) {
    const group = groupStart(alphabets, i, neurons) + from;
    for (let j = 0; j < columns; j++) {
      const at = i * columns + j;
      halves.data[at] = Math.abs(alphabets.steps[group + j]!) / 2;
      if (Math.abs(errors.data[at]!) > halves.data[at] * Math.sqrt(SLACK)) return null;
    }
  }
  return halves;
}

/** The sum over the neurons; null where one of them has no bound. */
export function totalBound(bounds: Float64Array): number | null {
  const total = sum(bounds);
  return Number.isFinite(total) ? total : null;
}

/** Eigenvalues at or below this share of the largest count as zero. */
const RANK_TOLERANCE = 1e-10;

/** Rank of the inputs, from the eigenvalues of C, largest first. */
export function rankOf(eigenvalues: Float64Array): number {
  const threshold = RANK_TOLERANCE * Math.max(eigenvalues[0] ?? 0, 0);
  return eigenvalues.filter(value => value > threshold).length;
}

/**
 * (3) summed over the neurons, each with the variance of its own weights: the unit of `Fit.costs`, in C itself.
 *
 * @param eigenvalues of C, [inputs]; those below 0 are rounding noise.
 * @param levels      of the alphabet: b = log2(levels).
 */
export function informationLimit(eigenvalues: Float64Array, weights: Matrix, levels: number): number {
  const n = eigenvalues.length;
  const bits = n * Math.log2(levels);
  const logs = Array.from(eigenvalues)
    .filter(value => value > 0)
    .sort((a, b) => b - a)
    .map(value => Math.log2(value));
  // With the first k above the water: Σ ½ (log λ_i - log θ) = bits. The right k is the largest whose own λ is above θ.
  let above = 0;
  let k = 0;
  let water = Infinity;
  for (const log of logs) {
    const level = (above + log - 2 * bits) / (k + 1);
    if (log <= level) break;
    [above, k, water] = [above + log, k + 1, level];
  }
  const distortion = logs.reduce((total, log) => total + 2 ** Math.min(water, log), 0);
  let variances = 0;
  for (let j = 0; j < weights.columns; j++) {
    variances += columnOf(weights, j).reduce((total, w) => total + w * w, 0) / Math.max(weights.rows, 1);
  }
  return distortion * variances;
}
