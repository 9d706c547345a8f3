import type { Matrix, Matrix64 } from "../matrix";
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

/** One neuron's alphabet: value = step * (level - zeroPoint) for level = 0 .. levels - 1. */
export interface Alphabet {
  /** Rounded to float32, as it is stored; negative where `full` has its longer side above zero; 0 has one value, 0. */
  readonly step: number;
  /** An integer, or half of an odd one for `midrise`. */
  readonly zeroPoint: number;
  readonly levels: number;
}

/** The alphabets of a layer: one a neuron, or one for every neuron and group of consecutive inputs. */
export interface Alphabets {
  readonly kind: AlphabetKind;
  readonly bits: Bits;
  readonly levels: number;
  /** Inputs a group, the last one may be shorter; undefined: all inputs are one group. */
  readonly groupInputs?: number | undefined;
  /** [groups, neurons]. */
  readonly steps: Float64Array;
  /** [groups, neurons]. */
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

/** The alphabet of a neuron, where all inputs are one group. */
export function alphabetOf(alphabets: Alphabets, neuron: number): Alphabet {
  return {
    step: alphabets.steps[neuron]!,
    zeroPoint: alphabets.zeroPoints[neuron]!,
    levels: alphabets.levels,
  };
}

export function levelCount(kind: AlphabetKind, bits: Bits): number {
  return kind === "symmetric" ? 2 ** bits - 1 : 2 ** bits;
}

/**
 * The alphabet of a kind over a range.
 *
 * @param low, high the least and the largest weight to reach; all kinds but `affine` use the larger of their sizes as c.
 * @param sign      of the step; only `full` may take -1.
 */
export function alphabet(kind: AlphabetKind, bits: Bits, low: number, high: number, sign: 1 | -1 = 1): Alphabet {
  const levels = levelCount(kind, bits);
  const radius = Math.max(Math.abs(low), Math.abs(high));
  switch (kind) {
    case "midrise":
      return { levels, step: Math.fround((2 * radius) / (levels - 1)), zeroPoint: (levels - 1) / 2 };
    case "symmetric":
      // One bit has one value around 0: 0.
      if (levels === 1) return { levels, step: 0, zeroPoint: 0 };
      return { levels, step: Math.fround((2 * radius) / (levels - 1)), zeroPoint: (levels - 1) / 2 };
    case "full":
      return { levels, step: sign * Math.fround((2 * radius) / levels), zeroPoint: levels / 2 };
    case "affine": {
      const step = Math.fround((Math.max(high, 0) - Math.min(low, 0)) / (levels - 1));
      return { levels, step, zeroPoint: step > 0 ? roundHalfEven(-Math.min(low, 0) / step) : 0 };
    }
    default:
      return kind satisfies never;
  }
}

export function valueOf({ step, zeroPoint }: Alphabet, level: number): number {
  return step * (level - zeroPoint);
}

/** The level of the value nearest to `value`; a tie takes the lower value. */
export function nearestLevel({ step, zeroPoint, levels }: Alphabet, value: number): number {
  if (step === 0) return 0;
  const position = value / step + zeroPoint;
  // Half way between two levels the lower value is the lower level, or the higher one where the step is negative.
  const level = step > 0 ? Math.ceil(position - 0.5) : Math.floor(position + 0.5);
  return Math.min(Math.max(level, 0), levels - 1);
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

/** Nearest levels of all weights, [inputs, neurons]. */
export function nearestLevels(weights: Matrix, alphabets: Alphabets): Uint8Array {
  const { rows, columns: neurons } = weights;
  const levels = new Uint8Array(rows * neurons);
  for (let i = 0; i < rows; i++) {
    const group = groupStart(alphabets, i, neurons);
    for (let j = 0; j < neurons; j++) {
      const step = alphabets.steps[group + j]!;
      const one = { step, zeroPoint: alphabets.zeroPoints[group + j]!, levels: alphabets.levels };
      levels[i * neurons + j] = nearestLevel(one, weights.data[i * neurons + j]!);
    }
  }
  return levels;
}

/** IEEE rounding, as NumPy's rint: a half goes to the even neighbour. */
export function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
