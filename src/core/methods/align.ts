import type { Linalg, Moments } from "../linalg/linalg";
import { type Matrix, type Matrix64, zeros64 } from "../matrix";
import { meanDiagonal } from "./metric";

// In a network whose earlier layers are quantized already a layer sees X̃ where the float network had X. What matters is not
// X̃W but the float response Y = XW: the weights that come nearest to it from X̃, held near the old ones by a ridge, are
//
//   w̃ = argmin ||X̃w̃ - Y||² / m + aμ ||w̃ - w||² = (C + aμI)⁻¹ (T + aμw),    C = X̃cᵀX̃c / m,  T = X̃cᵀYc / m,
//
// μ the mean of the diagonal of C. Where the layer has a bias all is centred, and the bias takes the mean exactly:
// b = mean(Y) - mean(X̃)·q. Aiming at XW is worth 1 to 10 dB of a network's output; no solver is worth as much.
//
// a = 3n/m within [0.1, 10]: with rows in plenty the data knows best, with few the old weights do.

export interface Alignment {
  /** w̃, [inputs, neurons]: what a method should quantize. */
  readonly target: Matrix;
  /** mean(X̃), [inputs]; 0 where nothing was centred. */
  readonly inputMeans: Float64Array;
  /** mean(Y), [neurons]; 0 where nothing was centred. */
  readonly targetMeans: Float64Array;
  /** The ridge a. */
  readonly ridge: number;
}

/** a = 3n/m within [0.1, 10]. */
export function usualRidge(n: number, m: number): number {
  return Math.min(10, Math.max(0.1, (3 * n) / m));
}

/** Inputs that never move say nothing: the weights stay. */
export const LEAST_SCALE = 1e-12;

/**
 * @param moments  of the inputs X̃ and the targets Y, rows drawn evenly. Y may hold the bias and a residual.
 * @param weights  W, [inputs, neurons].
 * @param centred  whether the layer has a bias that can take the mean.
 * @param ridge    a; undefined: 3n/m within [0.1, 10].
 * @returns also C, [inputs, inputs], the metric of what is left.
 */
export async function align(
  moments: Moments,
  weights: Matrix,
  centred: boolean,
  linalg: Linalg,
  ridge?: number,
): Promise<Alignment & { readonly metric: Matrix64 }> {
  const { rows: n, columns: neurons } = weights;
  const m = Math.max(moments.rows, 1);
  const means = (sums: Float64Array): Float64Array => sums.map(total => (centred ? total / m : 0));
  const inputMeans = means(moments.inputSums);
  const targetMeans = means(moments.targetSums);
  const metric = centredMean(moments.gram, m, inputMeans, inputMeans);
  // Rounding can leave the variance of a constant input below 0.
  for (let i = 0; i < n; i++) metric.data[i * n + i] = Math.max(metric.data[i * n + i]!, 0);
  const a = ridge ?? usualRidge(n, m);
  const pull = a * Math.max(meanDiagonal(metric), LEAST_SCALE);

  const left = { ...metric, data: metric.data.slice() };
  for (let i = 0; i < n; i++) left.data[i * n + i]! += pull;
  const right = centredMean(moments.cross, m, inputMeans, targetMeans);
  for (let at = 0; at < n * neurons; at++) right.data[at]! += pull * weights.data[at]!;
  // The ridge keeps C + aμI far from singular, unless somebody asks for almost none: then the weights stay as they are.
  const target = (await linalg.solve(left, right)) ?? { ...right, data: Float64Array.from(weights.data) };
  return { target, metric, inputMeans, targetMeans, ridge: a };
}

/**
 * The bias with which the quantized layer gives the mean of the targets exactly: mean(Y) - mean(X̃)·q, [neurons].
 *
 * @param values q of some neurons, [inputs, neurons].
 * @param from   the first of them.
 */
export function alignedBias({ inputMeans, targetMeans }: Alignment, values: Matrix, from = 0): Float64Array {
  const bias = targetMeans.slice(from, from + values.columns);
  for (let i = 0; i < values.rows; i++) {
    for (let j = 0; j < values.columns; j++) bias[j]! -= inputMeans[i]! * values.data[i * values.columns + j]!;
  }
  return bias;
}

/** sums / m - left rightᵀ. */
function centredMean(sums: Matrix64, m: number, left: Float64Array, right: Float64Array): Matrix64 {
  const result = zeros64(sums.rows, sums.columns);
  for (let i = 0; i < sums.rows; i++) {
    for (let j = 0; j < sums.columns; j++) {
      const at = i * sums.columns + j;
      result.data[at] = sums.data[at]! / m - left[i]! * right[j]!;
    }
  }
  return result;
}
