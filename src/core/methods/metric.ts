import { type Alphabets, groupStart } from "../grid/alphabet";
import type { Factor, Linalg } from "../linalg/linalg";
import { type Matrix, type Matrix64, zeros64 } from "../matrix";
import { neuronPieces } from "./neurons";

/** Mean of the diagonal: the scale by which damping is measured. */
export function meanDiagonal({ rows: n, data }: Matrix64): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += data[i * n + i]!;
  return n > 0 ? sum / n : 0;
}

/** Inputs that never move have no scale; this one keeps H = C + damping · mean · I positive. */
const LEAST_MEAN = 1e-12;

/** C + damping · mean(diag C) · I. */
export function damped(metric: Matrix64, damping: number): Matrix64 {
  const n = metric.rows;
  const data = metric.data.slice();
  const ridge = damping * Math.max(meanDiagonal(metric), LEAST_MEAN);
  for (let i = 0; i < n; i++) data[i * n + i]! += ridge;
  return { ...metric, data };
}

export interface DampedFactor {
  readonly H: Matrix64;
  readonly factor: Factor;
  readonly damping: number;
}

/** Beyond this the metric holds a NaN or is no metric: with damping 1 even a rank of 0 can be factored. */
const MOST_DAMPING = 100;

/**
 * H and its factor. Where H is too flat to be factored in double precision the damping grows tenfold until it can be.
 *
 * @param orderOf the order of the walk; chosen on H.
 */
export async function dampedFactor(
  metric: Matrix64,
  damping: number,
  orderOf: (H: Matrix64) => Promise<Int32Array>,
  linalg: Linalg,
): Promise<DampedFactor> {
  for (let tried = damping; tried <= MOST_DAMPING; tried = Math.max(10 * tried, 1e-10)) {
    const H = damped(metric, tried);
    const factor = await linalg.factor(H, await orderOf(H));
    if (factor) return { H, factor, damping: tried };
  }
  throw new Error("The metric cannot be factored however much it is damped: it is not finite.");
}

/** L_ii² of every input, in the order of the inputs. */
export function squaredDistances({ order, lower }: Factor): Float64Array {
  const squares = new Float64Array(order.length);
  order.forEach((input, place) => (squares[input] = lower.data[place * lower.columns + place]! ** 2));
  return squares;
}

/** w - q of the neurons from one to before another, [inputs, to - from]; all of them where none are named. */
export function errorsOf(
  weights: Matrix,
  levels: Uint8Array,
  alphabets: Alphabets,
  from = 0,
  to = weights.columns,
): Matrix64 {
  const { rows: n, columns: neurons } = weights;
  const e = zeros64(n, to - from);
  for (let i = 0, k = 0; i < n; i++) {
    const group = groupStart(alphabets, i, neurons);
    for (let j = from; j < to; j++, k++) {
      const value = alphabets.steps[group + j]! * (levels[i * neurons + j]! - alphabets.zeroPoints[group + j]!);
      e.data[k] = weights.data[i * neurons + j]! - value;
    }
  }
  return e;
}

/** ||X(w-q)||² / m of every neuron, [neurons], some of them at a time. */
export async function normsOnRows(
  inputs: Matrix,
  weights: Matrix,
  levels: Uint8Array,
  alphabets: Alphabets,
  linalg: Linalg,
): Promise<Float64Array> {
  const norms = new Float64Array(weights.columns);
  for (const { from, to } of neuronPieces(weights.rows, weights.columns)) {
    norms.set(await linalg.squaredNorms(inputs, errorsOf(weights, levels, alphabets, from, to)), from);
  }
  return norms.map(norm => norm / Math.max(1, inputs.rows));
}

/** ||X_i||² / m of every input. */
export function energiesOf({ rows: m, columns: n, data }: Matrix): Float64Array {
  const energy = new Float64Array(n);
  for (let at = 0; at < m * n; at++) energy[at % n]! += data[at]! ** 2 / m;
  return energy;
}

export function sum(numbers: Float64Array): number {
  return numbers.reduce((total, number) => total + number, 0);
}
