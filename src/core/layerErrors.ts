import type { DrawnRows } from "./calibration/rows";
import { dequantize, type LayerCodes } from "./formats/codes";
import { groupWeights } from "./graph/weights";
import type { Linalg } from "./linalg/linalg";
import { informationLimit, rankOf } from "./methods/bound";
import type { RoundedGroup } from "./layerCodes";
import {
  errorsOnRows,
  layerErrorInMetric,
  neuronErrors,
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
  /** Rank of the metric, of its largest group; null without data, or where it was not worked out. */
  readonly rank: number | null;
}

/** Beyond this many inputs the eigenvalues that rank and limit are read off take longer than the fit. */
const MOST_INPUTS_FOR_SPECTRUM = 1024;
/** The limit speaks of long vectors; a layer with fewer inputs may well get below it. */
const LEAST_INPUTS_FOR_LIMIT = 64;

/**
 * What quantizing a layer cost.
 *
 * @param stored  W of all groups, in stored order.
 * @param given   rows of the fitted samples that the method was given; null without data.
 * @param all     whether these are the rows its metric was made of.
 * @param heldOut rows of the samples held out; null where there are none.
 */
export async function errorsOf(
  codes: LayerCodes,
  stored: Float32Array,
  groups: readonly RoundedGroup[],
  given: DrawnRows | null,
  all: boolean,
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
  let rank: number | null = null;
  for (const [group, { weights, target, aim, fit }] of groups.entries()) {
    const quantized = groupWeights(layer, values, group);
    const part = (bias: Float32Array | null): Float32Array | null =>
      bias?.subarray(group * neurons, (group + 1) * neurons) ?? null;
    const both = { weights, target, quantized, bias: part(layer.bias), newBias: part(codes.bias ?? layer.bias) };
    const measure = async (rows: DrawnRows) =>
      errorsOnRows({ ...(await rows.group(group)), centred: codes.bias !== null }, both, linalg);
    const judged = heldOut ?? given;
    const seen = judged && (await measure(judged));
    if (seen) {
      propagated.push(seen.propagated);
      ofNeurons.push(...neuronErrors(seen.layer));
    }
    if (heldOut && seen) onHeldOut.push(...seen.layer);
    if (!given || !aim) continue;
    // The metric holds all rows of the fitted samples; a method that takes fewer is judged on those.
    if (judged === given) onGiven.push(...seen!.layer);
    else if (all) onGiven.push(...(await layerErrorInMetric(aim.metric, given.count, aim.squares, both, linalg)));
    else onGiven.push(...(await measure(given)).layer);
    bound = bound === null || fit.bound === null ? null : bound + fit.bound * given.count;
    const spectrum = layer.inputs <= MOST_INPUTS_FOR_SPECTRUM ? await linalg.eigenvalues(aim.metric) : null;
    if (spectrum) rank = Math.max(rank ?? 0, rankOf(spectrum));
    const least =
      spectrum && layer.inputs >= LEAST_INPUTS_FOR_LIMIT
        ? informationLimit(spectrum, target, fit.alphabets.levels)
        : null;
    limit = limit === null || least === null ? null : limit + least * given.count;
  }
  const size = onGiven.reduce((sum, one) => sum + one.size, 0);
  return {
    rank,
    weightError: relativeError([weightError(stored, values)]),
    layerError: given && relativeError(onGiven),
    layerErrorHeldOut: heldOut && relativeError(onHeldOut),
    propagatedError: given && relativeError(propagated),
    neuronErrors: given && ofNeurons,
    bound: given && bound !== null && size > 0 ? Math.sqrt(bound / size) : null,
    limit: given && limit !== null && size > 0 ? Math.sqrt(limit / size) : null,
  };
}
