import type { Bits } from "../grid/alphabet";
import { evenly, SHARES } from "./start";

/** The numbers of the walk. Not for users: `networks.md` and `walk.md` say what each was chosen against. */
export interface WalkPlan {
  /** Walks kept side by side, and how many coordinates they may disagree for. */
  readonly paths: number;
  readonly block: number;
  /** Shares of the full range among which the first guess of the steps is chosen. */
  readonly shares: readonly number[];
  /** The first guess: the least weighted rounding error, or also the root mean square of the weights. */
  readonly statistics: readonly ("mse" | "rms")[];
  /** Factors of the first guess among which pilot walks choose; one factor: no pilot. */
  readonly pilots: readonly number[];
  /** Damping of the metric in which order and first guess are found. */
  readonly firstDamping: number;
  /** Damping of the walk: a number, or chosen on samples held out, see damping.ts. */
  readonly damping: number | "held-out";
  /** Factors at which every neuron is walked. */
  readonly radii: readonly number[];
  /** Correlated inputs with which an input may move together, and sweeps over all inputs. */
  readonly neighbours: number;
  readonly sweeps: number;
  /** Factors at or below this are not taken by the refit; null: no refit. */
  readonly refitAbove: number | null;
  /** Whether plain rounding is a candidate, too. The studies had none. */
  readonly rounding: boolean;
}

const RADII = [1 / 1.08, 1, 1.08] as const;
const COMMON = { block: 32, neighbours: 16, sweeps: 4, rounding: true };

/** Above so many inputs one radius, one fold and no refit: they would cost more than they gain (walk.md section 2). */
export const LARGE = 1024;

/** Fewer bits clip more, and by how much is harder to guess. */
const PILOTS: Readonly<Record<Bits, readonly number[]>> = {
  1: geometric(0.7, 3, 22),
  2: geometric(0.75, 1.9, 16),
  3: geometric(0.8, 1.5, 11),
  4: geometric(0.8, 1.5, 11),
  8: [1],
};

/** The recipe for layers of a network: networks.md section 8. In whole networks 32 paths add 0.05 dB for 1.6 times the time. */
export function networkPlan(bits: Bits, inputs: number): WalkPlan {
  const large = inputs > LARGE;
  return {
    ...COMMON,
    paths: 8,
    shares: SHARES[bits],
    statistics: ["mse"],
    pilots: PILOTS[bits],
    firstDamping: 0.1,
    damping: 0.1,
    radii: large ? [1] : RADII,
    // A scale that falls to a fifth, or turns negative, belongs to levels that say nothing.
    refitAbove: large ? null : 0.2,
  };
}

/** The set-up for a layer alone: walk.md section 2. Its damping pilot needs rows of inputs. */
export function layerAlonePlan(inputs: number): WalkPlan {
  const large = inputs > LARGE;
  return {
    ...COMMON,
    paths: large ? 8 : 32,
    shares: evenly(0.05, 1.05, 41),
    statistics: ["mse", "rms"],
    pilots: geometric(0.6, 3.6, 19),
    firstDamping: 0.01,
    damping: "held-out",
    radii: large ? [1] : RADII,
    refitAbove: large ? null : 0,
  };
}

/** As NumPy's geomspace. */
function geometric(from: number, to: number, count: number): number[] {
  return evenly(Math.log10(from), Math.log10(to), count).map((log, k) =>
    k === 0 ? from : k === count - 1 ? to : 10 ** log,
  );
}
