import type { Alphabets } from "../grid/alphabet";
import { type Matrix, type Matrix64, zeros64 } from "../matrix";

/** Enough to find a number common to a layer, few enough to cost little. */
const PILOTS = 32;

/** Up to 32 neurons, evenly spaced. */
export function pilotNeurons(neurons: number): number[] {
  const count = Math.min(PILOTS, neurons);
  if (count < 2) return count === 1 ? [0] : [];
  return Array.from({ length: count }, (_, k) => Math.trunc(k * ((neurons - 1) / (count - 1))));
}

/** Bytes of doubles for the neurons that are gone through at once where not all of a layer need be in memory again. */
const PIECE_BYTES = 2 ** 26;

/** No list of arguments is longer. */
const MOST_AT_ONCE = 2 ** 16;

/** The neurons of a layer, some at a time: all at once unless it is large. */
export function* neuronPieces(inputs: number, neurons: number): Generator<{ from: number; to: number }> {
  const width = Math.min(MOST_AT_ONCE, Math.max(16, Math.floor(PIECE_BYTES / 8 / Math.max(1, inputs))));
  for (let from = 0; from < neurons; from += width) yield { from, to: Math.min(from + width, neurons) };
}

export function pickColumns(weights: Matrix, neurons: readonly number[]): Matrix64 {
  const picked = zeros64(weights.rows, neurons.length);
  for (let i = 0; i < weights.rows; i++) {
    neurons.forEach((neuron, k) => {
      picked.data[i * neurons.length + k] = weights.data[i * weights.columns + neuron]!;
    });
  }
  return picked;
}

/** @param all how many neurons the alphabets are for. */
export function pickAlphabets(alphabets: Alphabets, all: number, neurons: readonly number[]): Alphabets {
  const pick = (values: Float64Array): Float64Array => {
    const groups = { length: values.length / all };
    return Float64Array.from(Array.from(groups, (_, g) => neurons.map(neuron => values[g * all + neuron]!)).flat());
  };
  return { ...alphabets, steps: pick(alphabets.steps), zeroPoints: pick(alphabets.zeroPoints) };
}

/** The same weights once for each of the alphabets, side by side, so that one walk serves all. */
export function sideBySide(
  weights: Matrix,
  tries: readonly Alphabets[],
): { weights: Matrix64; alphabets: Alphabets } {
  const neurons = weights.columns;
  const columns = Array.from({ length: tries.length * neurons }, (_, k) => k % neurons);
  const join = (of: (one: Alphabets) => Float64Array): Float64Array => {
    const groups = of(tries[0]!).length / neurons;
    const joined = new Float64Array(groups * columns.length);
    for (let g = 0; g < groups; g++) {
      tries.forEach((one, k) => {
        joined.set(of(one).subarray(g * neurons, (g + 1) * neurons), g * columns.length + k * neurons);
      });
    }
    return joined;
  };
  const alphabets = { ...tries[0]!, steps: join(one => one.steps), zeroPoints: join(one => one.zeroPoints) };
  return { weights: pickColumns(weights, columns), alphabets };
}
