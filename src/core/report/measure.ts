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

type SeenRows = Pick<GroupRows, "float" | "seen">;

/** Rows to measure on. */
export interface ErrorRows extends SeenRows {
  /** All products without their means over the rows: the bias of the layer takes the mean. */
  readonly centred: boolean;
}

/**
 * What rounding this layer added: ||X~(W~ - Q)||² beside ||XW||² of every neuron.
 *
 * @param weights   W, [inputs, neurons].
 * @param target    W~, the weights the method was asked to round.
 * @param quantized Q.
 */
export async function layerError(
  rows: ErrorRows,
  weights: Matrix,
  target: Matrix,
  quantized: Matrix,
  linalg: Linalg,
): Promise<SquaredError[]> {
  const norms = (inputs: Matrix, columns: Matrix): Promise<Float64Array> =>
    rows.centred ? centredNorms(inputs, columns, linalg) : linalg.squaredNorms(inputs, columns);
  const difference = await norms(rows.seen, minus(target, quantized));
  const size = await norms(rows.float, weights);
  return Array.from(difference, (squares, neuron) => ({ difference: squares, size: size[neuron]! }));
}

/** The relative error of each neuron. */
export function neuronErrors(errors: readonly SquaredError[]): (number | null)[] {
  return errors.map(one => relativeError([one]));
}

/** ||Xv - mean(Xv)||² = ||Xv||² - m (mean(X) v)² of every column v. */
async function centredNorms(inputs: Matrix, columns: Matrix, linalg: Linalg): Promise<Float64Array> {
  const norms = await linalg.squaredNorms(inputs, columns);
  const m = inputs.rows;
  const sums = new Float64Array(inputs.columns);
  for (let r = 0; r < m; r++) for (let i = 0; i < sums.length; i++) sums[i]! += inputs.data[r * sums.length + i]!;
  const means = new Float64Array(columns.columns);
  for (let i = 0; i < sums.length; i++) {
    for (let j = 0; j < means.length; j++) means[j]! += (sums[i]! / m) * columns.data[i * means.length + j]!;
  }
  return norms.map((norm, j) => Math.max(0, norm - m * means[j]! ** 2));
}

/**
 * What the next layer receives, earlier layers included: ||(X~Q + b~) - (XW + b)||² beside ||XW + b||².
 *
 * @param bias    b, [neurons]; null for none.
 * @param newBias b~.
 */
export async function propagatedError(
  rows: SeenRows,
  weights: Matrix,
  quantized: Matrix,
  bias: Float32Array | null,
  newBias: Float32Array | null,
  linalg: Linalg,
): Promise<SquaredError> {
  // X~Q + b~ - XW - b = [X~ X 1] [Q; -W; b~ - b], and XW + b = [X 1] [W; b].
  const one = ones(rows.float.rows);
  const none = new Float32Array(weights.columns);
  const [before, after] = [rowOf(bias ?? none), rowOf(newBias ?? none)];
  const difference =
    rows.seen === rows.float
      ? linalg.squaredNorms(beside(rows.float, one), above(minus(quantized, weights), minus(after, before)))
      : linalg.squaredNorms(
          beside(beside(rows.seen, rows.float), one),
          above(above(quantized, scaled(weights, -1)), minus(after, before)),
        );
  const size = linalg.squaredNorms(beside(rows.float, one), above(weights, before));
  return { difference: total(await difference), size: total(await size) };
}

function rowOf(values: Float32Array): Matrix {
  return { rows: 1, columns: values.length, data: values };
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
