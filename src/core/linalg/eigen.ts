import { type Matrix64, zeros64 } from "../matrix";

/** Sweeps converge quadratically: 6 to 10 are usual, and more than this means a NaN slipped in. */
const MAX_SWEEPS = 60;

/**
 * Eigenvalues and eigenvectors of a symmetric matrix by cyclic Jacobi rotations (Golub & Van Loan, section 8.5).
 *
 * @param symmetric [n, n].
 * @returns values in falling order and vectors as the rows of [n, n].
 */
export function symmetricEigen(symmetric: Matrix64): { values: Float64Array; vectors: Matrix64 } {
  const n = symmetric.rows;
  const a = symmetric.data.slice();
  const v = zeros64(n, n);
  for (let i = 0; i < n; i++) v.data[i * n + i] = 1;
  let squares = 0;
  for (const value of a) squares += value * value;
  const negligible = 1e-16 * Math.sqrt(squares);

  let rotated = true;
  for (let sweep = 0; rotated && sweep < MAX_SWEEPS; sweep++) {
    rotated = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const apq = a[p * n + q]!;
        if (Math.abs(apq) <= negligible / n) continue;
        rotated = true;
        // tan of the angle that makes a_pq zero, the smaller of the two.
        const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        rotateRows(a, n, p, q, c, t * c);
        rotateColumns(a, n, p, q, c, t * c);
        rotateRows(v.data, n, p, q, c, t * c);
      }
    }
  }

  const diagonal = Float64Array.from({ length: n }, (_, i) => a[i * n + i]!);
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => diagonal[j]! - diagonal[i]! || i - j);
  const vectors = zeros64(n, n);
  order.forEach((from, to) => vectors.data.set(v.data.subarray(from * n, (from + 1) * n), to * n));
  return { values: Float64Array.from(order, i => diagonal[i]!), vectors };
}

function rotateRows(a: Float64Array, n: number, p: number, q: number, c: number, s: number): void {
  for (let k = 0; k < n; k++) {
    const x = a[p * n + k]!;
    const y = a[q * n + k]!;
    a[p * n + k] = c * x - s * y;
    a[q * n + k] = s * x + c * y;
  }
}

function rotateColumns(a: Float64Array, n: number, p: number, q: number, c: number, s: number): void {
  for (let k = 0; k < n; k++) {
    const x = a[k * n + p]!;
    const y = a[k * n + q]!;
    a[k * n + p] = c * x - s * y;
    a[k * n + q] = s * x + c * y;
  }
}
