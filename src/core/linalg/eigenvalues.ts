import type { Matrix64 } from "../matrix";
import { addTo } from "./cholesky";

/** Halvings of an interval: 52 bits of the largest eigenvalue, and some. */
const HALVINGS = 60;

/** Columns shorter than this share of the matrix are rounding noise, and too short to reflect. */
const NEGLIGIBLE = 1e-20;

/** See `Linalg.eigenvalues`: to a tridiagonal matrix by reflections, then each eigenvalue by halving (Sturm sequences). */
export function eigenvalues(symmetric: Matrix64): Float64Array {
  const { diagonal, beside } = tridiagonal(symmetric);
  const n = diagonal.length;
  let bound = 0; // Gershgorin
  for (let i = 0; i < n; i++) {
    bound = Math.max(bound, Math.abs(diagonal[i]!) + Math.abs(beside[i] ?? 0) + Math.abs(beside[i - 1] ?? 0));
  }
  const values = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    let [low, high] = [-bound, k > 0 ? values[k - 1]! : bound];
    for (let halving = 0; halving < HALVINGS; halving++) {
      const middle = (low + high) / 2;
      // More than k eigenvalues at or above the middle: the k-th largest is one of them.
      if (n - countBelow(diagonal, beside, middle) > k) low = middle;
      else high = middle;
    }
    values[k] = (low + high) / 2;
  }
  return values;
}

/** How many eigenvalues lie below x: the negative pivots of T - xI. */
function countBelow(diagonal: Float64Array, beside: Float64Array, x: number): number {
  let count = 0;
  let pivot = 1;
  for (let i = 0; i < diagonal.length; i++) {
    const b = i > 0 ? beside[i - 1]! : 0;
    pivot = diagonal[i]! - x - (b * b) / pivot;
    if (pivot === 0) pivot = Number.MIN_VALUE;
    if (pivot < 0) count++;
  }
  return count;
}

/** Householder's reduction (Golub & Van Loan, algorithm 8.3.1). */
function tridiagonal(symmetric: Matrix64): { diagonal: Float64Array; beside: Float64Array } {
  const n = symmetric.rows;
  const a = symmetric.data.slice();
  const beside = new Float64Array(Math.max(0, n - 1));
  let squares = 0;
  for (const entry of a) squares += entry * entry;
  const negligible = NEGLIGIBLE * Math.sqrt(squares);
  for (let k = 0; k < n - 1; k++) {
    // v reflects what stands in column k below the diagonal onto its first entry.
    const v = new Float64Array(n);
    for (let i = k + 1; i < n; i++) v[i] = a[i * n + k]!;
    const length = Math.hypot(...v.subarray(k + 1));
    const first = v[k + 1]!;
    beside[k] = first > 0 ? -length : length;
    if (length <= negligible || k === n - 2) {
      beside[k] = first;
      continue;
    }
    v[k + 1] = first - beside[k]!;
    const beta = 1 / (length * (length + Math.abs(first))); // 2 / vᵀv
    const p = new Float64Array(n);
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += a[i * n + j]! * v[j]!;
      p[i] = beta * sum;
    }
    let pv = 0;
    for (let i = k + 1; i < n; i++) pv += p[i]! * v[i]!;
    addTo(p, v, (-beta * pv) / 2, n);
    for (let i = k + 1; i < n; i++) {
      const row = a.subarray(i * n, (i + 1) * n);
      addTo(row, p, -v[i]!, n);
      addTo(row, v, -p[i]!, n);
    }
  }
  return { diagonal: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!), beside };
}
