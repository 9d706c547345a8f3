import { type Matrix, type Matrix64, zeros64 } from "../matrix";
import type { Factor } from "./linalg";
import { inOrder } from "./rounding";

/**
 * See `Linalg.walkOrder`. Every pivot is the squared distance of its input to the span of those already placed; after it, what
 * the input explains of the others is taken out of H.
 */
export function walkOrder(metric: Matrix64): Int32Array {
  const n = metric.rows;
  const a = metric.data.slice();
  const left = new Uint8Array(n).fill(1);
  const order = new Int32Array(n);
  const c = new Float64Array(n);
  for (let place = n - 1; place >= 0; place--) {
    let i = -1;
    for (let r = 0; r < n; r++) if (left[r] && (i < 0 || a[r * n + r]! < a[i * n + i]!)) i = r;
    left[i] = 0;
    order[place] = i;
    const pivot = a[i * n + i]!;
    if (!(pivot > 0)) continue; // Already in the span: it explains nothing that is left.
    for (let r = 0; r < n; r++) c[r] = a[i * n + r]! / Math.sqrt(pivot);
    for (let r = 0; r < n; r++) {
      if (left[r] && c[r] !== 0) addTo(a.subarray(r * n, (r + 1) * n), c, -c[r]!, n);
    }
  }
  return order;
}

/**
 * See `Linalg.factor`. From H_ij = Σ_k L_ki L_kj the last row of L is the last row of H over the root of its corner; taking its
 * products out leaves the same problem with one row less.
 */
export function factor(metric: Matrix64, order: Int32Array): Factor | null {
  const n = metric.rows;
  const lower = permuted(metric, order);
  const a = lower.data;
  for (let k = n - 1; k >= 0; k--) {
    const row = a.subarray(k * n, (k + 1) * n);
    const pivot = row[k]!;
    if (!(pivot > 0)) return null;
    for (let j = 0; j <= k; j++) row[j]! /= Math.sqrt(pivot);
    row.fill(0, k + 1);
    for (let i = 0; i < k; i++) {
      if (row[i] !== 0) addTo(a.subarray(i * n, (i + 1) * n), row, -row[i]!, i + 1);
    }
  }
  return { order, lower };
}

/** See `Linalg.solve`: Lᵀ y = b from the last row up, then L x = y from the first row down. */
export function solve(metric: Matrix64, right: Matrix): Matrix64 | null {
  const n = metric.rows;
  const p = right.columns;
  const lower = factor(metric, inOrder(n))?.lower.data;
  if (!lower) return null;
  const x = { rows: n, columns: p, data: Float64Array.from(right.data) };
  const row = (i: number): Float64Array => x.data.subarray(i * p, (i + 1) * p);
  for (let k = n - 1; k >= 0; k--) {
    divide(row(k), lower[k * n + k]!);
    for (let i = 0; i < k; i++) addTo(row(i), row(k), -lower[k * n + i]!, p);
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) addTo(row(i), row(j), -lower[i * n + j]!, p);
    divide(row(i), lower[i * n + i]!);
  }
  return x;
}

function permuted(metric: Matrix64, order: Int32Array): Matrix64 {
  const n = metric.rows;
  const result = zeros64(n, n);
  for (let i = 0; i < n; i++) {
    const from = order[i]! * n;
    for (let j = 0; j < n; j++) result.data[i * n + j] = metric.data[from + order[j]!]!;
  }
  return result;
}

/** Adds the first `length` entries of `row`, times `share`, to `target`. */
export function addTo(target: Float64Array, row: ArrayLike<number>, share: number, length: number): void {
  for (let j = 0; j < length; j++) target[j]! += share * row[j]!;
}

function divide(row: Float64Array, by: number): void {
  for (let j = 0; j < row.length; j++) row[j]! /= by;
}
