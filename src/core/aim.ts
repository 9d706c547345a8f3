import type { GroupRows } from "./calibration/rows";
import type { Linalg } from "./linalg/linalg";
import { type Matrix, type Matrix64, rowsFrom } from "./matrix";
import { align, type Alignment } from "./methods/align";
import { alignOnRows } from "./methods/alignOnRows";
import { type FitOptions, MOST_METRIC_INPUTS, needsMetric } from "./methods/catalog";
import { meanGram } from "./methods/damping";
import { askedOneSided } from "./oneSided";
import { squaresOf } from "./report/measure";

/** What a layer is asked to match. */
export interface AimChoice {
  /** `float`: the response XW of the float network, or the sum it enters; `quantized`: its own weights on the inputs it sees, X~W. */
  readonly target: "float" | "quantized";
  /** Whether the bias may take the mean, so that nothing of it is left for the weights. */
  readonly centre: boolean;
  /** Whether of a response that is cut off behind the layer no more is asked than that it be cut off. */
  readonly oneSided: boolean;
}

/** Which weights to round, and in which metric the rounding counts. */
export interface Aim {
  /** W~, [inputs, neurons]. */
  readonly target: Matrix;
  /** In what errors count. */
  readonly weighing: Weighing;
  /** X~ᵀX / m, [inputs, inputs]: what the two networks feed the layer, one against the other. */
  readonly cross: Matrix64 | undefined;
  /** ||XW||² of every neuron, [neurons], centred where the metric is. */
  readonly squares: Float64Array;
  readonly alignment: Alignment | null;
  /** The ridge of the alignment; null where there is none. */
  readonly ridge: number | null;
}

/** What an error e of the weights costs: eᵀCe, or ||Xe||² / m on the m rows C would be made of. */
export type Weighing =
  /** C, [inputs, inputs]. */
  | { readonly metric: Matrix64 }
  /** X~, [m, inputs], without its means where the bias takes them. */
  | { readonly rows: Matrix<Float32Array> };

/** Up to so many inputs C is small, and its eigenvalues are wanted. */
const SMALL_METRIC_INPUTS = 1024;
/** Rows that say what an error costs for less than C does. */
const FEW_ROWS = 2048;

/** Rows of the fitted samples a layer is fitted on: beyond the inputs of which C is made, so many that it is not missed. */
export function mostFittedRows(inputs: number): number {
  return inputs > MOST_METRIC_INPUTS ? FEW_ROWS : Infinity;
}

/** Whether errors are weighed on the rows and C, of inputs × inputs, is not made. */
function isOnRows(options: FitOptions, inputs: number, rows: number): boolean {
  if (inputs <= SMALL_METRIC_INPUTS || rows > FEW_ROWS) return false;
  return inputs > MOST_METRIC_INPUTS || (rows < inputs && !needsMetric(options));
}

/**
 * Rows an input from which on less is asked where answers are cut off: with fewer, what is not asked for is missed: 0.3 dB on
 * average over the cases of the reference's network (test/engine/network.test.ts), 80 rows of 24 inputs.
 */
const ONE_SIDED_ROWS = 10;

/** Rows taken at once: their float response is in memory, [rows, neurons] in double precision. */
const ROWS_AT_ONCE = 2048;

/**
 * @param weights W, [inputs, neurons].
 * @param bias    b, [neurons]; null for none.
 * @param rows    all rows of the fitted samples.
 */
export async function aimAt(
  choice: AimChoice & FitOptions,
  weights: Matrix,
  bias: Float32Array | null,
  rows: GroupRows,
  linalg: Linalg,
): Promise<Aim> {
  const onRows = isOnRows(choice, weights.rows, rows.seen.rows);
  if (choice.target === "quantized" || rows.seen === rows.float) {
    const isQuicker = weights.rows > SMALL_METRIC_INPUTS && rows.float.rows < weights.rows;
    const ofRows = rows.seen !== rows.float || isQuicker ? await linalg.squaredNorms(rows.float, weights) : null;
    const aim = { target: weights, alignment: null, ridge: null };
    if (onRows && ofRows) return { ...aim, weighing: { rows: rows.seen }, squares: ofRows, cross: undefined };
    const metric = await meanGram([rows.seen], linalg);
    const inMetric = async () => (await linalg.metricNorms(metric, weights)).map(square => rows.seen.rows * square);
    return {
      ...aim,
      weighing: { metric },
      squares: ofRows ?? (await inMetric()),
      cross: choice.method === "gpfq" && rows.seen !== rows.float ? await meanCross(rows, linalg) : undefined,
    };
  }
  const responses = squaresOf(weights.columns, choice.centre);
  if (onRows) {
    const response = await responseTo(rows, 0, weights, responses, linalg);
    const { inputs, ...alignment } = await alignOnRows(rows.seen, response, weights, choice.centre, linalg);
    return alignedAim(alignment, { rows: inputs }, responses.total());
  }
  const moments = await linalg.moments(weights.rows, weights.columns);
  for (let start = 0; start < rows.seen.rows; start += ROWS_AT_ONCE) {
    const some = rowsFrom(rows.seen, start, ROWS_AT_ONCE);
    await moments.add(some, await responseTo(rows, start, weights, responses, linalg));
  }
  const asked = await moments.finish();
  let found = await align(asked, weights, choice.centre, linalg);
  if (rows.range && rows.seen.rows >= ONE_SIDED_ROWS * weights.rows) {
    const less = await askedOneSided(asked, found, { ...rows, range: rows.range }, weights, bias, linalg);
    found = await align(less, weights, choice.centre, linalg);
  }
  const { metric, ...alignment } = found;
  return alignedAim(alignment, { metric }, responses.total());
}

/** The alignment has moved the weights to what X~ can give of XW; from there on both networks feed the layer X~. */
function alignedAim(alignment: Alignment, weighing: Weighing, squares: Float64Array): Aim {
  return { target: alignment.target, weighing, cross: undefined, squares, alignment, ridge: alignment.ridge };
}

/** What is asked of the layer on some rows, [rows, neurons]: XW, and where its output enters a sum what the rest of that lost. */
async function responseTo(
  rows: GroupRows,
  start: number,
  weights: Matrix,
  responses: ReturnType<typeof squaresOf>,
  linalg: Linalg,
): Promise<Matrix64> {
  const response = await linalg.multiply(rowsFrom(rows.float, start, ROWS_AT_ONCE), weights);
  responses.add(response);
  if (rows.added) addTo(response, rowsFrom(rows.added.missing, start, ROWS_AT_ONCE));
  return response;
}

async function meanCross({ seen, float }: GroupRows, linalg: Linalg): Promise<Matrix64> {
  const moments = await linalg.moments(seen.columns, float.columns);
  await moments.add(seen, float);
  const { cross, rows } = await moments.finish();
  return { ...cross, data: cross.data.map(value => value / rows) };
}

function addTo(sums: Matrix, { data }: Matrix): void {
  for (let at = 0; at < data.length; at++) sums.data[at]! += data[at]!;
}
