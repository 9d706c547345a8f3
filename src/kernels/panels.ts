// The layout of lower triangles in the shared memory; assembly/panels.ts says why.

export const BLOCK = 128;

export function blockCount(n: number): number {
  return Math.ceil(n / BLOCK);
}

/** Rows of block row b. */
export function rowsOf(n: number, b: number): number {
  return Math.min(BLOCK, n - b * BLOCK);
}

/** Doubles a row of block row b takes. */
export function rowLength(n: number, b: number): number {
  return Math.min((b + 1) * BLOCK, n);
}

/** Where block row b begins, in doubles. */
export function blockStart(b: number): number {
  return (b * (b + 1) * BLOCK * BLOCK) / 2;
}

export function panelBytes(n: number): number {
  const last = blockCount(n) - 1;
  return (blockStart(last) + rowsOf(n, last) * rowLength(n, last)) * 8;
}
