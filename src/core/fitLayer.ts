import type { DrawnRows, LayerRows } from "./calibration/rows";
import { dequantize, type LayerCodes } from "./formats/codes";
import type { AlphabetKind, Alphabets, Bits } from "./grid/alphabet";
import { chooseAlphabets, type RadiusRule } from "./grid/radius";
import type { Layer } from "./graph/layers";
import { groupWeights, putGroup } from "./graph/weights";
import type { Linalg } from "./linalg/linalg";
import type { Matrix } from "./matrix";
import { methodOf, type MethodName, mostRows, type Quantized, type Variant } from "./methods/catalog";
import { layerErrors, propagatedError, relativeError, type SquaredError, weightError } from "./report/measure";

/** A layer, its weights in stored order, and how to quantize them. */
export interface LayerPlan {
  readonly layer: Layer;
  readonly weights: Float32Array;
  readonly bits: Bits;
  readonly method: MethodName;
  readonly variant: Variant;
  readonly alphabet: AlphabetKind;
  readonly radius: RadiusRule;
  readonly perTensor: boolean;
}

/** Errors of a layer (`measure.ts` says of what); null where there were no rows to measure on. */
export interface LayerErrors {
  readonly weightError: number | null;
  readonly layerError: number | null;
  readonly layerErrorHeldOut: number | null;
  readonly propagatedError: number | null;
  /** The layer error of each neuron on the held-out rows, without any on the fitted ones, [neurons]. */
  readonly neuronErrors: readonly (number | null)[] | null;
}

export interface LayerFit extends LayerErrors {
  readonly plan: LayerPlan;
  readonly codes: LayerCodes;
  /** Rows the method was given, or could have been where it looks at none; 0 without data. */
  readonly rows: number;
  readonly rank: number | null;
  readonly interior: number | null;
  readonly residual: number | null;
}

export interface FittedLayer extends LayerFit {
  readonly seconds: number;
}

/**
 * Quantizes one layer, group by group, and measures what that cost.
 *
 * @param rows null without data; the method of the plan must then be one that looks at none.
 */
export async function fitLayer(plan: LayerPlan, rows: LayerRows | null, linalg: Linalg): Promise<LayerFit> {
  const { layer, weights } = plan;
  const method = methodOf(plan.method, plan.variant);
  const fitted = rows?.fitted(mostRows(plan.method, layer.inputs)) ?? null;
  const groups = Array.from({ length: layer.groups }, (_, group) => groupWeights(layer, weights, group));
  const alphabets = alphabetsOf(groups, plan);

  const levels = new Uint8Array(weights.length);
  const found: Quantized[] = [];
  for (const [group, w] of groups.entries()) {
    const inputs = fitted?.group(group).seen ?? noRows(layer.inputs);
    const quantized = await method(w, inputs, alphabets[group]!, linalg);
    putGroup(layer, levels, group, quantized.levels);
    found.push(quantized);
  }
  const codes = { layer, levels, alphabets: joined(alphabets) };
  const most = (pick: (one: Quantized) => number | null): number | null =>
    found.reduce<number | null>((largest, one) => maximum(largest, pick(one)), null);
  return {
    plan,
    codes,
    rows: fitted?.count ?? 0,
    rank: most(one => one.rank),
    interior: most(one => one.interior),
    residual: most(one => one.residual),
    ...(await errorsOf(codes, weights, groups, fitted, rows?.heldOut ?? null, linalg)),
  };
}

function alphabetsOf(groups: readonly Matrix[], plan: LayerPlan): Alphabets[] {
  if (!plan.perTensor) return groups.map(w => chooseAlphabets(w, plan.alphabet, plan.bits, plan.radius));
  const whole = chooseAlphabets(
    { rows: plan.weights.length, columns: 1, data: plan.weights },
    plan.alphabet,
    plan.bits,
    plan.radius,
  );
  return groups.map(w => ({
    ...whole,
    steps: new Float64Array(w.columns).fill(whole.steps[0]!),
    zeroPoints: new Float64Array(w.columns).fill(whole.zeroPoints[0]!),
  }));
}

async function errorsOf(
  codes: LayerCodes,
  weights: Float32Array,
  groups: readonly Matrix[],
  fitted: DrawnRows | null,
  heldOut: DrawnRows | null,
  linalg: Linalg,
): Promise<LayerErrors> {
  const { layer } = codes;
  const values = dequantize(codes);
  const neurons = layer.neurons / layer.groups;
  const onFitted: SquaredError[] = [];
  const onHeldOut: SquaredError[] = [];
  const propagated: SquaredError[] = [];
  for (const [group, w] of groups.entries()) {
    const q = groupWeights(layer, values, group);
    const bias = layer.bias?.subarray(group * neurons, (group + 1) * neurons) ?? null;
    for (const [drawn, errors] of [
      [fitted, onFitted],
      [heldOut, onHeldOut],
    ] as const) {
      if (!drawn) continue;
      const rows = drawn.group(group);
      errors.push(...(await layerErrors(rows, w, w, q, linalg)));
      if (drawn === (heldOut ?? fitted)) propagated.push(await propagatedError(rows, w, q, bias, linalg));
    }
  }
  return {
    weightError: relativeError([weightError(weights, values)]),
    layerError: fitted && relativeError(onFitted),
    layerErrorHeldOut: heldOut && relativeError(onHeldOut),
    propagatedError: fitted && relativeError(propagated),
    neuronErrors: fitted && (heldOut ? onHeldOut : onFitted).map(one => relativeError([one])),
  };
}

/** The alphabets of all groups in one, the neurons in order. */
function joined(alphabets: readonly Alphabets[]): Alphabets {
  const all = (pick: (one: Alphabets) => Float64Array): Float64Array =>
    Float64Array.from(alphabets.flatMap(one => [...pick(one)]));
  return { ...alphabets[0]!, steps: all(one => one.steps), zeroPoints: all(one => one.zeroPoints) };
}

function noRows(inputs: number): Matrix {
  return { rows: 0, columns: inputs, data: new Float32Array(0) };
}

function maximum(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}
