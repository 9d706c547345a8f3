import { type Matrix, type Matrix64, zeros64 } from "../matrix";
import { addTo } from "./cholesky";
import type { MomentsSum } from "./linalg";

/** Called now and then inside a long loop, so that a caller may show progress or stop. */
export type Pause = () => Promise<void>;

/** Rows between two pauses: some milliseconds of work for the layers met so far. */
const ROWS_A_PAUSE = 64;

/** See `Linalg.moments`. */
export function moments(inputs: number, targets: number, pause: Pause): MomentsSum {
  const gram = zeros64(inputs, inputs);
  const cross = zeros64(inputs, targets);
  const inputSums = new Float64Array(inputs);
  const targetSums = new Float64Array(targets);
  let count = 0;

  const addRow = (x: Float64Array, y: Float64Array): void => {
    addTo(inputSums, x, 1, inputs);
    addTo(targetSums, y, 1, targets);
    for (let i = 0; i < inputs; i++) {
      // Inputs behind a ReLU are zero half of the time.
      if (x[i] === 0) continue;
      addTo(gram.data.subarray(i * inputs, (i + 1) * inputs), x, x[i]!, i + 1);
      addTo(cross.data.subarray(i * targets, (i + 1) * targets), y, x[i]!, targets);
    }
  };

  return {
    async add(x, y) {
      for (let r = 0; r < x.rows; r++) {
        addRow(rowOf(x, r), y ? rowOf(y, r) : new Float64Array(0));
        if (r % ROWS_A_PAUSE === ROWS_A_PAUSE - 1) await pause();
      }
      count += x.rows;
    },
    finish() {
      for (let i = 0; i < inputs; i++) {
        for (let j = i + 1; j < inputs; j++) gram.data[i * inputs + j] = gram.data[j * inputs + i]!;
      }
      return Promise.resolve({ rows: count, gram, cross, inputSums, targetSums });
    },
  };
}

/** See `Linalg.multiply`. */
export async function multiply(a: Matrix, b: Matrix, pause: Pause): Promise<Matrix64> {
  const product = zeros64(a.rows, b.columns);
  for (let i = 0; i < a.rows; i++) {
    const row = product.data.subarray(i * b.columns, (i + 1) * b.columns);
    for (let k = 0; k < a.columns; k++) {
      const share = a.data[i * a.columns + k]!;
      if (share !== 0) addTo(row, b.data.subarray(k * b.columns, (k + 1) * b.columns), share, b.columns);
    }
    if (i % ROWS_A_PAUSE === ROWS_A_PAUSE - 1) await pause();
  }
  return product;
}

/** See `Linalg.squaredNorms`. */
export async function squaredNorms(inputs: Matrix, weights: Matrix, pause: Pause): Promise<Float64Array> {
  const squares = new Float64Array(weights.columns);
  // A few rows at a time, so that XW need not fit into memory.
  for (let start = 0; start < inputs.rows; start += ROWS_A_PAUSE) {
    const rows = Math.min(ROWS_A_PAUSE, inputs.rows - start);
    const data = inputs.data.subarray(start * inputs.columns, (start + rows) * inputs.columns);
    const product = await multiply({ rows, columns: inputs.columns, data }, weights, pause);
    addProducts(squares, product, product);
  }
  return squares;
}

/** See `Linalg.metricNorms`. */
export async function metricNorms(metric: Matrix64, weights: Matrix, pause: Pause): Promise<Float64Array> {
  const norms = new Float64Array(weights.columns);
  addProducts(norms, weights, await multiply(metric, weights, pause));
  return norms.map(norm => Math.max(norm, 0));
}

/** Adds Σ_i a_ij b_ij of every column j. */
function addProducts(sums: Float64Array, a: Matrix, b: Matrix): void {
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++) sums[j]! += a.data[i * a.columns + j]! * b.data[i * a.columns + j]!;
  }
}

function rowOf({ columns, data }: Matrix, r: number): Float64Array {
  const row = data.subarray(r * columns, (r + 1) * columns);
  return row instanceof Float64Array ? row : Float64Array.from(row);
}
