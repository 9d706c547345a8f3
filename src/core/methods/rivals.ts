import { type Alphabets } from "../grid/alphabet";
import type { Factor, Linalg } from "../linalg/linalg";
import { nearest } from "../linalg/rounding";
import { type Matrix, type Matrix64, zeros64 } from "../matrix";
import { type Candidate, cheaper } from "./best";
import { errorsOf, sum } from "./metric";
import { pickColumns } from "./neurons";

// Plain rounding is one more candidate of every neuron, so that "never worse than MSQ on the fitted metric" holds by
// construction. It almost never wins, so its cost ||L(w-q)||² is added up a few rows of L at a time, those with the most
// terms first, and a neuron is left as soon as it costs more than what is there already.

/** Rows of L, as a share of all: fewer would be more calls, more would be more work that is thrown away. */
const SLICES = 8;

/**
 * @param rounded  weights to round: the target, and perhaps the weights before alignment.
 * @param grids    the alphabets to round them to.
 * @param target   what the cost is measured against, [inputs, neurons].
 */
export async function orRounding(
  best: Candidate,
  rounded: Matrix,
  grids: Alphabets,
  target: Matrix,
  factor: Factor,
  perTensor: boolean,
  linalg: Linalg,
): Promise<Candidate> {
  const levels = nearest(rounded, grids);
  const errors = errorsOf(target, levels, grids);
  const costs = await costsBelow(errors, factor, best.costs, perTensor, linalg);
  return cheaper(best, { levels, alphabets: grids, costs }, perTensor);
}

/**
 * (w-q)ᵀH(w-q) of the neurons where it is below the limit, Infinity elsewhere; per tensor the sums are compared.
 */
async function costsBelow(
  errors: Matrix64,
  { order, lower }: Factor,
  limits: Float64Array,
  perTensor: boolean,
  linalg: Linalg,
): Promise<Float64Array> {
  const n = errors.rows;
  const inOrder = zeros64(n, errors.columns);
  order.forEach((input, place) => {
    const row = errors.data.subarray(input * errors.columns, (input + 1) * errors.columns);
    inOrder.data.set(row, place * errors.columns);
  });
  const costs = new Float64Array(errors.columns);
  let alive = Array.from({ length: errors.columns }, (_, j) => j);
  const height = Math.max(1, Math.ceil(n / SLICES));
  for (let end = n; end > 0 && alive.length > 0; end -= height) {
    const first = Math.max(0, end - height);
    const slice = { rows: end - first, columns: n, data: lower.data.subarray(first * n, end * n) };
    const some = await linalg.squaredNorms(slice, pickColumns(inOrder, alive));
    alive.forEach((neuron, k) => (costs[neuron]! += some[k]!));
    if (perTensor) alive = sum(costs) < sum(limits) ? alive : [];
    else alive = alive.filter(neuron => costs[neuron]! < limits[neuron]!);
  }
  if (perTensor) return alive.length > 0 ? costs : costs.fill(Infinity);
  const left = new Set(alive);
  return costs.map((cost, neuron) => (left.has(neuron) ? cost : Infinity));
}
