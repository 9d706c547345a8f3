import type { Alphabets } from "../grid/alphabet";
import type { Linalg } from "../linalg/linalg";
import type { Matrix } from "../matrix";
import { malySaab } from "./malySaab";
import { msq } from "./msq";

/** What a method makes of a layer. */
export interface Quantized {
  /** [inputs, neurons]. */
  readonly levels: Uint8Array;
  /** Rank of the inputs; null where the method does not look at them. */
  readonly rank: number | null;
  /** For `range` and `cell`: the most coordinates of a neuron left inside its box before rounding. */
  readonly interior: number | null;
  /** For `range` and `cell`: the largest ||X(z - w)|| / ||Xw|| of a neuron. */
  readonly residual: number | null;
}

/**
 * @param weights   W, [inputs, neurons].
 * @param inputs    X, [m, inputs]: the rows the fit may use.
 * @param alphabets one a neuron.
 */
export type Method = (weights: Matrix, inputs: Matrix, alphabets: Alphabets, linalg: Linalg) => Promise<Quantized>;

export const METHOD_NAMES = ["maly-saab", "msq"] as const;
export type MethodName = (typeof METHOD_NAMES)[number];
export const VARIANTS = ["cell", "range"] as const;
export type Variant = (typeof VARIANTS)[number];

/** The method of a name; null for a name is never needed, names are checked at the door. */
export function methodOf(name: MethodName, variant: Variant): Method {
  switch (name) {
    case "msq":
      return msq;
    case "maly-saab":
      return (weights, inputs, alphabets, linalg) => malySaab(weights, inputs, alphabets, variant, linalg);
    default:
      return name satisfies never;
  }
}

/**
 * Rows a method can use of a layer with `inputs` inputs. The pre-processing of `range` and `cell` moves weights inside
 * the kernel of X, so it wants far fewer rows than inputs: the paper's setting, here a quarter. Rounding uses none.
 */
export function mostRows(name: MethodName, inputs: number): number {
  return name === "maly-saab" ? Math.max(1, Math.floor(inputs / 4)) : Infinity;
}
