import type { Alphabets } from "../grid/alphabet";

/** What a row of the report opens to: more than a table needs, too much for the report's file. */
export interface LayerDetail {
  readonly name: string;
  readonly histogram: GridHistogram;
  /** Relative error of each neuron on the held-out rows (without any: on the fitted ones), [neurons]; null without rows. */
  readonly neuronErrors: readonly (number | null)[] | null;
}

/**
 * Where the weights lie on their grids. Every neuron has its own, so weights are counted in levels: position =
 * weight / step + zero point, and the values of the grid are the integers 0 .. levels - 1.
 */
export interface GridHistogram {
  readonly levels: number;
  /** Positions counted: from -1 to `levels`, the ends holding everything beyond. */
  readonly from: number;
  readonly to: number;
  /** Equal bins of that range. */
  readonly before: readonly number[];
  /** How many weights took each level, [levels]. */
  readonly after: readonly number[];
  /** Share of the weights beyond the outermost values, 0..1. */
  readonly clipped: number;
}

/** Bins of a histogram, as near as whole bins a level come to it: the width of a side bar, a bin every two or three pixels. */
const BINS = 120;
/** Steps are rounded to float32, so a weight at the very end of its grid may seem to lie a hair beyond. */
const HAIR = 1e-5;

/**
 * @param weights  as stored.
 * @param levels   what they became, in the same order.
 * @param alphabetAt where the step and zero point of a place stand in the alphabets.
 */
export function gridHistogram(
  weights: ArrayLike<number>,
  levels: Uint8Array,
  alphabets: Alphabets,
  alphabetAt: (place: number) => number,
): GridHistogram {
  const last = alphabets.levels - 1;
  const binsPerStep = Math.max(1, Math.round(BINS / (alphabets.levels + 1)));
  const before = new Array<number>((alphabets.levels + 1) * binsPerStep).fill(0);
  const after = new Array<number>(alphabets.levels).fill(0);
  let clipped = 0;
  for (let place = 0; place < levels.length; place++) {
    const at = alphabetAt(place);
    const step = alphabets.steps[at]!;
    // A step of 0 is a neuron of zeros: its one value is its zero point.
    const position = (step === 0 ? 0 : weights[place]! / step) + alphabets.zeroPoints[at]!;
    if (position < -HAIR || position > last + HAIR) clipped++;
    const bin = Math.floor((position + 1) * binsPerStep);
    before[Math.min(Math.max(bin, 0), before.length - 1)]!++;
    after[levels[place]!]!++;
  }
  const share = levels.length > 0 ? clipped / levels.length : 0;
  return { levels: alphabets.levels, from: -1, to: alphabets.levels, before, after, clipped: share };
}
