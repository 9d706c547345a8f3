import type { Matrix64 } from "../matrix";
import { zeros64 } from "../matrix";

export const ALL_BITS = [1, 2, 3, 4, 8] as const;
export type Bits = (typeof ALL_BITS)[number];

/**
 * Which values a weight may take, c being the radius of its neuron:
 * - `midrise`: 2^b equispaced values on [-c, c], the papers' alphabet (1 bit: -c and c). It has no zero.
 * - `symmetric`: the 2^b - 1 integers around 0, times c / (2^(b-1) - 1).
 * - `full`: all 2^b signed integers times a step of either sign: -2^(b-1) .. 2^(b-1) - 1, times ±c / 2^(b-1).
 * - `affine`: 2^b integers with an integer zero point; its range always holds 0.
 */
export const ALPHABET_KINDS = ["midrise", "symmetric", "full", "affine"] as const;
export type AlphabetKind = (typeof ALPHABET_KINDS)[number];

/** The alphabets of a layer: one a neuron, or one for every neuron and group of consecutive inputs. */
export interface Alphabets {
  readonly kind: AlphabetKind;
  readonly bits: Bits;
  readonly levels: number;
  /** Inputs a group, the last one may be shorter; undefined: all inputs are one group. */
  readonly groupInputs?: number | undefined;
  /**
   * [groups, neurons]: value = step * (level - zeroPoint). Rounded as they are stored; negative where `full` has its longer
   * side above zero; 0 has one value, 0.
   */
  readonly steps: Float64Array;
  /** [groups, neurons]. Integers, or halves of odd ones. */
  readonly zeroPoints: Float64Array;
}

/** How many groups so many inputs have. */
export function groupCount({ groupInputs }: Pick<Alphabets, "groupInputs">, inputs: number): number {
  return groupInputs === undefined ? 1 : Math.ceil(inputs / groupInputs);
}

/** Where the steps of the group of an input begin. */
export function groupStart(
  { groupInputs }: Pick<Alphabets, "groupInputs">,
  input: number,
  neurons: number,
): number {
  return groupInputs === undefined ? 0 : Math.floor(input / groupInputs) * neurons;
}

export function levelCount(kind: AlphabetKind, bits: Bits): number {
  return kind === "symmetric" ? 2 ** bits - 1 : 2 ** bits;
}

/**
 * Levels to the values they stand for, in double precision.
 *
 * @param levels [inputs, neurons].
 */
export function valuesOf(levels: Uint8Array, inputs: number, alphabets: Alphabets): Matrix64 {
  const neurons = levels.length / inputs;
  const values = zeros64(inputs, neurons);
  for (let i = 0; i < inputs; i++) {
    const group = groupStart(alphabets, i, neurons);
    for (let j = 0; j < neurons; j++) {
      const at = i * neurons + j;
      values.data[at] = alphabets.steps[group + j]! * (levels[at]! - alphabets.zeroPoints[group + j]!);
    }
  }
  return values;
}

/** IEEE rounding, as NumPy's rint: a half goes to the even neighbour. */
export function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
