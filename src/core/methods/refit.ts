import { type Alphabets, groupCount, valuesOf } from "../grid/alphabet";
import { type GridChoice, scaled } from "../grid/shares";
import type { Linalg } from "../linalg/linalg";
import { type Matrix, type Matrix64, zeros64 } from "../matrix";
import { errorsOf } from "./metric";

/**
 * The steps that suit the levels. For the levels u = k - z of one group, q = s u, the cost is a parabola in s; with r = H(w-q)
 * its lowest point is
 *
 *   s *= 1 + <q_g, r_g> / <q_g, H_gg q_g>,
 *
 * which for one group is s = <u, Hw> / <u, Hu>. Group by group, r kept up to date.
 *
 * @param least factors at or below this are not taken: the levels then say little about the step.
 * @returns the same alphabets with new steps.
 */
export async function refitSteps(
  weights: Matrix,
  levels: Uint8Array,
  alphabets: Alphabets,
  H: Matrix64,
  choice: GridChoice,
  least: number,
  linalg: Linalg,
): Promise<Alphabets> {
  const { rows: n, columns: neurons } = weights;
  const q = valuesOf(levels, n, alphabets);
  const r = await linalg.multiply(H, errorsOf(weights, levels, alphabets));
  const factors = new Float64Array(alphabets.steps.length).fill(1);
  const groupInputs = alphabets.groupInputs ?? n;
  for (let group = 0; group < groupCount(alphabets, n); group++) {
    const [from, to] = [group * groupInputs, Math.min((group + 1) * groupInputs, n)];
    const own = { rows: to - from, columns: neurons, data: q.data.subarray(from * neurons, to * neurons) };
    const Hq = await linalg.multiply(columnsOf(H, from, to), own);
    const gains = products(q, r, from, to, choice.perTensor);
    const sizes = products(q, Hq, from, to, choice.perTensor);
    for (let j = 0; j < neurons; j++) {
      const factor = 1 + gains[j]! / sizes[j]!;
      if (factor > least && Number.isFinite(factor)) factors[group * neurons + j] = factor;
    }
    const fitted = scaled(alphabets, factors, choice);
    for (let j = 0; j < neurons; j++) {
      // The step as it is stored, not as it was found.
      const at = group * neurons + j;
      const change = alphabets.steps[at] === 0 ? 0 : fitted.steps[at]! / alphabets.steps[at]! - 1;
      if (change !== 0) for (let i = 0; i < n; i++) r.data[i * neurons + j]! -= change * Hq.data[i * neurons + j]!;
    }
  }
  return scaled(alphabets, factors, choice);
}

/** Σ a_ij b_ij over some inputs, of every neuron, or of all of them together. */
function products(a: Matrix64, b: Matrix64, from: number, to: number, perTensor?: boolean): Float64Array {
  const neurons = a.columns;
  const totals = new Float64Array(neurons);
  for (let i = from; i < to; i++) {
    for (let j = 0; j < neurons; j++)
      totals[perTensor ? 0 : j]! += a.data[i * neurons + j]! * b.data[i * neurons + j]!;
  }
  return perTensor ? totals.fill(totals[0] ?? 0) : totals;
}

function columnsOf(matrix: Matrix64, from: number, to: number): Matrix64 {
  const part = zeros64(matrix.rows, to - from);
  for (let i = 0; i < matrix.rows; i++) {
    part.data.set(matrix.data.subarray(i * matrix.columns + from, i * matrix.columns + to), i * part.columns);
  }
  return part;
}
