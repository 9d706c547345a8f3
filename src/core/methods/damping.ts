import type { Alphabets } from "../grid/alphabet";
import { type GridChoice, scaled } from "../grid/shares";
import type { Linalg } from "../linalg/linalg";
import type { Matrix, Matrix64 } from "../matrix";
import { type Candidate, cheaper } from "./best";
import { dampedFactor, errorsOf, sum } from "./metric";
import { pickAlphabets, pickColumns, pilotNeurons, sideBySide } from "./neurons";
import { levelsOfTry } from "./pilot";
import { LARGE } from "./walkPlan";

const DAMPINGS = [0.01, 0.03, 0.1, 0.3, 1] as const;
const RADII = [0.7, 0.84, 1, 1.2, 1.4] as const;
const FOLDS = 4;
/** Fewer samples cannot be split. */
const LEAST_ROWS = 8;
const WITHOUT_ROWS = 0.1;

/**
 * The damping with which pilot neurons, walked on three quarters of the samples, have the least error on the other quarter.
 * The quarters are contiguous: rows of one picture stay together.
 *
 * @param inputs X, [m, inputs].
 * @param order  of the walk, the same for all.
 */
export async function heldOutDamping(
  weights: Matrix,
  inputs: Matrix,
  alphabets: Alphabets,
  order: Int32Array,
  choice: GridChoice,
  block: number,
  linalg: Linalg,
): Promise<number> {
  const m = inputs.rows;
  if (m < LEAST_ROWS) return WITHOUT_ROWS;
  const some = pilotNeurons(weights.columns);
  const w = pickColumns(weights, some);
  const radii = RADII.map(f => scaled(pickAlphabets(alphabets, weights.columns, some), f, choice));
  const all = sideBySide(w, radii);
  const unseen = new Float64Array(DAMPINGS.length);
  for (let fold = 0; fold < (weights.rows > LARGE ? 1 : FOLDS); fold++) {
    const last = FOLDS - fold;
    const [from, to] = [Math.floor((m * (last - 1)) / FOLDS), Math.floor((m * last) / FOLDS)];
    const rest = await meanGram([rowsOf(inputs, 0, from), rowsOf(inputs, to, m)], linalg);
    for (const [k, damping] of DAMPINGS.entries()) {
      const { factor } = await dampedFactor(rest, damping, () => Promise.resolve(order), linalg);
      const walked = await linalg.walk(all.weights, factor, all.alphabets, 1, block);
      const best = radii
        .map<Candidate>((one, t) => ({
          levels: levelsOfTry(walked.levels, all.weights, radii.length, t),
          alphabets: one,
          costs: walked.costs.slice(t * some.length, (t + 1) * some.length),
        }))
        .reduce((a, b) => cheaper(a, b, false));
      const errors = errorsOf(w, best.levels, best.alphabets);
      unseen[k]! += sum(await linalg.squaredNorms(rowsOf(inputs, from, to), errors));
    }
  }
  return DAMPINGS[unseen.indexOf(Math.min(...unseen))] ?? WITHOUT_ROWS;
}

/** XᵀX / m of rows in several pieces. */
export async function meanGram(pieces: readonly Matrix[], linalg: Linalg): Promise<Matrix64> {
  const total = await linalg.moments(pieces[0]!.columns, 0);
  for (const piece of pieces) if (piece.rows > 0) await total.add(piece);
  const { gram, rows } = await total.finish();
  return { ...gram, data: gram.data.map(entry => entry / Math.max(rows, 1)) };
}

function rowsOf({ columns, data }: Matrix, from: number, to: number): Matrix {
  return { rows: to - from, columns, data: data.subarray(from * columns, to * columns) };
}
