import { type Alphabets } from "../grid/alphabet";
import type { Linalg } from "../linalg/linalg";
import { nearest } from "../linalg/rounding";
import type { Matrix } from "../matrix";
import { roundingBound, roundingBoundOnRows } from "./bound";
import type { Choice, Fit, Layer } from "./layer";
import { energiesOf, errorsOf, normsOnRows } from "./metric";
import { atBestRadius, diagonalOf, orAlike } from "./radius";
import { startWithoutData } from "./start";

// Memoryless scalar quantization: every weight to the nearest value of its alphabet, q = argmin |w - a|. The levels look at no
// data; the radius may. The baseline of every comparison, and the last step of Maly & Saab.

/** @param weights [inputs, neurons]. */
export function msq(weights: Matrix, alphabets: Alphabets): Uint8Array {
  return nearest(weights, alphabets);
}

export async function msqLayer(layer: Layer, choice: Choice, linalg: Linalg): Promise<Fit> {
  const { weights, metric, inputs } = layer;
  if (!metric)
    return inputs ? msqOnRows(weights, inputs, choice, linalg) : roundWithoutData(weights, choice, linalg);
  const fit = await atBestRadius(
    weights,
    diagonalOf(metric),
    choice,
    undefined,
    linalg,
    async (columns, alphabets) => {
      const levels = msq(columns, alphabets);
      return { levels, costs: await linalg.metricNorms(metric, errorsOf(columns, levels, alphabets)) };
    },
  );
  const bound = await roundingBound(metric, fit.alphabets, errorsOf(weights, fit.levels, fit.alphabets), linalg);
  return { ...fit, bound, damping: 0, kernel: null };
}

/** The same where C is not made: its rows say what an error costs. */
async function msqOnRows(weights: Matrix, inputs: Matrix, choice: Choice, linalg: Linalg): Promise<Fit> {
  const fit = await atBestRadius(
    weights,
    orAlike(energiesOf(inputs)),
    choice,
    undefined,
    linalg,
    async (columns, alphabets) => {
      const levels = await linalg.nearest(columns, alphabets);
      return { levels, costs: await normsOnRows(inputs, columns, levels, alphabets, linalg) };
    },
  );
  const bound = await roundingBoundOnRows(inputs, weights, fit.levels, fit.alphabets, linalg);
  return { ...fit, bound, damping: 0, kernel: null };
}

/** What every method comes to where no data was seen. */
export async function roundWithoutData(weights: Matrix, choice: Choice, linalg: Linalg): Promise<Fit> {
  const alphabets = await startWithoutData(weights, choice, linalg);
  const levels = msq(weights, alphabets);
  return { levels, alphabets, costs: null, bound: null, damping: 0, pilot: null, kernel: null };
}
