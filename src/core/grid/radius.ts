import { columnOf, type Matrix } from "../matrix";
import {
  type Alphabet,
  alphabet,
  type AlphabetKind,
  type Alphabets,
  type Bits,
  levelCount,
  nearestLevel,
  valueOf,
} from "./alphabet";

/**
 * How the radius of a neuron's alphabet is chosen:
 * - `max`: its largest weight, as in the paper; nothing is clipped.
 * - `mse`: the share of that in 0.2 .. 1 which has the least squared rounding error on the weights.
 */
export const RADIUS_RULES = ["max", "mse"] as const;
export type RadiusRule = (typeof RADIUS_RULES)[number];

/** As the reference: 41 shares from 0.2 to 1, the smallest of equally good ones. */
const SHARES = Array.from({ length: 41 }, (_, k) => 0.2 + (0.8 * k) / 40);

/**
 * The alphabets of a layer, one a neuron.
 *
 * @param weights   [inputs, neurons].
 * @param perTensor one alphabet for all neurons.
 */
export function chooseAlphabets(
  weights: Matrix,
  kind: AlphabetKind,
  bits: Bits,
  rule: RadiusRule,
  perTensor = false,
): Alphabets {
  const columns = perTensor
    ? [Float64Array.from(weights.data)]
    : Array.from({ length: weights.columns }, (_, neuron) => columnOf(weights, neuron));
  const chosen = columns.map(w => chooseAlphabet(w, kind, bits, rule));
  const ofNeuron = (neuron: number): Alphabet => chosen[perTensor ? 0 : neuron]!;
  const neurons = { length: weights.columns };
  return {
    kind,
    bits,
    levels: levelCount(kind, bits),
    steps: Float64Array.from(neurons, (_, neuron) => ofNeuron(neuron).step),
    zeroPoints: Float64Array.from(neurons, (_, neuron) => ofNeuron(neuron).zeroPoint),
  };
}

function chooseAlphabet(w: Float64Array, kind: AlphabetKind, bits: Bits, rule: RadiusRule): Alphabet {
  let low = 0;
  let high = 0;
  for (const value of w) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const signs = kind === "full" ? ([1, -1] as const) : ([1] as const);
  const tries = (rule === "max" ? [1] : SHARES).flatMap(share =>
    signs.map(sign => alphabet(kind, bits, share * low, share * high, sign)),
  );
  return tries.length === 1 ? tries[0]! : leastError(w, tries);
}

function leastError(w: Float64Array, tries: readonly Alphabet[]): Alphabet {
  let best = tries[0]!;
  let least = Infinity;
  for (const one of tries) {
    let error = 0;
    for (const value of w) error += (value - valueOf(one, nearestLevel(one, value))) ** 2;
    if (error < least) [least, best] = [error, one];
  }
  return best;
}
