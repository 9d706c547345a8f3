import { type Aim, aimAt } from "./aim";
import { dominatedInputs } from "./calibration/dominance";
import type { DrawnRows } from "./calibration/rows";
import type { LayerPlan } from "./fitLayer";
import { dequantizeNeurons, type LayerCodes } from "./formats/codes";
import { type Alphabets, groupCount } from "./grid/alphabet";
import { weightCount } from "./graph/layers";
import { groupWeights, isStoredAsWanted, putGroup } from "./graph/weights";
import type { Linalg } from "./linalg/linalg";
import { roundedTo } from "./onnx/floats";
import type { Matrix } from "./matrix";
import { alignedBias } from "./methods/align";
import { applyMethod } from "./methods/catalog";
import type { Choice, Fit } from "./methods/layer";
import { roundWithoutData } from "./methods/msq";
import { neuronPieces } from "./methods/neurons";

/** One group of a layer and what it is asked to match; it hangs on the data and not on the bits. */
export interface AimedGroup {
  /** W, [inputs, neurons]. */
  readonly weights: Matrix;
  /** W~, what to round. */
  readonly target: Matrix;
  /** null without data. */
  readonly aim: Aim | null;
  /** Inputs that get most of their energy from one sample. */
  readonly dominatedInputs: number;
}

export interface RoundedGroup extends AimedGroup {
  readonly fit: Fit;
}

/** @param rows all rows of the fitted samples; null without data. */
export async function aimGroups(plan: LayerPlan, rows: DrawnRows | null, linalg: Linalg): Promise<AimedGroup[]> {
  const groups: AimedGroup[] = [];
  const stored = plan.weights();
  for (let group = 0; group < plan.layer.groups; group++) {
    const weights = groupWeights(plan.layer, stored, group);
    const ofGroup = rows && (await rows.group(group));
    const neurons = weights.columns;
    const bias = plan.layer.bias?.subarray(group * neurons, (group + 1) * neurons) ?? null;
    const aim = ofGroup && (await aimAt(plan, weights, bias, ofGroup, linalg));
    groups.push({
      weights,
      target: aim?.target ?? weights,
      aim,
      dominatedInputs: rows && ofGroup ? dominatedInputs(ofGroup.seen, rows.samples) : 0,
    });
  }
  return groups;
}

/**
 * Quantizes a layer group by group.
 *
 * @param given rows for a method that wants rows; null without data.
 */
export async function roundGroups(
  plan: LayerPlan,
  aimed: readonly AimedGroup[],
  given: DrawnRows | null,
  linalg: Linalg,
): Promise<{ codes: LayerCodes; groups: RoundedGroup[] }> {
  const { layer } = plan;
  const shared = await alphabetOfAllGroups(plan, linalg);
  let levels: Uint8Array = new Uint8Array(0);
  const groups: RoundedGroup[] = [];
  for (const [group, one] of aimed.entries()) {
    const wantsRows = plan.method === "maly-saab" && (plan.variant === "cell" || plan.variant === "range");
    const weighing = one.aim?.weighing;
    const fit = await applyMethod(
      {
        weights: one.target,
        metric: weighing && "metric" in weighing ? weighing.metric : null,
        inputs: wantsRows
          ? (await given?.group(group))?.seen
          : weighing && "rows" in weighing
            ? weighing.rows
            : undefined,
        cross: plan.method === "gpfq" ? one.aim?.cross : undefined,
        unaligned: one.target === one.weights ? undefined : one.weights,
      },
      {
        ...choiceOf(plan),
        given: shared && {
          ...shared,
          steps: filled(one.weights, shared.steps),
          zeroPoints: filled(one.weights, shared.zeroPoints),
        },
      },
      plan,
      linalg,
    );
    // In the stored order as they are: those of a large layer are not held twice.
    if (isStoredAsWanted(layer)) levels = fit.levels;
    else {
      if (group === 0) levels = new Uint8Array(weightCount(layer));
      putGroup(layer, levels, group, fit.levels);
    }
    groups.push({ ...one, fit });
  }
  const alphabets = joined(
    groups.map(one => one.fit.alphabets),
    layer.inputs,
  );
  return {
    codes: { layer, levels: () => levels, alphabets, bias: newBias(plan, groups) },
    groups,
  };
}

function choiceOf({ alphabet, bits, radius, perTensor, groupInputs, halfSteps }: LayerPlan): Choice {
  return { kind: alphabet, bits, radius, perTensor, groupInputs, halfSteps };
}

/** One alphabet for a layer of several groups, which are quantized one by one. */
async function alphabetOfAllGroups(plan: LayerPlan, linalg: Linalg): Promise<Alphabets | undefined> {
  if (!plan.perTensor || plan.layer.groups === 1) return undefined;
  const data = plan.weights();
  const column = { rows: data.length, columns: 1, data };
  return (await roundWithoutData(column, { ...choiceOf(plan), groupInputs: undefined }, linalg)).alphabets;
}

function filled(weights: Matrix, one: Float64Array): Float64Array {
  return new Float64Array(weights.columns).fill(one[0]!);
}

/** Where the fit was centred, the bias that takes the mean exactly; null where the layer keeps its own. */
function newBias({ layer, centre }: LayerPlan, groups: readonly RoundedGroup[]): Float32Array | null {
  if (!groups.every(one => one.aim?.alignment && centre)) return null;
  const neurons = layer.neurons / layer.groups;
  const bias = new Float32Array(layer.neurons);
  for (const [group, { aim, fit }] of groups.entries()) {
    for (const { from, to } of neuronPieces(layer.inputs, neurons)) {
      const values = dequantizeNeurons(layer, fit.levels, fit.alphabets, from, to);
      alignedBias(aim!.alignment!, values, from).forEach((value, j) => {
        const at = group * neurons + from + j;
        bias[at] = value + (layer.bias?.[at] ?? 0);
      });
    }
  }
  return roundedTo(layer.type, bias);
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
