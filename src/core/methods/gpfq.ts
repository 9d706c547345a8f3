import type { Alphabets } from "../grid/alphabet";
import type { Linalg } from "../linalg/linalg";
import { type Matrix, type Matrix64, zeros64 } from "../matrix";
import type { Choice, Fit, Layer } from "./layer";
import { errorsOf, meanDiagonal } from "./metric";
import { roundWithoutData } from "./msq";
import { atBestRadius, diagonalOf } from "./radius";

// GPFQ (Lybrand & Saab 2021, JMLR 22; Zhang, Zhou & Saab 2022, arXiv 2201.11113). The path of the float network's output is
// followed greedily: u_0 = 0, and for t = 1 .. n, with X_t the inputs of the float network and X̃_t those of the quantized one,
//
//   q_t = nearest(<X̃_t, u_{t-1} + w_t X_t> / ||X̃_t||²),      u_t = u_{t-1} + w_t X_t - q_t X̃_t.
//
// Written out, no row is needed, only G = X̃ᵀX̃ and K = X̃ᵀX: with M_tj = G_tj / G_tt and e = w - q
//
//   v_t = w_t + Σ_{j<t} M_tj e_j + Σ_{j<=t} (K_tj - G_tj) / G_tt · w_j,
//
// the sweep of GPTQ with M in place of L_ij / L_ii, and a shift by what the two networks' inputs have differed by so far. A
// silent input cannot carry a correction, so its weight costs nothing: it takes the nearest value.

/**
 * @param weights [inputs, neurons].
 * @param metric  G, [inputs, inputs], or any multiple of it.
 * @param cross   K, [inputs, inputs], times the same; undefined: both networks give the same inputs.
 * @returns levels, [inputs, neurons].
 */
export async function gpfq(
  weights: Matrix,
  metric: Matrix64,
  alphabets: Alphabets,
  linalg: Linalg,
  cross?: Matrix64,
): Promise<Uint8Array> {
  const n = metric.rows;
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const shifts = cross
    ? await linalg.multiply(
        overEnergy(metric, (i, j) => difference(metric, cross, i, j)),
        weights,
      )
    : undefined;
  const shares = overEnergy(metric, (i, j) => (j < i ? metric.data[i * n + j]! : 0));
  return linalg.sweep(weights, { order, shares }, alphabets, shifts);
}

export async function gpfqLayer(layer: Layer, choice: Choice, linalg: Linalg): Promise<Fit> {
  const { weights, metric, cross } = layer;
  if (!metric || !(meanDiagonal(metric) > 0)) return roundWithoutData(weights, choice, linalg);
  const fit = await atBestRadius(
    weights,
    diagonalOf(metric),
    choice,
    undefined,
    linalg,
    async (columns, alphabets) => {
      const levels = await gpfq(columns, metric, alphabets, linalg, cross);
      return { levels, costs: await linalg.metricNorms(metric, errorsOf(columns, levels, alphabets)) };
    },
  );
  return { ...fit, bound: null, damping: 0, kernel: null };
}

/** K - G on and below the diagonal, else 0. */
function difference(metric: Matrix64, cross: Matrix64, i: number, j: number): number {
  const at = i * metric.columns + j;
  return j <= i ? cross.data[at]! - metric.data[at]! : 0;
}

/** Every row over its own energy G_ii; 0 where the input is silent. */
function overEnergy(metric: Matrix64, entry: (i: number, j: number) => number): Matrix64 {
  const n = metric.rows;
  const result = zeros64(n, n);
  for (let i = 0; i < n; i++) {
    const energy = metric.data[i * n + i]!;
    if (energy > 0) for (let j = 0; j < n; j++) result.data[i * n + j] = entry(i, j) / energy;
  }
  return result;
}
