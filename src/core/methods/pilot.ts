import type { Alphabets } from "../grid/alphabet";
import { type GridChoice, rangesOf, scaled } from "../grid/shares";
import type { Factor, Linalg } from "../linalg/linalg";
import type { Matrix, Matrix64 } from "../matrix";
import { sum } from "./metric";
import { pickAlphabets, pickColumns, pilotNeurons, sideBySide } from "./neurons";
import type { Start } from "./start";

export interface Pilot {
  readonly alphabets: Alphabets;
  readonly factor: number;
}

/**
 * One factor for all steps of the layer: up to 32 neurons walk with one path at each of the factors, and the least total cost
 * wins. The first guess clips too much at few bits: what it clips the others can no longer make up for.
 *
 * @param guesses first guesses, each tried with every factor.
 */
export async function pilotWalks(
  weights: Matrix,
  guesses: readonly Alphabets[],
  factors: readonly number[],
  choice: GridChoice,
  factor: Factor,
  block: number,
  linalg: Linalg,
): Promise<Pilot> {
  const tries = guesses.flatMap(guess =>
    factors.map(one => ({ factor: one, alphabets: scaled(guess, one, choice) })),
  );
  if (tries.length === 1) return tries[0]!;
  const some = pilotNeurons(weights.columns);
  const picked = tries.map(one => pickAlphabets(one.alphabets, weights.columns, some));
  const all = sideBySide(pickColumns(weights, some), picked);
  const { costs } = await linalg.walk(all.weights, factor, all.alphabets, 1, block);
  let best = 0;
  let least = Infinity;
  tries.forEach((_, k) => {
    const total = sum(costs.subarray(k * some.length, (k + 1) * some.length));
    if (total < least) [least, best] = [total, k];
  });
  return tries[best]!;
}

/** The same alphabets with the root mean square of their weights as the radius. */
export function rootMeanSquares(weights: Matrix, { alphabets, shares }: Start, choice: GridChoice): Alphabets {
  const ranges = rangesOf(weights, choice);
  const neurons = weights.columns;
  const squares = new Float64Array(shares.length);
  const counts = new Float64Array(shares.length);
  const groupInputs = choice.groupInputs ?? weights.rows;
  for (let i = 0; i < weights.rows; i++) {
    const group = Math.floor(i / groupInputs) * neurons;
    for (let j = 0; j < neurons; j++) {
      const at = group + (choice.perTensor ? 0 : j);
      squares[at]! += weights.data[i * neurons + j]! ** 2;
      counts[at]!++;
    }
  }
  const factors = shares.map((share, k) => {
    const at = choice.perTensor ? k - (k % neurons) : k;
    const largest = Math.max(ranges.high[k]!, -ranges.low[k]!);
    return largest > 0 ? Math.sqrt(squares[at]! / counts[at]!) / (share * largest) : 1;
  });
  return scaled(alphabets, factors, choice);
}

/** Levels of the columns k·p .. (k+1)·p - 1 of a walk side by side. */
export function levelsOfTry(levels: Uint8Array, { rows, columns }: Matrix64, tries: number, k: number): Uint8Array {
  const p = columns / tries;
  const own = new Uint8Array(rows * p);
  for (let i = 0; i < rows; i++) own.set(levels.subarray(i * columns + k * p, i * columns + (k + 1) * p), i * p);
  return own;
}
