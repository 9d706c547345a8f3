import type { Alphabets } from "../grid/alphabet";
import type { GridChoice } from "../grid/shares";
import type { Matrix, Matrix64 } from "../matrix";

/** A layer as a method sees it: numbers, and nothing of files, models or time. */
export interface Layer {
  /** What the levels should stand for, [inputs, neurons]: the weights w, or the aligned ones (align.ts). */
  readonly weights: Matrix;
  /**
   * C, [inputs, inputs]: the error of a neuron is (w-q)ᵀC(w-q). XᵀX / m or the covariance of the inputs, not damped.
   * null: no data was seen, or C was not made; every method that wants it then rounds.
   */
  readonly metric: Matrix64 | null;
  /**
   * Rows of inputs X, [m, inputs]: `range` and `cell` walk in their kernel, the layer-alone walk finds its damping on them, and
   * where C was not made rounding finds its radius by ||X(w-q)||² / m.
   */
  readonly inputs?: Matrix | undefined;
  /**
   * X̃ᵀX / m, [inputs, inputs], X̃ being the inputs the quantized network gives and X those of the float network, on the same
   * rows: `gpfq` then follows both paths.
   */
  readonly cross?: Matrix64 | undefined;
  /** The weights before alignment: their plain rounding is one more candidate of the walk. */
  readonly unaligned?: Matrix | undefined;
}

/**
 * - `max`: the largest weight; nothing is clipped.
 * - `mse`: the least squared rounding error on the weights.
 * - `data`: the least error of the layer; without data the same as `mse`.
 */
export const RADIUS_CHOICES = ["data", "mse", "max"] as const;
export type RadiusChoice = (typeof RADIUS_CHOICES)[number];

export interface Choice extends GridChoice {
  readonly radius: RadiusChoice;
  /** Alphabets to use as they are: nothing about them is chosen any more (several layers that share theirs). */
  readonly given?: Alphabets | undefined;
}

/** Whether steps may be changed to suit the data. */
export function searches({ radius, given }: Choice): boolean {
  return radius === "data" && given === undefined;
}

/** What a method makes of a layer. */
export interface Fit {
  /** [inputs, neurons]. */
  readonly levels: Uint8Array;
  readonly alphabets: Alphabets;
  /**
   * (w-q)ᵀH(w-q) of every neuron, H = C + damping · mean(diag C) · I: what the method made small; never less than the error in C.
   * null without data.
   */
  readonly costs: Float64Array | null;
  /** Proved bound of the sum of the costs; null where a weight was clipped, or the method has none. See bound.ts. */
  readonly bound: number | null;
  /** Share of the mean diagonal of C that was added to it; more than was asked for where C was too flat to be factored. */
  readonly damping: number;
  /** Factor by which pilot walks stretched the first guess of the steps; null where none walked. */
  readonly pilot: number | null;
  /** `range` and `cell`: rank of the inputs, most coordinates left inside the box, largest ||X(z - w)|| / ||Xw||. */
  readonly kernel: { readonly rank: number; readonly interior: number; readonly residual: number } | null;
}
