import type { Linalg } from "../linalg/linalg";
import { type Matrix, transposed } from "../matrix";
import { type Alignment, LEAST_SCALE, usualRidge } from "./align";

// The alignment (align.ts) where rows are far fewer than inputs: the same w̃ without a matrix of inputs × inputs. With the
// residual R = Yc - X̃cw it is w̃ = w + (C + aμI)⁻¹ X̃cᵀR / m, and (X̃cᵀX̃c / m + aμI)⁻¹ X̃cᵀ = X̃cᵀ (X̃cX̃cᵀ / m + aμI)⁻¹:
//
//   w̃ = w + X̃cᵀ K⁻¹ R / m,    K = X̃cX̃cᵀ / m + aμI, of rows × rows.

/** Inputs whose weights are moved at once: their changes are in memory in double precision. */
const INPUTS_AT_ONCE = 1024;

/**
 * @param seen    X̃, [m, inputs].
 * @param wanted  Y, [m, neurons].
 * @param weights W, [inputs, neurons].
 * @param centred whether the layer has a bias that can take the mean.
 * @returns also X̃c, [m, inputs], in place of the metric.
 */
export async function alignOnRows(
  seen: Matrix<Float32Array>,
  wanted: Matrix,
  weights: Matrix,
  centred: boolean,
  linalg: Linalg,
): Promise<Alignment & { readonly inputs: Matrix<Float32Array> }> {
  const { rows: n, columns: neurons } = weights;
  const m = seen.rows;
  const inputMeans = centred ? meansOf(seen) : new Float64Array(n);
  const targetMeans = centred ? meansOf(wanted) : new Float64Array(neurons);
  const inputs = centred ? without(inputMeans, seen) : seen;
  const turned = transposed(inputs);

  const K = await linalg.multiply(inputs, turned);
  let energy = 0;
  for (let r = 0; r < m; r++) energy += K.data[r * m + r]!;
  const ridge = usualRidge(n, m);
  const pull = ridge * Math.max(energy / (Math.max(m, 1) * n), LEAST_SCALE);
  for (let at = 0; at < m * m; at++) K.data[at]! /= m;
  for (let r = 0; r < m; r++) K.data[r * m + r]! += pull;

  const residual = await linalg.multiply(inputs, weights);
  for (let at = 0; at < m * neurons; at++) {
    residual.data[at] = (wanted.data[at]! - targetMeans[at % neurons]! - residual.data[at]!) / m;
  }
  const shares = await linalg.solve(K, residual);
  const target = { rows: n, columns: neurons, data: new Float32Array(weights.data) };
  for (let from = 0; shares && from < n; from += INPUTS_AT_ONCE) {
    const to = Math.min(from + INPUTS_AT_ONCE, n);
    const some = { rows: to - from, columns: m, data: turned.data.subarray(from * m, to * m) };
    const changes = await linalg.multiply(some, shares);
    for (let at = 0; at < changes.data.length; at++) target.data[from * neurons + at]! += changes.data[at]!;
  }
  return { target, inputMeans, targetMeans, ridge, inputs };
}

function meansOf({ rows, columns, data }: Matrix): Float64Array {
  const means = new Float64Array(columns);
  for (let at = 0; at < rows * columns; at++) means[at % columns]! += data[at]! / rows;
  return means;
}

function without(means: Float64Array, { rows, columns, data }: Matrix<Float32Array>): Matrix<Float32Array> {
  return { rows, columns, data: data.map((value, at) => value - means[at % columns]!) };
}
