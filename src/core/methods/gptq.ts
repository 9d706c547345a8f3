import type { Alphabets } from "../grid/alphabet";
import type { Factor, Linalg, Walked } from "../linalg/linalg";
import type { Matrix, Matrix64 } from "../matrix";
import { totalBound, walkBounds } from "./bound";
import type { Choice, Fit, Layer } from "./layer";
import { type DampedFactor, dampedFactor, meanDiagonal, squaredDistances } from "./metric";
import { roundWithoutData } from "./msq";
import { atBestRadius } from "./radius";

// OPTQ/GPTQ (Frantar et al. 2022, arXiv 2210.17323). Weights are rounded one after the other, and each error is spread over
// the inputs still free so that the output changes least:
//
//   H = C + damping · mean(diag C) · I,      q_i = nearest(v_i),     v -= (v_i - q_i) / [H_F⁻¹]_ii · [H_F⁻¹]_i     (F: free inputs)
//
// No inverse is formed. With H = LᵀL, L lower triangular in the order of rounding, the same v is
//
//   v_i = w_i + (1/L_ii) Σ_{j<i} L_ij e_j,     e = w - q,     and the error (w-q)ᵀH(w-q) = Σ_i L_ii² (v_i - q_i)²:
//
// the walk with one path. In the order of falling energy H_ii ("act-order"), so that what costs most has the most to lean on.

export interface GptqOptions {
  /** Share of the mean diagonal of C; the paper's is 0.01. */
  readonly damping: number;
  /** Whether inputs of high energy go first; else in their own order. */
  readonly byEnergy: boolean;
}

export const PAPER: GptqOptions = { damping: 0.01, byEnergy: true };

/** Coordinates a block: no matter to the result, which has one path. */
const BLOCK = 32;

/**
 * @param weights [inputs, neurons].
 * @param factor  of the damped metric, see `gptqFactor`.
 * @returns levels [inputs, neurons], costs in the damped metric.
 */
export function gptq(weights: Matrix, factor: Factor, alphabets: Alphabets, linalg: Linalg): Promise<Walked> {
  return linalg.walk(weights, factor, alphabets, 1, BLOCK);
}

/** @param metric C, [inputs, inputs], not damped. */
export function gptqFactor(metric: Matrix64, options: GptqOptions, linalg: Linalg): Promise<DampedFactor> {
  const orderOf = (H: Matrix64): Int32Array => (options.byEnergy ? fallingDiagonal(H) : inputsOf(H));
  return dampedFactor(metric, options.damping, H => Promise.resolve(orderOf(H)), linalg);
}

export async function gptqLayer(layer: Layer, choice: Choice, options: GptqOptions, linalg: Linalg): Promise<Fit> {
  const { weights, metric } = layer;
  if (!metric || !(meanDiagonal(metric) > 0)) return roundWithoutData(weights, choice, linalg);
  const { factor, damping } = await gptqFactor(metric, options, linalg);
  let bounds: Float64Array = new Float64Array(weights.columns).fill(Infinity);
  const fit = await atBestRadius(
    weights,
    squaredDistances(factor),
    choice,
    undefined,
    linalg,
    async (columns, alphabets) => {
      const walked = await gptq(columns, factor, alphabets, linalg);
      // Per neuron the best of several radii is kept, so the least of their bounds holds; pilots are other neurons.
      const whole = columns === weights && choice.perTensor !== true;
      const own = whole ? walkBounds(factor, alphabets, walked) : null;
      if (own) bounds = bounds.map((bound, j) => Math.min(bound, own[j]!));
      return walked;
    },
  );
  return { ...fit, bound: totalBound(bounds), damping, kernel: null };
}

function inputsOf({ rows: n }: Matrix64): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i);
}

function fallingDiagonal(H: Matrix64): Int32Array {
  const energy = (i: number): number => H.data[i * H.columns + i]!;
  return Int32Array.from(Array.from(inputsOf(H)).sort((a, b) => energy(b) - energy(a) || a - b));
}
