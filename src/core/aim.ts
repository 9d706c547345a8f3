import type { GroupRows } from "./calibration/rows";
import type { Linalg } from "./linalg/linalg";
import { type Matrix, type Matrix64, rowsFrom } from "./matrix";
import { align, type Alignment } from "./methods/align";
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
  /** C, [inputs, inputs]. */
  readonly metric: Matrix64;
  /** X~ᵀX / m, [inputs, inputs]: what the two networks feed the layer, one against the other. */
  readonly cross: Matrix64 | undefined;
  /** ||XW||² of every neuron, [neurons], centred where the metric is. */
  readonly squares: Float64Array;
  readonly alignment: Alignment | null;
  /** The ridge of the alignment; null where there is none. */
  readonly ridge: number | null;
}

/** Rows taken at once: their float response is in memory, [rows, neurons] in double precision. */
const ROWS_AT_ONCE = 2048;

/**
 * @param weights W, [inputs, neurons].
 * @param bias    b, [neurons]; null for none.
 * @param rows    all rows of the fitted samples.
 */
export async function aimAt(
  choice: AimChoice & { method: string },
  weights: Matrix,
  bias: Float32Array | null,
  rows: GroupRows,
  linalg: Linalg,
): Promise<Aim> {
  if (choice.target === "quantized" || rows.seen === rows.float) {
    const metric = await meanGram([rows.seen], linalg);
    return {
      target: weights,
      metric,
      squares:
        rows.seen === rows.float
          ? (await linalg.metricNorms(metric, weights)).map(square => rows.seen.rows * square)
          : await linalg.squaredNorms(rows.float, weights),
      cross: choice.method === "gpfq" && rows.seen !== rows.float ? await meanCross(rows, linalg) : undefined,
      alignment: null,
      ridge: null,
    };
  }
  const moments = await linalg.moments(weights.rows, weights.columns);
  const responses = squaresOf(weights.columns, choice.centre);
  for (let start = 0; start < rows.seen.rows; start += ROWS_AT_ONCE) {
    const seen = rowsFrom(rows.seen, start, ROWS_AT_ONCE);
    const response = await linalg.multiply(rowsFrom(rows.float, start, ROWS_AT_ONCE), weights);
    responses.add(response);
    // Where the output enters a sum, what the rest of the sum has lost is asked of this layer too.
    if (rows.added) addTo(response, rowsFrom(rows.added.missing, start, ROWS_AT_ONCE));
    await moments.add(seen, response);
  }
  const asked = await moments.finish();
  let alignment = await align(asked, weights, choice.centre, linalg);
  if (rows.range) {
    const less = await askedOneSided(asked, alignment, { ...rows, range: rows.range }, weights, bias, linalg);
    alignment = await align(less, weights, choice.centre, linalg);
  }
  // The alignment has moved the weights to what X~ can give of XW; from there on both networks feed the layer X~.
  return {
    target: alignment.target,
    metric: alignment.metric,
    cross: undefined,
    squares: responses.total(),
    alignment,
    ridge: alignment.ridge,
  };
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
