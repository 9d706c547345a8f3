import type { Linalg } from "../linalg/linalg";
import type { GroupRows } from "../calibration/rows";
import type { Matrix } from "../matrix";

// The only place that defines an error or a size. Every figure of a report, of any method, comes from here, from the
// values as they are written. Errors are relative and Frobenius; null where they are relative to nothing.

/** The square of a difference beside the square of what it is relative to; groups and runs are summed before the root. */
export interface SquaredError {
  readonly difference: number;
  readonly size: number;
}

export function relativeError(parts: readonly SquaredError[]): number | null {
  const difference = parts.reduce((sum, part) => sum + part.difference, 0);
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (size > 0) return Math.sqrt(difference / size);
  return difference === 0 ? 0 : null;
}

/** Signal to noise in dB of a relative error; null where there is no noise, or no signal. */
export function errorToDb(error: number | null): number | null {
  return error === null || error === 0 ? null : -20 * Math.log10(error);
}

/** ||W - Q||² beside ||W||². */
export function weightError(weights: ArrayLike<number>, quantized: ArrayLike<number>): SquaredError {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < weights.length; i++) {
    difference += (weights[i]! - quantized[i]!) ** 2;
    size += weights[i]! ** 2;
  }
  return { difference, size };
}

/**
 * What rounding this layer added, neuron by neuron: ||X~(w~ - q)||² beside ||Xw||².
 *
 * @param weights   W, [inputs, neurons].
 * @param target    W~, the weights the method was asked to round.
 * @param quantized Q.
 * @returns [neurons]; the layer's error is the relative error of all of them together.
 */
export async function layerErrors(
  rows: GroupRows,
  weights: Matrix,
  target: Matrix,
  quantized: Matrix,
  linalg: Linalg,
): Promise<SquaredError[]> {
  const differences = await linalg.squaredNorms(rows.seen, minus(target, quantized));
  const sizes = await linalg.squaredNorms(rows.float, weights);
  return Array.from(differences, (difference, neuron) => ({ difference, size: sizes[neuron]! }));
}

/**
 * What the next layer receives, earlier layers included: ||(X~Q + b) - (XW + b)||² beside ||XW + b||².
 *
 * @param bias b, [neurons]; null for none.
 */
export async function propagatedError(
  rows: GroupRows,
  weights: Matrix,
  quantized: Matrix,
  bias: ArrayLike<number> | null,
  linalg: Linalg,
): Promise<SquaredError> {
  // X~Q - XW = [X~ X] [Q; -W], and XW + b = [X 1] [W; b].
  const difference =
    rows.seen === rows.float
      ? linalg.squaredNorms(rows.float, minus(quantized, weights))
      : linalg.squaredNorms(beside(rows.seen, rows.float), above(quantized, scaled(weights, -1)));
  const size = bias
    ? linalg.squaredNorms(
        beside(rows.float, ones(rows.float.rows)),
        above(weights, { rows: 1, columns: bias.length, data: Float64Array.from(bias) }),
      )
    : linalg.squaredNorms(rows.float, weights);
  return { difference: total(await difference), size: total(await size) };
}

/** How an output of a copy compares with the float model's, all samples together. */
export interface OutputError {
  readonly relativeError: number | null;
  readonly sqnrDb: number | null;
  readonly cosine: number | null;
  /** Share of rows (all axes but the last) whose largest entry is at the same place; null for outputs of one column. */
  readonly top1Agreement: number | null;
}

/** One pair of tensors of an output. */
export interface OutputPair {
  readonly wanted: ArrayLike<number>;
  readonly found: ArrayLike<number>;
  /** Length of the last axis. */
  readonly columns: number;
}

export function compareOutputs(pairs: readonly OutputPair[]): OutputError {
  let difference = 0;
  let wantedSquares = 0;
  let foundSquares = 0;
  let product = 0;
  let same = 0;
  let rows = 0;
  for (const { wanted, found, columns } of pairs) {
    for (let i = 0; i < wanted.length; i++) {
      const y = wanted[i]!;
      const z = found[i]!;
      difference += (y - z) ** 2;
      wantedSquares += y * y;
      foundSquares += z * z;
      product += y * z;
    }
    if (columns < 2) continue;
    for (let start = 0; start < wanted.length; start += columns) {
      rows++;
      if (largestAt(wanted, start, columns) === largestAt(found, start, columns)) same++;
    }
  }
  const error = relativeError([{ difference, size: wantedSquares }]);
  const lengths = Math.sqrt(wantedSquares * foundSquares);
  return {
    relativeError: error,
    sqnrDb: errorToDb(error),
    cosine: lengths > 0 ? product / lengths : null,
    top1Agreement: rows > 0 ? same / rows : null,
  };
}

/** Place of the largest of `count` entries from `start`, counted from there; the first of equal ones. */
export function largestAt(values: ArrayLike<number>, start: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (values[start + k]! > values[start + best]!) best = k;
  return best;
}

function total(squares: Float64Array): number {
  return squares.reduce((sum, square) => sum + square, 0);
}

function minus(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.data.length);
  for (let i = 0; i < data.length; i++) data[i] = a.data[i]! - b.data[i]!;
  return { rows: a.rows, columns: a.columns, data };
}

function scaled(a: Matrix, factor: number): Matrix {
  return { rows: a.rows, columns: a.columns, data: Float64Array.from(a.data, value => factor * value) };
}

function ones(rows: number): Matrix {
  return { rows, columns: 1, data: new Float64Array(rows).fill(1) };
}

function above(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.data.length + b.data.length);
  data.set(a.data);
  data.set(b.data, a.data.length);
  return { rows: a.rows + b.rows, columns: a.columns, data };
}

function beside(a: Matrix, b: Matrix): Matrix {
  const columns = a.columns + b.columns;
  const data = new Float32Array(a.rows * columns);
  for (let r = 0; r < a.rows; r++) {
    data.set(a.data.subarray(r * a.columns, (r + 1) * a.columns), r * columns);
    data.set(b.data.subarray(r * b.columns, (r + 1) * b.columns), r * columns + a.columns);
  }
  return { rows: a.rows, columns, data };
}
