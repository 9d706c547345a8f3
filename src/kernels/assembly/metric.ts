import { product64 } from "./gemm";
import { BLOCK, blockRow, blocksOf, rowLength, rowOf, rowsOf } from "./panels";
import { dot } from "./vectors";

/**
 * Adds the products of m rows to block row b of XᵀX.
 *
 * @param x      [m, n] doubles.
 * @param single multiply in float32 and add up at most 256 rows there: each entry within 3e-7 of sqrt(H_ii H_jj).
 */
export function gramBlock(n: i32, m: i32, x: usize, panels: usize, b: i32, single: bool): void {
  const row = <usize>n << 3;
  const length = rowLength(n, b);
  const left = x + <usize>(b * BLOCK * 8);
  product64(rowsOf(n, b), length, m, left, 8, row, x, row, 8, blockRow(panels, b), <usize>length << 3, 1, single);
}

/**
 * Adds XᵀY of m rows to rows [from, to) of the sum.
 *
 * @param x   [m, n].
 * @param y   [m, t].
 * @param sum [n, t].
 */
export function crossRows(n: i32, t: i32, m: i32, x: usize, y: usize, sum: usize, from: i32, to: i32): void {
  const out = sum + ((<usize>from * <usize>t) << 3);
  const wide = <usize>t << 3;
  product64(to - from, t, m, x + (<usize>from << 3), 8, <usize>n << 3, y, wide, 8, out, wide, 1, false);
}

/** Adds the rows of x, [m, n], to the sums of the columns. */
export function columnSums(n: i32, m: i32, x: usize, sums: usize): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++, x += 8) {
      const at = sums + (<usize>j << 3);
      store<f64>(at, load<f64>(at) + load<f64>(x));
    }
  }
}

// --- Cholesky: A = C Cᵀ in place, C lower, left-looking by block columns J. Every block row b > J needs only itself and
// block row J, so the block rows are tasks; `choleskyDiagonal(J)` comes before `choleskyBelow(b, J)`.

/** Takes the columns before J out of block (b, J). */
function subtractDecided(n: i32, a: usize, b: i32, J: i32): void {
  const rowB = <usize>rowLength(n, b) << 3;
  const rowJ = <usize>rowLength(n, J) << 3;
  const to = blockRow(a, b) + <usize>(J * BLOCK * 8);
  product64(rowsOf(n, b), rowsOf(n, J), J * BLOCK, blockRow(a, b), rowB, 8, blockRow(a, J), 8, rowJ, to, rowB, -1, false);
}

/** @returns 0, or the number (counted from 1) of the first row whose pivot is not above 0. */
export function choleskyDiagonal(n: i32, a: usize, J: i32): i32 {
  subtractDecided(n, a, J, J);
  const row = <usize>rowLength(n, J) << 3;
  const block = blockRow(a, J) + <usize>(J * BLOCK * 8);
  for (let j = 0, h = rowsOf(n, J); j < h; j++) {
    const rowJ = block + <usize>j * row;
    const pivot = load<f64>(rowJ + (<usize>j << 3)) - dot(rowJ, rowJ, j);
    if (!(pivot > 0)) return J * BLOCK + j + 1;
    const root = sqrt<f64>(pivot);
    store<f64>(rowJ + (<usize>j << 3), root);
    for (let i = j + 1; i < h; i++) {
      const rowI = block + <usize>i * row;
      const at = rowI + (<usize>j << 3);
      store<f64>(at, (load<f64>(at) - dot(rowI, rowJ, j)) / root);
    }
  }
  return 0;
}

/** Columns that are solved row by row between two products; 16 and 64 are as fast. */
const NARROW: i32 = 32;

/** Block (b, J) of C: takes out the columns before J, then solves X C_JJᵀ = A_bJ. */
export function choleskyBelow(n: i32, a: usize, b: i32, J: i32): void {
  subtractDecided(n, a, b, J);
  const rowB = <usize>rowLength(n, b) << 3;
  const rowJ = <usize>rowLength(n, J) << 3;
  const x = blockRow(a, b) + <usize>(J * BLOCK * 8);
  const c = blockRow(a, J) + <usize>(J * BLOCK * 8);
  const h = rowsOf(n, b);
  for (let s = 0; s < rowsOf(n, J); s += NARROW) {
    const rowsC = c + <usize>s * rowJ;
    const end = min(s + NARROW, rowsOf(n, J));
    product64(h, end - s, s, x, rowB, 8, rowsC, 8, rowJ, x + (<usize>s << 3), rowB, -1, false);
    for (let i = 0; i < h; i++) {
      const rowX = x + <usize>i * rowB + (<usize>s << 3);
      for (let j = s; j < end; j++) {
        const rowC = c + <usize>j * rowJ;
        const at = rowX + (<usize>(j - s) << 3);
        const rest = load<f64>(at) - dot(rowX, rowC + (<usize>s << 3), j - s);
        store<f64>(at, rest / load<f64>(rowC + (<usize>j << 3)));
      }
    }
  }
}

/** All of it in one call, for small matrices: a task costs as much as 128 inputs do. */
export function cholesky(n: i32, a: usize): i32 {
  for (let J = 0; J < blocksOf(n); J++) {
    const failed = choleskyDiagonal(n, a, J);
    if (failed != 0) return failed;
    for (let b = J + 1; b < blocksOf(n); b++) choleskyBelow(n, a, b, J);
  }
  return 0;
}

// --- Cholesky with the smallest pivot first. As LAPACK's dpstrf: inside a panel of columns only the diagonal is kept up to
// date (`left`), the rest of the matrix follows once a panel. What is placed holds the factor.

/**
 * Places the next inputs.
 *
 * @param a      panels; rows and columns from `from` on are those of the inputs not yet placed.
 * @param from   inputs already placed.
 * @param to     inputs placed afterwards.
 * @param inputs [n] i32: which input a row is; the placed ones first, in the order they were placed.
 * @param left   [n]: squared distance of each input to the span of the placed ones.
 * @param p      [n, to - from]: the columns of the factor made here.
 * @returns whether all pivots were above 0.
 */
export function minPivotPanel(n: i32, a: usize, from: i32, to: i32, inputs: usize, left: usize, p: usize): bool {
  let positive = true;
  const row = <usize>(to - from) << 3;
  for (let j = from; j < to; j++) {
    let q = j;
    let least = load<f64>(left + (<usize>j << 3));
    let earliest = load<i32>(inputs + (<usize>j << 2));
    for (let i = j + 1; i < n; i++) {
      const distance = load<f64>(left + (<usize>i << 3));
      if (distance > least) continue;
      const input = load<i32>(inputs + (<usize>i << 2));
      // Equal distances take the earlier input: rows have been swapped, so their order does not tell.
      if (distance == least && input > earliest) continue;
      q = i;
      least = distance;
      earliest = input;
    }
    if (q != j) swapInputs(n, a, j, q, from, inputs, left, p, row);
    const pj = p + <usize>j * row;
    // An input inside the span of the placed ones moves nothing: its column of the factor is 0.
    const root = least > 0 ? sqrt<f64>(least) : 0;
    const pivot = least > 0 ? 1 / root : 0;
    positive = positive && least > 0;
    store<f64>(pj + (<usize>(j - from) << 3), root);
    for (let i = j + 1; i < n; i++) {
      const pi = p + <usize>i * row;
      const entry = (load<f64>(rowOf(a, n, i) + (<usize>j << 3)) - dot(pi, pj, j - from)) * pivot;
      store<f64>(pi + (<usize>(j - from) << 3), entry);
      const at = left + (<usize>i << 3);
      store<f64>(at, load<f64>(at) - entry * entry);
    }
  }
  for (let i = from; i < n; i++) {
    const columns = min(i + 1, to) - from;
    memory.copy(rowOf(a, n, i) + (<usize>from << 3), p + <usize>i * row, <usize>columns << 3);
  }
  return positive;
}

/** Exchanges inputs j < q among those not yet placed. */
function swapInputs(
  n: i32,
  a: usize,
  j: i32,
  q: i32,
  placed: i32,
  inputs: usize,
  left: usize,
  p: usize,
  row: usize,
): void {
  swap<i32>(inputs + (<usize>j << 2), inputs + (<usize>q << 2));
  swap<f64>(left + (<usize>j << 3), left + (<usize>q << 3));
  for (let k: usize = 0; k < row; k += 8) swap<f64>(p + <usize>j * row + k, p + <usize>q * row + k);
  const rowQ = rowOf(a, n, q);
  const rowJ = rowOf(a, n, j);
  for (let o: usize = 0; o < <usize>placed << 3; o += 8) swap<f64>(rowJ + o, rowQ + o);
  for (let i = j + 1; i < q; i++) swap<f64>(rowOf(a, n, i) + (<usize>j << 3), rowQ + (<usize>i << 3));
  for (let i = q + 1; i < n; i++) {
    const rowI = rowOf(a, n, i);
    swap<f64>(rowI + (<usize>j << 3), rowI + (<usize>q << 3));
  }
}

// @ts-ignore: decorator
@inline
function swap<T>(x: usize, y: usize): void {
  const kept = load<T>(x);
  store<T>(x, load<T>(y));
  store<T>(y, kept);
}

/** Takes the panel [from, to) out of what block row b holds of the inputs not yet placed. */
export function minPivotUpdate(n: i32, a: usize, from: i32, to: i32, p: usize, b: i32): void {
  const first = max(to, b * BLOCK);
  const end = b * BLOCK + rowsOf(n, b);
  const length = rowLength(n, b);
  const row = <usize>(to - from) << 3;
  const out = rowOf(a, n, first) + (<usize>to << 3);
  product64(end - first, length - to, to - from, p + <usize>first * row, row, 8, p + <usize>to * row, 8, row, out, <usize>length << 3, -1, false);
}

// --- Solving C Cᵀ X = B for some columns of B.

/**
 * @param c       panels of the factor.
 * @param b       [n, columns], the solution afterwards.
 * @param columns a multiple of 8.
 */
export function solveColumns(n: i32, c: usize, b: usize, columns: i32): void {
  const row = <usize>columns << 3;
  const blocks = blocksOf(n);
  for (let J = 0; J < blocks; J++) {
    const h = rowsOf(n, J);
    const length = <usize>rowLength(n, J) << 3;
    const cJ = blockRow(c, J);
    const bJ = b + <usize>(J * BLOCK) * row;
    product64(h, columns, J * BLOCK, cJ, length, 8, b, row, 8, bJ, row, -1, false);
    const diagonal = cJ + <usize>(J * BLOCK * 8);
    for (let i = 0; i < h; i++) {
      const ci = diagonal + <usize>i * length;
      eliminate(bJ + <usize>i * row, row, bJ, i, ci, 8, load<f64>(ci + (<usize>i << 3)));
    }
  }
  for (let J = blocks - 1; J >= 0; J--) {
    const h = rowsOf(n, J);
    const bJ = b + <usize>(J * BLOCK) * row;
    for (let below = J + 1; below < blocks; below++) {
      const length = <usize>rowLength(n, below) << 3;
      const part = blockRow(c, below) + <usize>(J * BLOCK * 8);
      product64(h, columns, rowsOf(n, below), part, 8, length, b + <usize>(below * BLOCK) * row, row, 8, bJ, row, -1, false);
    }
    const length = <usize>rowLength(n, J) << 3;
    const diagonal = blockRow(c, J) + <usize>(J * BLOCK * 8);
    for (let i = h - 1; i >= 0; i--) {
      const cii = diagonal + <usize>i * length + (<usize>i << 3);
      eliminate(bJ + <usize>i * row, row, bJ + <usize>(i + 1) * row, h - 1 - i, cii + length, length, load<f64>(cii));
    }
  }
}

/** target = (target - Σ_k factor_k row_k) / divisor, over rows of doubles. */
function eliminate(target: usize, row: usize, rows: usize, count: i32, factors: usize, next: usize, divisor: f64): void {
  const d = f64x2.splat(divisor);
  for (let o: usize = 0; o < row; o += 64) {
    const t = target + o;
    let v0 = v128.load(t);
    let v1 = v128.load(t, 16);
    let v2 = v128.load(t, 32);
    let v3 = v128.load(t, 48);
    let r = rows + o;
    let f = factors;
    for (let k = 0; k < count; k++, r += row, f += next) {
      const x = v128.load_splat<f64>(f);
      v0 = f64x2.sub(v0, f64x2.mul(x, v128.load(r)));
      v1 = f64x2.sub(v1, f64x2.mul(x, v128.load(r, 16)));
      v2 = f64x2.sub(v2, f64x2.mul(x, v128.load(r, 32)));
      v3 = f64x2.sub(v3, f64x2.mul(x, v128.load(r, 48)));
    }
    v128.store(t, f64x2.div(v0, d));
    v128.store(t, f64x2.div(v1, d), 16);
    v128.store(t, f64x2.div(v2, d), 32);
    v128.store(t, f64x2.div(v3, d), 48);
  }
}
