import { type Alphabets, valuesOf } from "../grid/alphabet";
import type { Factor, Linalg } from "../linalg/linalg";
import type { Matrix, Matrix64 } from "../matrix";

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

/** w - q, [inputs, neurons]. */
export function errorsOf(weights: Matrix, levels: Uint8Array, alphabets: Alphabets): Matrix64 {
  const e = valuesOf(levels, weights.rows, alphabets);
  for (let at = 0; at < e.data.length; at++) e.data[at] = weights.data[at]! - e.data[at]!;
  return e;
}

export function sum(numbers: Float64Array): number {
  return numbers.reduce((total, number) => total + number, 0);
}
