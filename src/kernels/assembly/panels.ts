// Lower triangles are kept as panels: block rows of BLOCK rows, each with just the columns up to its own diagonal block.
// That is half the memory of a square (4096 inputs: 69 MB instead of 134), and every block row is an ordinary row-major
// matrix that `product` can work on.

/** 128 rows are enough for `product` to run at full speed and few enough that the loops inside a block stay cheap. */
export const BLOCK: i32 = 128;

/** Doubles a row of block row b takes. */
// @ts-ignore: decorator
@inline
export function rowLength(n: i32, b: i32): i32 {
  return min((b + 1) * BLOCK, n);
}

/** Rows of block row b. */
// @ts-ignore: decorator
@inline
export function rowsOf(n: i32, b: i32): i32 {
  return min(BLOCK, n - b * BLOCK);
}

/** Where block row b begins, in doubles. */
// @ts-ignore: decorator
@inline
function startOf(b: i32): usize {
  return (<usize>b * <usize>(b + 1) * <usize>(BLOCK * BLOCK)) >> 1;
}

// @ts-ignore: decorator
@inline
export function blockRow(panels: usize, b: i32): usize {
  return panels + (startOf(b) << 3);
}

/** Where row i begins. */
// @ts-ignore: decorator
@inline
export function rowOf(panels: usize, n: i32, i: i32): usize {
  const b = i / BLOCK;
  return panels + ((startOf(b) + <usize>(i - b * BLOCK) * <usize>rowLength(n, b)) << 3);
}

// @ts-ignore: decorator
@inline
export function blocksOf(n: i32): i32 {
  return (n + BLOCK - 1) / BLOCK;
}
