import type { Matrix } from "../matrix";
import { type AlphabetKind, type Alphabets, type Bits, groupCount, levelCount, roundHalfEven } from "./alphabet";

/** Which alphabets a layer may have. */
export interface GridChoice {
  readonly kind: AlphabetKind;
  readonly bits: Bits;
  /** One alphabet for all neurons. */
  readonly perTensor?: boolean | undefined;
  /** Consecutive inputs that share an alphabet; undefined: all inputs of a neuron. */
  readonly groupInputs?: number | undefined;
  /** `affine` up to 3 bits: the format holds zero points half way between two levels. */
  readonly halfSteps?: boolean | undefined;
  /** A step as it is stored; undefined: float32. Called before any level is chosen. */
  readonly roundStep?: ((step: number) => number) | undefined;
}

/** The least and the largest weight of every alphabet, widened to hold 0. */
export interface Ranges {
  readonly neurons: number;
  /** [groups, neurons]; the same for all neurons where the alphabet is per tensor. */
  readonly low: Float64Array;
  /** [groups, neurons]. */
  readonly high: Float64Array;
}

export function rangesOf(weights: Matrix, choice: GridChoice): Ranges {
  const { rows: inputs, columns: neurons, data } = weights;
  const groups = groupCount(choice, inputs);
  const groupInputs = choice.groupInputs ?? inputs;
  const low = new Float64Array(groups * neurons);
  const high = new Float64Array(groups * neurons);
  for (let i = 0; i < inputs; i++) {
    const group = Math.floor(i / groupInputs) * neurons;
    for (let j = 0; j < neurons; j++) {
      const at = group + (choice.perTensor ? 0 : j);
      const w = data[i * neurons + j]!;
      if (w < low[at]!) low[at] = w;
      if (w > high[at]!) high[at] = w;
    }
  }
  if (choice.perTensor) {
    for (let at = 0; at < low.length; at += neurons) {
      low.fill(low[at]!, at, at + neurons);
      high.fill(high[at]!, at, at + neurons);
    }
  }
  return { neurons, low, high };
}

/** What can be chosen about an alphabet beside its step: the sign of the step of `full`, the zero point of `affine`. */
export interface Turn {
  readonly sign: 1 | -1;
  /** Added to the rounded zero point. */
  readonly shift: number;
}

const UPRIGHT: Turn = { sign: 1, shift: 0 };

/** The first is the one that clips nothing at share 1. */
export function turnsOf({ kind, bits, halfSteps }: GridChoice): readonly Turn[] {
  if (kind === "full") return [UPRIGHT, { sign: -1, shift: 0 }];
  // Half steps gain 0.4 dB at 2 bits, 0.1 at 3 and nothing above; at 1 bit the zero point is 1/2 anyway.
  const halves = kind === "affine" && halfSteps === true && (bits === 2 || bits === 3);
  return halves ? [-0.5, 0, 0.5].map(shift => ({ sign: 1, shift })) : [UPRIGHT];
}

/** The alphabets over a share of the ranges. A zero point that would leave 0 .. levels - 1 is not shifted. */
export function alphabetsOver(ranges: Ranges, choice: GridChoice, share: number, turn: Turn): Alphabets {
  const { kind, bits, groupInputs } = choice;
  const levels = levelCount(kind, bits);
  const top = levels - 1;
  const steps = new Float64Array(ranges.low.length);
  const zeroPoints = new Float64Array(steps.length);
  for (let at = 0; at < steps.length; at++) {
    const low = ranges.low[at]!;
    const high = ranges.high[at]!;
    if (low === high || top === 0) continue; // Step 0, zero point 0: the one value is 0.
    if (kind === "affine" && !(bits === 1 && choice.halfSteps)) {
      const zero = roundHalfEven(((0 - low) * top) / (high - low));
      const shifted = zero + turn.shift;
      steps[at] = (share * (high - low)) / top;
      zeroPoints[at] = shifted >= 0 && shifted <= top ? shifted : zero;
    } else {
      // `full` has one value more on its longer side, so 2^b steps span 2c; the others have 2^b - 1.
      const spans = kind === "full" ? levels : top;
      steps[at] = (turn.sign * (2 * share * Math.max(high, -low))) / spans;
      zeroPoints[at] = spans / 2;
    }
  }
  return rounded({ kind, bits, levels, groupInputs, steps, zeroPoints }, choice);
}

/** @param factors one for all steps, or one a step. */
export function scaled(alphabets: Alphabets, factors: number | Float64Array, choice: GridChoice): Alphabets {
  const factor = (at: number): number => (typeof factors === "number" ? factors : factors[at]!);
  return rounded({ ...alphabets, steps: alphabets.steps.map((step, at) => step * factor(at)) }, choice);
}

function rounded(alphabets: Alphabets, { roundStep = Math.fround }: GridChoice): Alphabets {
  return { ...alphabets, steps: alphabets.steps.map(step => roundStep(step)) };
}
