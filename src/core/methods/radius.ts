import type { Alphabets } from "../grid/alphabet";
import { scaled } from "../grid/shares";
import type { Linalg } from "../linalg/linalg";
import type { Matrix, Matrix64 } from "../matrix";
import { type Candidate, cheaper } from "./best";
import { type Choice, searches } from "./layer";
import { sum } from "./metric";
import { pickAlphabets, pickColumns, pilotNeurons, sideBySide } from "./neurons";
import { start, startWithoutData } from "./start";
import { LARGE, networkPlan } from "./walkPlan";

/** A method at given alphabets; it may be handed any columns of weights. */
export type Solve = (
  weights: Matrix,
  alphabets: Alphabets,
) => Promise<{ readonly levels: Uint8Array; readonly costs: Float64Array }>;

/**
 * Around the factor of the pilots, every neuron tries these and keeps the best: seven passes in all, as in walk.md. Large layers
 * make do with the factor.
 */
const RADII: readonly number[] = [0.72, 0.8, 0.9, 1, 1.1, 1.23, 1.38];

/**
 * A method at the radius of the rule. `data`: the steps of least weighted rounding error, stretched by one factor for the layer
 * that pilot neurons choose, then the best of some factors for every neuron, all by the layer's own error.
 *
 * @param importance [inputs]: what weighs the rounding errors of the first guess.
 * @param around     factors to try, where not the usual ones.
 */
export async function atBestRadius(
  weights: Matrix,
  importance: Float64Array,
  choice: Choice,
  around: { readonly pilots: readonly number[]; readonly radii: readonly number[] } | undefined,
  linalg: Linalg,
  solve: Solve,
): Promise<Candidate & { pilot: number | null }> {
  const at = async (alphabets: Alphabets): Promise<Candidate> => ({
    ...(await solve(weights, alphabets)),
    alphabets,
  });
  if (!searches(choice)) {
    return { ...(await at(await startWithoutData(weights, choice, linalg))), pilot: null };
  }
  const { shares, pilots: usual } = networkPlan(choice.bits, weights.rows);
  const { pilots, radii } = around ?? { pilots: usual, radii: weights.rows > LARGE ? [1] : RADII };
  const guess = (await start(weights, importance, choice, shares, linalg)).alphabets;
  const pilot = await pilotFactor(weights, guess, pilots, choice, solve);
  let best: Candidate | null = null;
  for (const radius of radii) {
    const candidate = await at(scaled(guess, pilot * radius, choice));
    best = best ? cheaper(best, candidate, choice.perTensor === true) : candidate;
  }
  return { ...best!, pilot };
}

async function pilotFactor(
  weights: Matrix,
  guess: Alphabets,
  factors: readonly number[],
  choice: Choice,
  solve: Solve,
): Promise<number> {
  const some = pilotNeurons(weights.columns);
  const picked = pickAlphabets(guess, weights.columns, some);
  const all = sideBySide(
    pickColumns(weights, some),
    factors.map(factor => scaled(picked, factor, choice)),
  );
  const { costs } = await solve(all.weights, all.alphabets);
  const totals = factors.map((_, k) => sum(costs.subarray(k * some.length, (k + 1) * some.length)));
  return factors[totals.indexOf(Math.min(...totals))] ?? 1;
}

/** The energy of every input, as the importance of its rounding errors. */
export function diagonalOf({ rows: n, data }: Matrix64): Float64Array {
  return orAlike(Float64Array.from({ length: n }, (_, i) => data[i * n + i]!));
}

/** Energies to weigh by; where there are none all inputs are alike. */
export function orAlike(energies: Float64Array): Float64Array {
  return energies.some(entry => entry > 0) ? energies : energies.fill(1);
}
