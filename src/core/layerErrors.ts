import type { DrawnRows } from "./calibration/rows";
import { dequantizeNeurons, type LayerCodes } from "./formats/codes";
import type { Linalg } from "./linalg/linalg";
import type { Matrix } from "./matrix";
import { informationLimit, rankOf } from "./methods/bound";
import { neuronPieces } from "./methods/neurons";
import type { RoundedGroup } from "./layerCodes";
import {
  errorsOnRows,
  layerErrorInMetric,
  layerErrorOnRows,
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
  /** The same behind the Relu or Clip that cuts the layer's outputs off; null where there is none. */
  readonly passedOnError: number | null;
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
 * @param given   rows of the fitted samples that the method was given; null without data.
 * @param all     whether these are the rows its metric was made of.
 * @param heldOut rows of the samples held out; null where there are none.
 */
export async function errorsOf(
  codes: LayerCodes,
  groups: readonly RoundedGroup[],
  given: DrawnRows | null,
  all: boolean,
  heldOut: DrawnRows | null,
  linalg: Linalg,
): Promise<LayerErrors> {
  const { layer } = codes;
  const neurons = layer.neurons / layer.groups;
  const judged = heldOut ?? given;
  const ofWeights: SquaredError[] = [];
  const onGiven: SquaredError[] = [];
  const onHeldOut: SquaredError[] = [];
  const propagated: SquaredError[] = [];
  const passedOn: SquaredError[] = [];
  const ofNeurons: (number | null)[] = [];
  let bound: number | null = 0;
  let limit: number | null = 0;
  let rank: number | null = null;
  for (const [group, { weights, target, aim, fit }] of groups.entries()) {
    // Levels are at hand, the values they stand for in memory of some neurons at a time.
    for (const { from, to } of neuronPieces(layer.inputs, neurons)) {
      const part = (bias: Float32Array | null): Float32Array | null =>
        bias?.subarray(group * neurons + from, group * neurons + to) ?? null;
      const both = {
        weights: neuronsOf(weights, from, to),
        target: neuronsOf(target, from, to),
        quantized: dequantizeNeurons(layer, fit.levels, fit.alphabets, from, to),
        bias: part(layer.bias),
        newBias: part(codes.bias ?? layer.bias),
      };
      const measure = async (drawn: DrawnRows) => {
        const rows = await drawn.group(group);
        const added = rows.added && {
          seen: neuronsOf(rows.added.seen, from, to),
          missing: neuronsOf(rows.added.missing, from, to),
        };
        return errorsOnRows({ ...rows, added, centred: codes.bias !== null }, both, linalg);
      };
      ofWeights.push(weightError(both.weights.data, both.quantized.data));
      const seen = judged && (await measure(judged));
      if (seen) {
        propagated.push(seen.propagated);
        if (seen.passedOn) passedOn.push(seen.passedOn);
        ofNeurons.push(...neuronErrors(seen.layer));
        (heldOut ? onHeldOut : onGiven).push(...seen.layer);
      }
      // What a fit was weighed by holds all rows of the fitted samples; a method that takes fewer is judged on those.
      if (!given || !aim || judged === given) continue;
      const squares = aim.squares.subarray(from, to);
      const { weighing } = aim;
      if (!all || isQuickerOnRows(given.count, layer.inputs)) onGiven.push(...(await measure(given)).layer);
      else if ("rows" in weighing) onGiven.push(...(await layerErrorOnRows(weighing.rows, squares, both, linalg)));
      else onGiven.push(...(await layerErrorInMetric(weighing.metric, given.count, squares, both, linalg)));
    }
    if (!given || !aim) continue;
    bound = bound === null || fit.bound === null ? null : bound + fit.bound * given.count;
    const spectrum =
      layer.inputs <= MOST_INPUTS_FOR_SPECTRUM && "metric" in aim.weighing
        ? await linalg.eigenvalues(aim.weighing.metric)
        : null;
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
    weightError: relativeError(ofWeights),
    layerError: given && relativeError(onGiven),
    layerErrorHeldOut: heldOut && relativeError(onHeldOut),
    propagatedError: given && relativeError(propagated),
    passedOnError: passedOn.length > 0 ? relativeError(passedOn) : null,
    neuronErrors: given && ofNeurons,
    bound: given && bound !== null && size > 0 ? Math.sqrt(bound / size) : null,
    limit: given && limit !== null && size > 0 ? Math.sqrt(limit / size) : null,
  };
}

/** Three products with the rows against one with a metric, which is made already. */
function isQuickerOnRows(rows: number, inputs: number): boolean {
  return inputs > MOST_INPUTS_FOR_SPECTRUM && 3 * rows < inputs;
}

/** Some neurons of a layer, [inputs, to - from]. */
function neuronsOf(matrix: Matrix, from: number, to: number): Matrix {
  const { rows, columns, data } = matrix;
  if (to - from === columns) return matrix;
  const width = to - from;
  const some = data instanceof Float64Array ? new Float64Array(rows * width) : new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) some.set(data.subarray(i * columns + from, i * columns + to), i * width);
  return { rows, columns: width, data: some };
}
