import { type Matrix, type Matrix64, zeros64 } from "../matrix";
import { factor, solve, walkOrder } from "./cholesky";
import { symmetricEigen } from "./eigen";
import { eigenvalues } from "./eigenvalues";
import { kernelWalk } from "./kernelWalk";
import type { Linalg } from "./linalg";
import { metricNorms, moments, multiply, type Pause, squaredNorms } from "./products";
import { descend, neighbours, pairs } from "./refine";
import { nearest, roundingErrors } from "./rounding";
import { sweep, walk } from "./walk";

/**
 * The heavy loops in plain TypeScript and double precision.
 *
 * @param pause called between neurons or rows, so that a caller may show progress or stop.
 */
export function plainLinalg(pause: Pause): Linalg {
  /** A loop that has no neurons or rows to pause between. */
  const whole = async <Result>(loop: () => Result): Promise<Result> => {
    await pause();
    return loop();
  };
  return {
    moments: (inputs, targets) => whole(() => moments(inputs, targets, pause)),
    multiply: (a, b) => multiply(a, b, pause),
    walkOrder: metric => whole(() => walkOrder(metric)),
    factor: (metric, order) => whole(() => factor(metric, order)),
    solve: (metric, right) => whole(() => solve(metric, right)),
    eigenvalues: symmetric => whole(() => eigenvalues(symmetric)),
    neighbours: (metric, count) => whole(() => neighbours(metric, count)),
    nearest: (weights, grids) => whole(() => nearest(weights, grids)),
    roundingErrors: async (weights, importance, candidates) => {
      const errors: Float64Array[] = [];
      for (const grids of candidates) errors.push(await whole(() => roundingErrors(weights, importance, grids)));
      return errors;
    },
    sweep: (weights, feedback, grids, shifts) => sweep(weights, feedback, grids, shifts, pause),
    walk: (weights, walkFactor, grids, paths, block) => walk(weights, walkFactor, grids, paths, block, pause),
    descend: (weights, levels, metric, grids, sweeps) => descend(weights, levels, metric, grids, sweeps, pause),
    pairs: (weights, levels, metric, grids, near, sweeps) =>
      pairs(weights, levels, metric, grids, near, sweeps, pause),
    squaredNorms: (inputs, weights) => squaredNorms(inputs, weights, pause),
    metricNorms: (metric, weights) => metricNorms(metric, weights, pause),
    rowSpace: (inputs, tolerance) => whole(() => rowSpace(inputs, tolerance)),
    kernelWalk: (rowSpaceOf, weights, low, high) => kernelWalk(rowSpaceOf, weights, low, high, pause),
  };
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
