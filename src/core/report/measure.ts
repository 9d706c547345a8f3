import type { Linalg } from "../linalg/linalg";
import type { GroupRows } from "../calibration/rows";
import type { SeenRange } from "../graph/cutOffs";
import { type Matrix, type Matrix64, rowsFrom } from "../matrix";

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

/** Rows to measure on. */
export interface ErrorRows extends Pick<GroupRows, "float" | "seen"> {
  /** What is seen of the layer's outputs, and of the sum they enter; null for all. */
  readonly range?: SeenRange | null;
  /** [rows, neurons] each, as in `AddedRows`. */
  readonly added?: { readonly seen: Matrix; readonly missing: Matrix } | undefined;
  /** All products without their means over the rows: the bias of the layer takes the mean. */
  readonly centred: boolean;
}

/**
 * ||Y||² of the columns of responses that come in pieces, [rows, neurons] each; without the mean of each column where `centred`.
 */
export function squaresOf(neurons: number, centred: boolean) {
  const sums = new Float64Array(neurons);
  const squares = new Float64Array(neurons);
  let rows = 0;
  return {
    add(piece: Matrix): void {
      const { data } = piece;
      rows += piece.rows;
      for (let at = 0; at < data.length; at += neurons) {
        for (let j = 0; j < neurons; j++) {
          const value = data[at + j]!;
          sums[j]! += value;
          squares[j]! += value * value;
        }
      }
    },
    total: (): Float64Array =>
      centred ? squares.map((square, j) => Math.max(0, square - sums[j]! ** 2 / Math.max(rows, 1))) : squares,
  };
}

/** A group of a layer before and after, all [inputs, neurons]. */
export interface QuantizedGroup {
  /** W. */
  readonly weights: Matrix;
  /** W~, the weights the method was asked to round. */
  readonly target: Matrix;
  /** Q. */
  readonly quantized: Matrix;
  /** b and b~, [neurons]; null for none. */
  readonly bias: Float32Array | null;
  readonly newBias: Float32Array | null;
}

/** Rows taken at once: three responses of so many rows are in memory, in double precision. */
const ROWS_AT_ONCE = 1024;

/**
 * Errors of a layer on some rows.
 *
 * - `layer`, what rounding this layer added: ||X~(W~ - Q)||² beside ||XW||² of every neuron;
 * - `propagated`, what the next layer receives, earlier layers included: ||(X~Q + b~) - (XW + b)||² beside ||XW + b||²;
 * - `passedOn`, where a Relu or a Clip c stands before that: ||c(X~Q + b~ + S~) - c(XW + b + S)||² beside ||c(XW + b + S)||², S what
 *   is added in between; null where none does.
 */
export async function errorsOnRows(
  rows: ErrorRows,
  { weights, target, quantized, bias, newBias }: QuantizedGroup,
  linalg: Linalg,
): Promise<{ layer: SquaredError[]; propagated: SquaredError; passedOn: SquaredError | null }> {
  const neurons = weights.columns;
  const rounding = minus(target, quantized);
  const [lost, wanted] = [squaresOf(neurons, rows.centred), squaresOf(neurons, rows.centred)];
  let [difference, size] = [0, 0];
  const passedOn = rows.range ? { difference: 0, size: 0 } : null;
  for (let from = 0; from < rows.float.rows; from += ROWS_AT_ONCE) {
    const [float, seen] = [rowsFrom(rows.float, from, ROWS_AT_ONCE), rowsFrom(rows.seen, from, ROWS_AT_ONCE)];
    lost.add(await linalg.multiply(seen, rounding));
    const response = await linalg.multiply(float, weights);
    wanted.add(response);
    const found = await linalg.multiply(seen, quantized);
    for (let at = 0; at < response.data.length; at++) {
      const before = response.data[at]! + (bias?.[at % neurons] ?? 0);
      const after = found.data[at]! + (newBias?.[at % neurons] ?? 0);
      difference += (after - before) ** 2;
      size += before * before;
      if (!passedOn) continue;
      const added = rows.added?.seen.data[from * neurons + at] ?? 0;
      const missing = rows.added?.missing.data[from * neurons + at] ?? 0;
      const kept = clipped(before + added + missing, rows.range!);
      passedOn.difference += (clipped(after + added, rows.range!) - kept) ** 2;
      passedOn.size += kept * kept;
    }
  }
  return { layer: beside(lost.total(), wanted.total()), propagated: { difference, size }, passedOn };
}

/**
 * The error `layer` of `errorsOnRows` from the second moments of the rows: ||X~e||² = m eᵀCe.
 *
 * @param metric  C of m rows, [inputs, inputs]; centred where the layer's bias takes the mean.
 * @param squares ||XW||² of every neuron, centred as the metric is.
 */
export async function layerErrorInMetric(
  metric: Matrix64,
  m: number,
  squares: Float64Array,
  { target, quantized }: Pick<QuantizedGroup, "target" | "quantized">,
  linalg: Linalg,
): Promise<SquaredError[]> {
  const lost = await linalg.metricNorms(metric, minus(target, quantized));
  return beside(
    lost.map(square => m * square),
    squares,
  );
}

/**
 * The same from the rows themselves: ||X~e||².
 *
 * @param rows X~, [m, inputs]; centred where the layer's bias takes the mean.
 */
export async function layerErrorOnRows(
  rows: Matrix,
  squares: Float64Array,
  { target, quantized }: Pick<QuantizedGroup, "target" | "quantized">,
  linalg: Linalg,
): Promise<SquaredError[]> {
  return beside(await linalg.squaredNorms(rows, minus(target, quantized)), squares);
}

function clipped(value: number, { low, high }: SeenRange): number {
  return Math.min(high, Math.max(low, value));
}

function beside(differences: Float64Array, sizes: Float64Array): SquaredError[] {
  return Array.from(differences, (difference, neuron) => ({ difference, size: sizes[neuron]! }));
}

/** The relative error of each neuron. */
export function neuronErrors(errors: readonly SquaredError[]): (number | null)[] {
  return errors.map(one => relativeError([one]));
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

/** The error of an output whose tensors are not all there at once. */
export interface OutputComparison {
  add(pair: OutputPair): void;
  error(): OutputError;
}

export function outputComparison(): OutputComparison {
  let difference = 0;
  let wantedSquares = 0;
  let foundSquares = 0;
  let product = 0;
  let same = 0;
  let rows = 0;
  return {
    add({ wanted, found, columns }) {
      for (let i = 0; i < wanted.length; i++) {
        const y = wanted[i]!;
        const z = found[i]!;
        // Nothing is near to NaN or infinity, nor far from it.
        if (!Number.isFinite(y)) continue;
        difference += (y - z) ** 2;
        wantedSquares += y * y;
        foundSquares += z * z;
        product += y * z;
      }
      if (columns < 2) return;
      for (let start = 0; start < wanted.length; start += columns) {
        rows++;
        if (largestAt(wanted, start, columns) === largestAt(found, start, columns)) same++;
      }
    },
    error() {
      const error = relativeError([{ difference, size: wantedSquares }]);
      const lengths = Math.sqrt(wantedSquares * foundSquares);
      return {
        relativeError: error,
        sqnrDb: errorToDb(error),
        cosine: lengths > 0 ? product / lengths : null,
        top1Agreement: rows > 0 ? same / rows : null,
      };
    },
  };
}

/**
 * How much two lists of logits differ in what they say of the classes: KL(softmax(wanted) || softmax(found)) in nats, the mean
 * over the rows (all axes but the last).
 */
export function logitDivergence(): { add(pair: OutputPair): void; mean(): number } {
  let sum = 0;
  let rows = 0;
  return {
    add({ wanted, found, columns }) {
      for (let start = 0; start < wanted.length; start += columns) {
        const [left, right] = [logSumExp(wanted, start, columns), logSumExp(found, start, columns)];
        rows++;
        for (let k = start; k < start + columns; k++) {
          const share = Math.exp(wanted[k]! - left);
          if (share > 0) sum += share * (wanted[k]! - left - (found[k]! - right));
        }
      }
    },
    mean: () => sum / Math.max(1, rows),
  };
}

/** log of the sum of exp of `count` entries from `start`. */
export function logSumExp(values: ArrayLike<number>, start: number, count: number): number {
  const most = values[start + largestAt(values, start, count)]!;
  let sum = 0;
  for (let k = start; k < start + count; k++) sum += Math.exp(values[k]! - most);
  return most + Math.log(sum);
}

/** Place of the largest of `count` entries from `start`, counted from there; the first of equal ones. */
export function largestAt(values: ArrayLike<number>, start: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (values[start + k]! > values[start + best]!) best = k;
  return best;
}

function minus(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.data.length);
  for (let i = 0; i < data.length; i++) data[i] = a.data[i]! - b.data[i]!;
  return { rows: a.rows, columns: a.columns, data };
}

/** Two loads of one model differ by some percent; above this share of its memory a copy is not called smaller. */
const NO_SMALLER = 0.95;

/** Whether a loaded copy takes less memory than the loaded model. */
export function smallerInMemory(residentBytesFloat: number, residentBytesQuantized: number): boolean {
  return residentBytesQuantized <= NO_SMALLER * residentBytesFloat;
}
