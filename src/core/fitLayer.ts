import type { Timed } from "./cost";
import { dominatedInputs } from "./calibration/dominance";
import type { DrawnRows, LayerRows } from "./calibration/rows";
import { dequantize, type LayerCodes } from "./formats/codes";
import { type AlphabetKind, type Alphabets, type Bits, groupCount } from "./grid/alphabet";
import type { Layer } from "./graph/layers";
import { groupWeights, putGroup } from "./graph/weights";
import type { Linalg } from "./linalg/linalg";
import type { Matrix } from "./matrix";
import { alignedBias } from "./methods/align";
import { type FitOptions, applyMethod, mostRows } from "./methods/catalog";
import type { Choice, RadiusChoice } from "./methods/layer";
import { roundWithoutData } from "./methods/msq";
import { rankOf } from "./methods/bound";
import { aimAt, type AimChoice } from "./aim";
import { errorsOf, type FittedGroup, type LayerErrors } from "./layerErrors";

/** A layer, its weights in stored order, and how to quantize them. */
export interface LayerPlan extends FitOptions, AimChoice {
  readonly layer: Layer;
  readonly weights: Float32Array;
  readonly bits: Bits;
  readonly alphabet: AlphabetKind;
  readonly radius: RadiusChoice;
  readonly perTensor: boolean;
  /** Consecutive inputs that share an alphabet; undefined: all inputs of a neuron. */
  readonly groupInputs: number | undefined;
  /** Whether the format of the layer holds zero points in half steps. */
  readonly halfSteps: boolean;
}

export interface LayerFit extends LayerErrors {
  readonly plan: LayerPlan;
  readonly codes: LayerCodes;
  /** Rows the method was given, or could have been where it looks at none; 0 without data. */
  readonly rows: number;
  readonly rank: number | null;
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

/** Beyond this many inputs the eigenvalues that rank and limit are read off take longer than the fit. */
const MOST_INPUTS_FOR_SPECTRUM = 1024;

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
  const all = rows?.fitted(Infinity) ?? null;
  const most = mostRows(plan.method, layer.inputs, plan.variant);
  const given = most === Infinity ? all : (rows?.fitted(most) ?? null);
  const shared = await alphabetOfAllGroups(plan, linalg);
  const levels = new Uint8Array(plan.weights.length);
  const groups: FittedGroup[] = [];
  for (let group = 0; group < layer.groups; group++) {
    const weights = groupWeights(layer, plan.weights, group);
    const fitted = await quantizeGroup(plan, weights, all, given, group, shared, linalg, timed);
    putGroup(layer, levels, group, fitted.fit.levels);
    groups.push(fitted);
  }
  const alphabets = joined(
    groups.map(one => one.fit.alphabets),
    layer.inputs,
  );
  const codes: LayerCodes = { layer, levels, alphabets, bias: newBias(plan, levels, alphabets, groups) };
  const largest = (pick: (one: FittedGroup) => number | null | undefined): number | null =>
    groups.reduce<number | null>((found, one) => maximum(found, pick(one) ?? null), null);
  return {
    plan,
    codes,
    rows: given?.count ?? 0,
    rank: largest(one => one.fit.kernel?.rank ?? (one.spectrum && rankOf(one.spectrum))),
    interior: largest(one => one.fit.kernel?.interior),
    residual: largest(one => one.fit.kernel?.residual),
    alignment: largest(one => one.aim?.ridge),
    damping: plan.method === "msq" ? null : largest(one => one.fit.costs && one.fit.damping),
    dominatedInputs: largest(one => one.dominatedInputs) ?? 0,
    ...(await timed("errors", () =>
      errorsOf(codes, plan.weights, groups, given, given === all, rows?.heldOut ?? null, linalg),
    )),
  };
}

async function quantizeGroup(
  plan: LayerPlan,
  weights: Matrix,
  all: DrawnRows | null,
  given: DrawnRows | null,
  group: number,
  shared: Alphabets | undefined,
  linalg: Linalg,
  timed: Timed,
): Promise<FittedGroup> {
  const { layer } = plan;
  const { rows, aim } = await timed("gram", async () => {
    const rows = all?.group(group) ?? null;
    return { rows, aim: rows && (await aimAt(plan, weights, rows, linalg)) };
  });
  const target = aim?.target ?? weights;
  const wantsRows = plan.method === "maly-saab" && (plan.variant === "cell" || plan.variant === "range");
  const fit = await timed("method", () =>
    applyMethod(
      {
        weights: target,
        metric: aim?.metric ?? null,
        inputs: wantsRows ? given?.group(group).seen : undefined,
        cross: plan.method === "gpfq" ? aim?.cross : undefined,
        unaligned: target === weights ? undefined : weights,
      },
      {
        ...choiceOf(plan),
        given: shared && {
          ...shared,
          steps: filled(weights, shared.steps),
          zeroPoints: filled(weights, shared.zeroPoints),
        },
      },
      plan,
      linalg,
    ),
  );
  const spectrum = await timed("errors", async () =>
    aim && layer.inputs <= MOST_INPUTS_FOR_SPECTRUM ? await linalg.eigenvalues(aim.metric) : null,
  );
  return {
    weights,
    target,
    aim,
    spectrum,
    dominatedInputs: rows && all ? dominatedInputs(rows.seen, all.samples) : 0,
    fit,
  };
}

function choiceOf({ alphabet, bits, radius, perTensor, groupInputs, halfSteps }: LayerPlan): Choice {
  return { kind: alphabet, bits, radius, perTensor, groupInputs, halfSteps };
}

/** One alphabet for a layer of several groups, which are quantized one by one. */
async function alphabetOfAllGroups(plan: LayerPlan, linalg: Linalg): Promise<Alphabets | undefined> {
  if (!plan.perTensor || plan.layer.groups === 1) return undefined;
  const column = { rows: plan.weights.length, columns: 1, data: plan.weights };
  return (await roundWithoutData(column, { ...choiceOf(plan), groupInputs: undefined }, linalg)).alphabets;
}

function filled(weights: Matrix, one: Float64Array): Float64Array {
  return new Float64Array(weights.columns).fill(one[0]!);
}

/** Where the fit was centred, the bias that takes the mean exactly; null where the layer keeps its own. */
function newBias(
  plan: LayerPlan,
  levels: Uint8Array,
  alphabets: Alphabets,
  groups: readonly FittedGroup[],
): Float32Array | null {
  if (!groups.every(one => one.aim?.alignment && plan.centre)) return null;
  const values = dequantize({ layer: plan.layer, levels, alphabets, bias: null });
  const own = plan.layer.bias;
  const neurons = plan.layer.neurons / plan.layer.groups;
  return Float32Array.from(
    groups.flatMap(({ aim }, group) =>
      Array.from(
        alignedBias(aim!.alignment!, groupWeights(plan.layer, values, group)),
        (bias, j) => bias + (own?.[group * neurons + j] ?? 0),
      ),
    ),
  );
}

/** The alphabets of all groups of a convolution in one, [groups of inputs, neurons], the neurons in order. */
function joined(alphabets: readonly Alphabets[], inputs: number): Alphabets {
  const first = alphabets[0]!;
  const rows = groupCount(first, inputs);
  const neurons = first.steps.length / rows;
  const all = (pick: (one: Alphabets) => Float64Array): Float64Array => {
    const values = new Float64Array(rows * neurons * alphabets.length);
    alphabets.forEach((one, group) => {
      for (let row = 0; row < rows; row++) {
        const part = pick(one).subarray(row * neurons, (row + 1) * neurons);
        values.set(part, (row * alphabets.length + group) * neurons);
      }
    });
    return values;
  };
  return { ...first, steps: all(one => one.steps), zeroPoints: all(one => one.zeroPoints) };
}

function maximum(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}
