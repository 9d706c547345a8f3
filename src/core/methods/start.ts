import type { Alphabets, Bits } from "../grid/alphabet";
import { alphabetsOver, type GridChoice, rangesOf, turnsOf } from "../grid/shares";
import type { Linalg } from "../linalg/linalg";
import type { Matrix } from "../matrix";
import type { Choice } from "./layer";

/**
 * The shares of the full range that are tried: fewer bits clip more. (networks.md: wider lists gain nothing.)
 */
export const SHARES: Readonly<Record<Bits, readonly number[]>> = {
  1: evenly(0.1, 1.05, 39),
  2: evenly(0.2, 1.05, 35),
  3: evenly(0.35, 1.05, 29),
  4: evenly(0.45, 1.05, 25),
  8: evenly(0.85, 1.02, 8),
};

export interface Start {
  readonly alphabets: Alphabets;
  /** The share of the full range of every alphabet, [groups, neurons]. */
  readonly shares: Float64Array;
}

/**
 * The alphabets whose nearest values have the least Σ importance_i (w_i - nearest)², one by one: a tie takes the earlier share,
 * then the earlier turn (sign, zero point).
 *
 * @param importance [inputs]: what an error on this input costs when all others may follow (L_ii²); all 1 is `mse`.
 */
export async function start(
  weights: Matrix,
  importance: Float64Array,
  choice: GridChoice,
  shares: readonly number[],
  linalg: Linalg,
): Promise<Start> {
  const ranges = rangesOf(weights, choice);
  const turns = turnsOf(choice);
  const tries = shares.flatMap(share =>
    turns.map(turn => ({ share, alphabets: alphabetsOver(ranges, choice, share, turn) })),
  );
  const errors = await linalg.roundingErrors(
    weights,
    importance,
    tries.map(one => one.alphabets),
  );
  if (choice.perTensor) errors.forEach(one => pool(one, weights.columns));

  const steps = new Float64Array(ranges.low.length);
  const zeroPoints = new Float64Array(steps.length);
  const chosen = new Float64Array(steps.length);
  for (let at = 0; at < steps.length; at++) {
    let best = 0;
    errors.forEach((one, k) => {
      if (one[at]! < errors[best]![at]!) best = k;
    });
    const { share, alphabets } = tries[best]!;
    steps[at] = alphabets.steps[at]!;
    zeroPoints[at] = alphabets.zeroPoints[at]!;
    chosen[at] = share;
  }
  return { alphabets: { ...tries[0]!.alphabets, steps, zeroPoints }, shares: chosen };
}

/** The alphabets given, or those that need no data: `max` takes the full range, the others the least squared error. */
export async function startWithoutData(weights: Matrix, choice: Choice, linalg: Linalg): Promise<Alphabets> {
  if (choice.given) return choice.given;
  // A shifted zero point would clip the largest weight by half a step.
  const whole = choice.radius === "max" ? { ...choice, halfSteps: choice.halfSteps && choice.bits === 1 } : choice;
  const shares = choice.radius === "max" ? [1] : SHARES[choice.bits];
  const ones = new Float64Array(weights.rows).fill(1);
  return (await start(weights, ones, whole, shares, linalg)).alphabets;
}

/** What is per tensor is chosen by the sum over its neurons. */
function pool(errors: Float64Array, neurons: number): void {
  for (let at = 0; at < errors.length; at += neurons) {
    const total = errors.subarray(at, at + neurons).reduce((a, b) => a + b, 0);
    errors.fill(total, at, at + neurons);
  }
}

/** As NumPy's linspace. */
export function evenly(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, k) => (k === count - 1 ? to : from + k * ((to - from) / (count - 1))));
}
