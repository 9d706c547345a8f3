// The matrix product all heavy loops rest on, after Goto & van de Geijn (ACM TOMS 2008): both operands are copied into
// slivers that lie in memory in the order they are used, and a small product is held in registers.
//
// C is float64. The product itself runs in T: float64, or float32 ("single") for large layers, where sums of at most
// DEPTH products are formed in float32 and added up in float64: twice the speed, errors of 1e-7 of the terms.
//
// Measured on one AMD EPYC core (`whittle bench product gptq`): 11 to 13 GFLOP/s in float64, 21 to 25 in float32. OpenBLAS
// with AVX2 and FMA is 3 to 4 times faster: plain WebAssembly SIMD has half the width and no fused multiply-add, and in
// exchange every machine rounds alike. Four steps of the inner loop written out were 15 % slower than one.

/** Rows of a register tile. */
const TILE: i32 = 6;
/** Depth of a packed block: a sliver of B (8 KB) and one of A (12 KB) stay in the first-level cache. */
const DEPTH: i32 = 256;
/** Rows of a packed block of A, 192 KB in float64, and columns of one of B, 2 MB: second and third level. */
const ROWS: i32 = 96;
const COLUMNS: i32 = 1024;

/** Bytes of scratch an instance needs: packed A, one tile, packed B. */
export const SCRATCH_BYTES: usize = 96 * 256 * 8 + 4096 + 1024 * 256 * 8;

let scratch: usize = 0;

/** Every instance works in its own scratch memory; the caller allots it. */
export function setScratch(pointer: usize): void {
  scratch = pointer;
}

export function scratchBytes(): usize {
  return SCRATCH_BYTES;
}

/** Columns of a register tile: two vectors. */
// @ts-ignore: decorator
@inline
function tileColumns<T>(): i32 {
  return 32 / <i32>sizeof<T>();
}

/**
 * C += alpha A B.
 *
 * @param a element (i, k) is an S at a + i * aRow + k * aColumn (bytes), [m, k].
 * @param b element (k, j) is an R at b + k * bRow + j * bColumn, [k, n].
 * @param c element (i, j) is an f64 at c + i * cRow + j * 8, [m, n].
 */
export function product<S, R, T>(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bRow: usize,
  bColumn: usize,
  c: usize,
  cRow: usize,
  alpha: f64,
): void {
  const packedA = scratch;
  const edge = packedA + 96 * 256 * 8;
  const packedB = edge + 4096;
  const width = tileColumns<T>();
  for (let j0 = 0; j0 < n; j0 += COLUMNS) {
    const columns = min(COLUMNS, n - j0);
    for (let k0 = 0; k0 < k; k0 += DEPTH) {
      const depth = min(DEPTH, k - k0);
      packColumns<R, T>(b + <usize>k0 * bRow + <usize>j0 * bColumn, bRow, bColumn, depth, columns, packedB);
      for (let i0 = 0; i0 < m; i0 += ROWS) {
        const rows = min(ROWS, m - i0);
        packRows<S, T>(a + <usize>i0 * aRow + <usize>k0 * aColumn, aRow, aColumn, rows, depth, packedA, alpha);
        for (let j = 0; j < columns; j += width) {
          const sliverB = packedB + <usize>(j * depth) * sizeof<T>();
          for (let i = 0; i < rows; i += TILE) {
            const sliverA = packedA + <usize>(i * depth) * sizeof<T>();
            const to = c + <usize>(i0 + i) * cRow + (<usize>(j0 + j) << 3);
            const h = min(TILE, rows - i);
            const w = min(width, columns - j);
            if (h == TILE && w == width) {
              tile<T>(depth, sliverA, sliverB, to, cRow);
            } else {
              // At the edges the whole tile goes to scratch and the part that exists is added.
              memory.fill(edge, 0, 384);
              tile<T>(depth, sliverA, sliverB, edge, 64);
              for (let y = 0; y < h; y++) {
                for (let x = 0; x < w; x++) {
                  const at = to + <usize>y * cRow + (<usize>x << 3);
                  store<f64>(at, load<f64>(at) + load<f64>(edge + <usize>(y * 64 + x * 8)));
                }
              }
            }
          }
        }
      }
    }
  }
}

/** Rows of A in slivers of TILE: for every k the TILE entries of a column, zeros below the last row. */
function packRows<S, T>(a: usize, aRow: usize, aColumn: usize, m: i32, k: i32, to: usize, alpha: f64): void {
  const size = sizeof<T>();
  for (let i = 0; i < m; i += TILE) {
    const rows = min(TILE, m - i);
    const first = a + <usize>i * aRow;
    if (rows == TILE) {
      const r1 = first + aRow;
      const r2 = r1 + aRow;
      const r3 = r2 + aRow;
      const r4 = r3 + aRow;
      const r5 = r4 + aRow;
      let o: usize = 0;
      for (let x = 0; x < k; x++, o += aColumn, to += 6 * size) {
        store<T>(to, <T>(<f64>load<S>(first + o) * alpha));
        store<T>(to + size, <T>(<f64>load<S>(r1 + o) * alpha));
        store<T>(to + 2 * size, <T>(<f64>load<S>(r2 + o) * alpha));
        store<T>(to + 3 * size, <T>(<f64>load<S>(r3 + o) * alpha));
        store<T>(to + 4 * size, <T>(<f64>load<S>(r4 + o) * alpha));
        store<T>(to + 5 * size, <T>(<f64>load<S>(r5 + o) * alpha));
      }
    } else {
      for (let x = 0; x < k; x++) {
        for (let y = 0; y < TILE; y++, to += size) {
          const at = first + <usize>y * aRow + <usize>x * aColumn;
          store<T>(to, y < rows ? <T>(<f64>load<S>(at) * alpha) : <T>0);
        }
      }
    }
  }
}

/** Columns of B in slivers of two vectors: for every k their entries of a row, zeros beyond the last column. */
function packColumns<R, T>(b: usize, bRow: usize, bColumn: usize, k: i32, n: i32, to: usize): void {
  const width = tileColumns<T>();
  const size = sizeof<T>();
  for (let j = 0; j < n; j += width) {
    const columns = min(width, n - j);
    let row = b + <usize>j * bColumn;
    if (columns == width && bColumn == sizeof<R>() && sizeof<R>() == sizeof<T>()) {
      for (let x = 0; x < k; x++, row += bRow, to += 32) {
        v128.store(to, v128.load(row));
        v128.store(to, v128.load(row, 16), 16);
      }
    } else if (columns == width && bColumn == 8 && sizeof<R>() == 8 && sizeof<T>() == 4) {
      for (let x = 0; x < k; x++, row += bRow, to += 32) {
        v128.store(to, narrow(v128.load(row), v128.load(row, 16)));
        v128.store(to, narrow(v128.load(row, 32), v128.load(row, 48)), 16);
      }
    } else {
      for (let x = 0; x < k; x++, row += bRow) {
        for (let y = 0; y < width; y++, to += size) {
          store<T>(to, y < columns ? <T>load<R>(row + <usize>y * bColumn) : <T>0);
        }
      }
    }
  }
}

/** Four doubles to four floats. */
// @ts-ignore: decorator
@inline
function narrow(low: v128, high: v128): v128 {
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

// @ts-ignore: decorator
@inline
function fma<T>(sum: v128, x: v128, y: v128): v128 {
  return v128.add<T>(sum, v128.mul<T>(x, y));
}

/** Adds the product of a sliver of A and a sliver of B to 6 rows of two vectors of C. */
function tile<T>(k: i32, a: usize, b: usize, c: usize, cRow: usize): void {
  const size = sizeof<T>();
  let c00 = v128.splat<T>(<T>0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  let c40 = c00;
  let c41 = c00;
  let c50 = c00;
  let c51 = c00;
  for (let step = 0; step < k; step++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load_splat<T>(a);
    c00 = fma<T>(c00, x, b0);
    c01 = fma<T>(c01, x, b1);
    x = v128.load_splat<T>(a + size);
    c10 = fma<T>(c10, x, b0);
    c11 = fma<T>(c11, x, b1);
    x = v128.load_splat<T>(a + 2 * size);
    c20 = fma<T>(c20, x, b0);
    c21 = fma<T>(c21, x, b1);
    x = v128.load_splat<T>(a + 3 * size);
    c30 = fma<T>(c30, x, b0);
    c31 = fma<T>(c31, x, b1);
    x = v128.load_splat<T>(a + 4 * size);
    c40 = fma<T>(c40, x, b0);
    c41 = fma<T>(c41, x, b1);
    x = v128.load_splat<T>(a + 5 * size);
    c50 = fma<T>(c50, x, b0);
    c51 = fma<T>(c51, x, b1);
    a += 6 * size;
    b += 32;
  }
  addRow<T>(c, c00, c01);
  addRow<T>((c += cRow), c10, c11);
  addRow<T>((c += cRow), c20, c21);
  addRow<T>((c += cRow), c30, c31);
  addRow<T>((c += cRow), c40, c41);
  addRow<T>((c += cRow), c50, c51);
}

/** Adds two vectors of T to a row of doubles. */
// @ts-ignore: decorator
@inline
function addRow<T>(c: usize, x: v128, y: v128): void {
  if (sizeof<T>() == 8) {
    v128.store(c, f64x2.add(v128.load(c), x));
    v128.store(c, f64x2.add(v128.load(c, 16), y), 16);
  } else {
    v128.store(c, f64x2.add(v128.load(c), f64x2.promote_low_f32x4(x)));
    v128.store(c, f64x2.add(v128.load(c, 16), f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 0, 1))), 16);
    v128.store(c, f64x2.add(v128.load(c, 32), f64x2.promote_low_f32x4(y)), 32);
    v128.store(c, f64x2.add(v128.load(c, 48), f64x2.promote_low_f32x4(v128.shuffle<i32>(y, y, 2, 3, 0, 1))), 48);
  }
}

/** C += alpha A B for operands of doubles, multiplied in float32 where `single` is set. */
// @ts-ignore: decorator
@inline
export function product64(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bRow: usize,
  bColumn: usize,
  c: usize,
  cRow: usize,
  alpha: f64,
  single: bool,
): void {
  if (m <= 0 || n <= 0 || k <= 0) return;
  if (single) product<f64, f64, f32>(m, n, k, a, aRow, aColumn, b, bRow, bColumn, c, cRow, alpha);
  else product<f64, f64, f64>(m, n, k, a, aRow, aColumn, b, bRow, bColumn, c, cRow, alpha);
}
