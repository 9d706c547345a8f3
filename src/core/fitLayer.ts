import { type AimChoice, mostFittedRows } from "./aim";
import type { LayerRows } from "./calibration/rows";
import type { Timed } from "./cost";
import type { LayerCodes } from "./formats/codes";
import type { AlphabetKind, Bits } from "./grid/alphabet";
import type { Layer } from "./graph/layers";
import { aimGroups, type RoundedGroup, roundGroups } from "./layerCodes";
import { errorsOf, type LayerErrors } from "./layerErrors";
import type { Linalg } from "./linalg/linalg";
import { type FitOptions, MOST_METRIC_INPUTS, MOST_WALKED_WEIGHTS, mostRows, needsMetric } from "./methods/catalog";
import type { RadiusChoice } from "./methods/layer";

/** A layer, its weights in stored order, and how to quantize them. */
export interface LayerPlan extends FitOptions, AimChoice {
  readonly layer: Layer;
  /** Reads the weights anew from where they lie. */
  readonly weights: () => Float32Array;
  readonly bits: Bits;
  readonly alphabet: AlphabetKind;
  readonly radius: RadiusChoice;
  readonly perTensor: boolean;
  /** Consecutive inputs that share an alphabet; undefined: all inputs of a neuron. */
  readonly groupInputs: number | undefined;
  /** Whether the format of the layer holds zero points in half steps. */
  readonly halfSteps: boolean;
  /** Whether rounding takes the place of a method that was asked for, since the layer is too large for it. */
  readonly outOfReach?: boolean;
}

export interface LayerFit extends LayerErrors {
  readonly plan: LayerPlan;
  readonly codes: LayerCodes;
  /** Rows the method was given, or could have been where it looks at none; 0 without data. */
  readonly rows: number;
  readonly interior: number | null;
  readonly residual: number | null;
  readonly alignment: number | null;
  readonly damping: number | null;
  /** Inputs that get most of their energy from one sample, in the worst group. */
  readonly dominatedInputs: number;
}

export interface FittedLayer extends LayerFit {
  readonly seconds: number;
}

/** How a layer is quantized where there is nothing to fit to: by rounding, its bias left alone. */
export function withoutData<Plan extends LayerPlan>(plan: Plan): Plan {
  const radius = plan.radius === "data" ? "mse" : plan.radius;
  return { ...plan, method: "msq", radius, target: "quantized", centre: false, oneSided: false, refine: false };
}

/** How a layer is quantized of so many weights that its method cannot be had: by rounding, to what rows of inputs ask for. */
export function withinReach<Plan extends LayerPlan>(plan: Plan): Plan {
  const { inputs, neurons, groups } = plan.layer;
  const isWithin = inputs <= MOST_METRIC_INPUTS && inputs * (neurons / groups) <= MOST_WALKED_WEIGHTS;
  return isWithin || !needsMetric(plan) ? plan : { ...plan, method: "msq", refine: false, outOfReach: true };
}

/**
 * Quantizes one layer, group by group, and measures what that cost.
 *
 * @param rows null without data: then weights are rounded to the alphabet of least squared error.
 */
export async function fitLayer(
  plan: LayerPlan,
  rows: LayerRows | null,
  { linalg, timed }: { linalg: Linalg; timed: Timed },
): Promise<LayerFit> {
  const { layer } = plan;
  const all = rows?.fitted(mostFittedRows(layer.inputs)) ?? null;
  const most = mostRows(plan.method, layer.inputs, plan.variant);
  const given = most === Infinity ? all : (rows?.fitted(most) ?? null);
  const aims = await timed("gram", () => aimGroups(plan, all, linalg));
  const { codes, groups } = await timed("method", () => roundGroups(plan, aims, given, linalg));
  const largest = (pick: (one: RoundedGroup) => number | null | undefined): number | null =>
    groups.reduce<number | null>((found, one) => maximum(found, pick(one) ?? null), null);
  const errors = await timed("errors", () =>
    errorsOf(codes, groups, given, given === all, rows?.heldOut ?? null, linalg),
  );
  return {
    plan,
    codes,
    rows: given?.count ?? 0,
    interior: largest(one => one.fit.kernel?.interior),
    residual: largest(one => one.fit.kernel?.residual),
    alignment: largest(one => one.aim?.ridge),
    damping: plan.method === "msq" ? null : largest(one => one.fit.costs && one.fit.damping),
    dominatedInputs: largest(one => one.dominatedInputs) ?? 0,
    ...errors,
    rank: largest(one => one.fit.kernel?.rank) ?? errors.rank,
  };
}

function maximum(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}
