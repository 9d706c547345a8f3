import { product64 } from "./gemm";

/**
 * Adds ||x_r v||² over m rows of X to the sums of a chunk of neurons.
 *
 * @param x       [m, n].
 * @param v       [n, c], c a multiple of 2.
 * @param sums    [c].
 * @param scratch [m, c].
 */
export function squaredNorms(m: i32, n: i32, c: i32, x: usize, v: usize, sums: usize, scratch: usize): void {
  const row = (<usize>c) << 3;
  memory.fill(scratch, 0, <usize>m * row);
  product64(m, c, n, x, (<usize>n) << 3, 8, v, row, 8, scratch, row, 1, false);
  for (let i = 0; i < m; i++, scratch += row) addProducts(c, scratch, scratch, sums);
}

/**
 * vᵀHv of a chunk of neurons.
 *
 * @param h       [n, n].
 * @param v       [n, c].
 * @param sums    [c], out.
 * @param scratch [n, c].
 */
export function metricNorms(n: i32, c: i32, h: usize, v: usize, sums: usize, scratch: usize, single: bool): void {
  const row = (<usize>c) << 3;
  memory.fill(sums, 0, row);
  memory.fill(scratch, 0, <usize>n * row);
  product64(n, c, n, h, (<usize>n) << 3, 8, v, row, 8, scratch, row, 1, single);
  for (let i = 0; i < n; i++, v += row, scratch += row) addProducts(c, v, scratch, sums);
  for (let o: usize = 0; o < row; o += 16) {
    v128.store(sums + o, f64x2.max(v128.load(sums + o), f64x2.splat(0)));
  }
}

function addProducts(c: i32, x: usize, y: usize, sums: usize): void {
  for (let o: usize = 0; o < (<usize>c) << 3; o += 16) {
    const product = f64x2.mul(v128.load(x + o), v128.load(y + o));
    v128.store(sums + o, f64x2.add(v128.load(sums + o), product));
  }
}
