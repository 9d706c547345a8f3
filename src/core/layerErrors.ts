import type { DrawnRows } from "./calibration/rows";
import { dequantize, type LayerCodes } from "./formats/codes";
import { groupWeights } from "./graph/weights";
import type { Linalg } from "./linalg/linalg";
import type { Matrix } from "./matrix";
import { informationLimit } from "./methods/bound";
import type { Fit } from "./methods/layer";
import type { Aim } from "./aim";
import {
  type ErrorRows,
  layerError,
  neuronErrors,
  propagatedError,
  relativeError,
  type SquaredError,
  weightError,
} from "./report/measure";

/** Errors of a layer (`measure.ts` says of what); null where there were no rows to measure on. */
export interface LayerErrors {
  readonly weightError: number | null;
  readonly layerError: number | null;
  readonly layerErrorHeldOut: number | null;
  readonly propagatedError: number | null;
  /** `layerErrorHeldOut` (without held-out rows: `layerError`) of each neuron, [neurons]. */
  readonly neuronErrors: readonly (number | null)[] | null;
  /** Proved bound of `layerError`; null where there is none. */
  readonly bound: number | null;
  /** What no quantizer of these bits could get below on Gaussian weights in this metric; null where it was not worked out. */
  readonly limit: number | null;
}

/** One group of a layer once it is quantized. */
export interface FittedGroup {
  /** W, [inputs, neurons]. */
  readonly weights: Matrix;
  /** W~, what was rounded. */
  readonly target: Matrix;
  readonly aim: Aim | null;
  /** Eigenvalues of the metric, largest first; null without data, or where they would take longer than the fit. */
  readonly spectrum: Float64Array | null;
  readonly dominatedInputs: number;
  readonly fit: Fit;
}

/** The limit speaks of long vectors; a layer with fewer inputs may well get below it. */
const LEAST_INPUTS_FOR_LIMIT = 64;

/**
 * What quantizing a layer cost.
 *
 * @param stored  W of all groups, in stored order.
 * @param given   rows of the fitted samples; null without data.
 * @param heldOut rows of the samples held out; null where there are none.
 */
export async function errorsOf(
  codes: LayerCodes,
  stored: Float32Array,
  groups: readonly FittedGroup[],
  given: DrawnRows | null,
  heldOut: DrawnRows | null,
  linalg: Linalg,
): Promise<LayerErrors> {
  const { layer } = codes;
  const values = dequantize(codes);
  const neurons = layer.neurons / layer.groups;
  const onGiven: SquaredError[] = [];
  const onHeldOut: SquaredError[] = [];
  const propagated: SquaredError[] = [];
  const ofNeurons: (number | null)[] = [];
  let bound: number | null = 0;
  let limit: number | null = 0;
  for (const [group, { weights, target, fit, spectrum }] of groups.entries()) {
    const quantized = groupWeights(layer, values, group);
    const part = (bias: Float32Array | null): Float32Array | null =>
      bias?.subarray(group * neurons, (group + 1) * neurons) ?? null;
    for (const drawn of [given, heldOut]) {
      if (!drawn) continue;
      const rows: ErrorRows = { ...drawn.group(group), centred: codes.bias !== null };
      const errors = await layerError(rows, weights, target, quantized, linalg);
      (drawn === heldOut ? onHeldOut : onGiven).push(...errors);
      if (drawn === given) bound = bound === null || fit.bound === null ? null : bound + fit.bound * given.count;
      if (drawn === given) {
        const least =
          layer.inputs < LEAST_INPUTS_FOR_LIMIT
            ? null
            : spectrum && informationLimit(spectrum, target, fit.alphabets.levels);
        limit = limit === null || least === null ? null : limit + least * given.count;
      }
      if (drawn !== (heldOut ?? given)) continue;
      ofNeurons.push(...neuronErrors(errors));
      const bias = part(layer.bias);
      propagated.push(await propagatedError(rows, weights, quantized, bias, part(codes.bias) ?? bias, linalg));
    }
  }
  const size = onGiven.reduce((sum, one) => sum + one.size, 0);
  return {
    weightError: relativeError([weightError(stored, values)]),
    layerError: given && relativeError(onGiven),
    layerErrorHeldOut: heldOut && relativeError(onHeldOut),
    propagatedError: given && relativeError(propagated),
    neuronErrors: given && ofNeurons,
    bound: given && bound !== null && size > 0 ? Math.sqrt(bound / size) : null,
    limit: given && limit !== null && size > 0 ? Math.sqrt(limit / size) : null,
  };
}
