import { symmetricEigen } from "./eigen";
import { kernelWalk } from "./kernelWalk";
import type { Linalg } from "./linalg";
import { type Matrix, type Matrix64, zeros64 } from "../matrix";

/**
 * The heavy loops in plain TypeScript.
 *
 * @param pause called between neurons or rows, so that a caller may show progress or stop.
 */
export function plainLinalg(pause: () => Promise<void>): Linalg {
  return {
    rowSpace: async (inputs, tolerance) => {
      await pause();
      return rowSpace(inputs, tolerance);
    },
    kernelWalk: (rowSpaceOf, weights, low, high) => kernelWalk(rowSpaceOf, weights, low, high, pause),
    squaredNorms: (inputs, weights) => squaredNorms(inputs, weights, pause),
  } as Linalg; // The other loops follow in the next commit.
}

// From XᵀX = V Λ Vᵀ the row space is Λ^½ Vᵀ. With fewer rows than inputs the smaller XXᵀ = U Λ Uᵀ has the same
// eigenvalues and Λ^½ Vᵀ = Uᵀ X.
function rowSpace(inputs: Matrix, tolerance: number): Matrix64 {
  const { rows, columns } = inputs;
  const wide = rows < columns;
  const { values, vectors } = symmetricEigen(wide ? gramOfRows(inputs) : gramOfColumns(inputs));
  const threshold = Math.max(values[0] ?? 0, 0) * tolerance;
  const rank = values.filter(value => value > threshold).length;
  const result = zeros64(rank, columns);
  for (let k = 0; k < rank; k++) {
    const out = result.data.subarray(k * columns, (k + 1) * columns);
    if (wide) {
      for (let r = 0; r < rows; r++) {
        const share = vectors.data[k * rows + r]!;
        for (let j = 0; j < columns; j++) out[j]! += share * inputs.data[r * columns + j]!;
      }
    } else {
      for (let j = 0; j < columns; j++) out[j] = Math.sqrt(values[k]!) * vectors.data[k * columns + j]!;
    }
  }
  return result;
}

/** XXᵀ, [m, m]. */
function gramOfRows({ rows, columns, data }: Matrix): Matrix64 {
  const gram = zeros64(rows, rows);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k <= i; k++) {
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += data[i * columns + j]! * data[k * columns + j]!;
      gram.data[i * rows + k] = gram.data[k * rows + i] = sum;
    }
  }
  return gram;
}

/** XᵀX, [inputs, inputs]. */
function gramOfColumns({ rows, columns, data }: Matrix): Matrix64 {
  const gram = zeros64(columns, columns);
  for (let r = 0; r < rows; r++) {
    const row = data.subarray(r * columns, (r + 1) * columns);
    for (let i = 0; i < columns; i++) {
      const x = row[i]!;
      if (x === 0) continue;
      for (let j = 0; j <= i; j++) gram.data[i * columns + j]! += x * row[j]!;
    }
  }
  for (let i = 0; i < columns; i++) {
    for (let j = i + 1; j < columns; j++) gram.data[i * columns + j] = gram.data[j * columns + i]!;
  }
  return gram;
}

/** Rows between two pauses: some milliseconds of work for the layers met so far. */
const ROWS_A_PAUSE = 64;

async function squaredNorms(inputs: Matrix, weights: Matrix, pause: () => Promise<void>): Promise<Float64Array> {
  const neurons = weights.columns;
  const squares = new Float64Array(neurons);
  const product = new Float64Array(neurons);
  for (let r = 0; r < inputs.rows; r++) {
    product.fill(0);
    for (let i = 0; i < inputs.columns; i++) {
      const x = inputs.data[r * inputs.columns + i]!;
      // Inputs behind a ReLU are zero half of the time.
      if (x === 0) continue;
      const start = i * neurons;
      for (let j = 0; j < neurons; j++) product[j]! += x * weights.data[start + j]!;
    }
    for (let j = 0; j < neurons; j++) squares[j]! += product[j]! * product[j]!;
    if (r % ROWS_A_PAUSE === ROWS_A_PAUSE - 1) await pause();
  }
  return squares;
}
