import type { Factor, MomentsSum } from "../core/linalg/linalg";
import { type Matrix, type Matrix64, zeros64 } from "../core/matrix";
import { BLOCK, blockCount, blockStart, panelBytes, rowLength, rowsOf } from "./panels";
import { allDone, copyColumns, overItems, overNeurons, type Run, runnerFor, type Workspace } from "./workspace";

/** Bytes of rows of X that are summed at once: enough that a tile of the Gram matrix is worth fetching. */
const ROWS_BYTES = 8 * 2 ** 20;

/** See `Linalg.moments`. */
export function moments(work: Workspace, inputs: number, targets: number): MomentsSum {
  const { heap } = work;
  const most = Math.max(64, Math.min(4096, Math.floor(ROWS_BYTES / 8 / (inputs + targets))));
  const sizes = [panelBytes(inputs), inputs * targets * 8, inputs * 8, targets * 8];
  const [gram, cross, inputSums, targetSums] = sizes.map(size => heap.allocate(size)) as [
    number,
    number,
    number,
    number,
  ];
  sizes.forEach((size, k) => heap.f64([gram, cross, inputSums, targetSums][k]!, size / 8).fill(0));
  const single = inputs > work.singleAbove ? 1 : 0;
  let count = 0;

  const addRows = async (x: Matrix, y: Matrix | undefined, from: number, rows: number): Promise<void> => {
    await work.pause();
    await heap.during(async allocate => {
      const xs = allocate(rows * inputs * 8);
      const ys = allocate(rows * targets * 8);
      heap.f64(xs, rows * inputs).set(x.data.subarray(from * inputs, (from + rows) * inputs));
      if (y) heap.f64(ys, rows * targets).set(y.data.subarray(from * targets, (from + rows) * targets));
      const run = runnerFor(work, rows * inputs * (inputs + 2 * targets));
      const tasks = [run("columnSums", [inputs, rows, xs, inputSums])];
      if (y) tasks.push(run("columnSums", [targets, rows, ys, targetSums]));
      // The longest block row first, so that the threads end together.
      for (let b = blockCount(inputs) - 1; b >= 0; b--)
        tasks.push(run("gramBlock", [inputs, rows, xs, gram, b, single]));
      if (y && targets > 0) {
        for (let b = 0; b < blockCount(inputs); b++) {
          const end = b * BLOCK + rowsOf(inputs, b);
          tasks.push(run("crossRows", [inputs, targets, rows, xs, ys, cross, b * BLOCK, end]));
        }
      }
      await allDone(tasks);
    });
  };

  return {
    async add(x, y) {
      for (let from = 0; from < x.rows; from += most) await addRows(x, y, from, Math.min(most, x.rows - from));
      count += x.rows;
    },
    finish() {
      const sums = {
        rows: count,
        gram: { rows: inputs, columns: inputs, data: symmetricFrom(work, gram, inputs) },
        cross: { rows: inputs, columns: targets, data: heap.f64(cross, inputs * targets).slice() },
        inputSums: heap.f64(inputSums, inputs).slice(),
        targetSums: heap.f64(targetSums, targets).slice(),
      };
      for (const start of [gram, cross, inputSums, targetSums]) heap.free(start);
      return Promise.resolve(sums);
    },
  };
}

/** Panels of a lower triangle to the whole symmetric matrix. */
function symmetricFrom({ heap }: Workspace, panels: number, n: number): Float64Array {
  const data = new Float64Array(n * n);
  for (let b = 0; b < blockCount(n); b++) {
    const length = rowLength(n, b);
    const block = heap.f64(panels + blockStart(b) * 8, length * rowsOf(n, b));
    for (let i = 0; i < rowsOf(n, b); i++) {
      const row = block.subarray(i * length, i * length + b * BLOCK + i + 1);
      data.set(row, (b * BLOCK + i) * n);
    }
    // Block by block, so that what is read and what is written stay in the cache.
    for (let from = 0; from < length; from += BLOCK) {
      for (let i = 0; i < rowsOf(n, b); i++) {
        const row = b * BLOCK + i;
        for (let j = from; j < Math.min(from + BLOCK, row); j++) data[j * n + row] = block[i * length + j]!;
      }
    }
  }
  return data;
}

/** The lower triangle of H as panels, rows and columns in the given order. */
function copyLower(
  { heap }: Workspace,
  { rows: n, data }: Matrix64,
  order: Int32Array | undefined,
  panels: number,
): void {
  for (let b = 0; b < blockCount(n); b++) {
    const length = rowLength(n, b);
    const block = heap.f64(panels + blockStart(b) * 8, length * rowsOf(n, b));
    for (let i = 0; i < rowsOf(n, b); i++) {
      const row = b * BLOCK + i;
      if (order) {
        const from = order[row]! * n;
        for (let j = 0; j < length; j++) block[i * length + j] = data[from + order[j]!]!;
      } else {
        block.set(data.subarray(row * n, row * n + length), i * length);
      }
    }
  }
}

/**
 * C Cᵀ = A in place. A block of C waits for its own row and for the block on its column's diagonal, nothing else, so a thread
 * need not wait at the end of every column.
 *
 * @returns whether A is positive definite.
 */
async function cholesky(work: Workspace, panels: number, n: number): Promise<boolean> {
  const run = runnerFor(work, n ** 3 / 3);
  const blocks = blockCount(n);
  if (blocks <= 2) return (await run("cholesky", [n, panels])) === 0;
  let failed = 0;
  const unlessFailed = async (kernel: Parameters<Run>[0], parameters: number[]): Promise<void> => {
    if (failed > 0) return;
    const result = await run(kernel, parameters);
    if (kernel === "choleskyDiagonal" && result > 0) failed = result;
  };
  const rows: Promise<void>[] = Array.from({ length: blocks }, () => Promise.resolve());
  for (let J = 0; J < blocks; J++) {
    const diagonal = rows[J]!.then(() => unlessFailed("choleskyDiagonal", [n, panels, J]));
    rows[J] = diagonal;
    for (let b = J + 1; b < blocks; b++) {
      rows[b] = Promise.all([diagonal, rows[b]]).then(() => unlessFailed("choleskyBelow", [n, panels, b, J]));
    }
    // A few columns ahead are enough to keep all threads busy; between them others may run.
    if (J % 4 === 3) {
      await allDone(rows);
      await work.pause();
    }
  }
  await allDone(rows);
  return failed === 0;
}

/** See `Linalg.factor`. */
export function factor(work: Workspace, metric: Matrix64, order: Int32Array): Promise<Factor | null> {
  const n = metric.rows;
  const made = work.operands.takeFactor(metric.data, order);
  if (n > 1024) work.operands.clear();
  return work.heap.during(async allocate => {
    const panels = made ?? allocate(panelBytes(n));
    try {
      // L is the factor C of the index-reversed H with both indices reversed and transposed.
      if (made === undefined) {
        copyLower(work, metric, order.slice().reverse(), panels);
        if (!(await cholesky(work, panels, n))) return null;
      }
      return { order, lower: { rows: n, columns: n, data: reversedTranspose(work, panels, n) } };
    } finally {
      if (made !== undefined) work.heap.free(made);
    }
  });
}

/** Panels of a lower triangle, row and column n - 1 - i in place of i, transposed: lower again. */
function reversedTranspose({ heap }: Workspace, panels: number, n: number): Float64Array {
  const data = new Float64Array(n * n);
  for (let b = 0; b < blockCount(n); b++) {
    const length = rowLength(n, b);
    const block = heap.f64(panels + blockStart(b) * 8, length * rowsOf(n, b));
    // Block by block, so that what is read and what is written stay in the cache.
    for (let from = 0; from < length; from += BLOCK) {
      for (let i = 0; i < rowsOf(n, b); i++) {
        const row = b * BLOCK + i;
        const end = Math.min(from + BLOCK, row + 1);
        for (let j = from; j < end; j++) data[(n - 1 - j) * n + n - 1 - row] = block[i * length + j]!;
      }
    }
  }
  return data;
}

/** Inputs placed between two updates of the whole matrix. */
const PIVOTS = 64;

/** See `Linalg.walkOrder`. Finding the order makes the factor too: it is kept for the `factor` of this metric in this order. */
export function walkOrder(work: Workspace, metric: Matrix64): Promise<Int32Array> {
  const n = metric.rows;
  const { heap, operands } = work;
  operands.clear();
  const panels = heap.allocate(panelBytes(n));
  let keep = false;
  return heap
    .during(async allocate => {
      const inputs = allocate(n * 4);
      const left = allocate(n * 8);
      const columns = allocate(n * PIVOTS * 8);
      copyLower(work, metric, undefined, panels);
      heap.i32(inputs, n).forEach((_, i, all) => (all[i] = i));
      heap.f64(left, n).forEach((_, i, all) => (all[i] = metric.data[i * n + i]!));
      const run = runnerFor(work, n ** 3 / 3);
      let positive = true;
      for (let from = 0; from < n; from += PIVOTS) {
        await work.pause();
        const to = Math.min(from + PIVOTS, n);
        if ((await run("minPivotPanel", [n, panels, from, to, inputs, left, columns])) === 0) positive = false;
        const tasks: Promise<number>[] = [];
        for (let b = blockCount(n) - 1; b >= Math.floor(to / BLOCK); b--) {
          tasks.push(run("minPivotUpdate", [n, panels, from, to, columns, b]));
        }
        await allDone(tasks);
      }
      const order = heap.i32(inputs, n).slice().reverse();
      if (positive) {
        operands.keepFactor(metric.data, order, panels);
        keep = true;
      }
      return order;
    })
    .finally(() => {
      if (!keep) heap.free(panels);
    });
}

/** See `Linalg.solve`. */
export function solve(work: Workspace, metric: Matrix64, right: Matrix): Promise<Matrix64 | null> {
  const n = metric.rows;
  if (n > 1024) work.operands.clear();
  return work.heap.during(async allocate => {
    const panels = allocate(panelBytes(n));
    copyLower(work, metric, undefined, panels);
    if (!(await cholesky(work, panels, n))) return null;
    const solution = zeros64(n, right.columns);
    const run = runnerFor(work, 2 * n * n * right.columns);
    await overNeurons(work, right.columns, n * 8, 0, async chunk => {
      copyColumns(work.heap, right, undefined, chunk, chunk.slot);
      await run("solveColumns", [n, panels, chunk.slot, chunk.width]);
      copyColumnsBack(work, chunk.slot, chunk, solution);
    });
    return solution;
  });
}

function copyColumnsBack(
  { heap }: Workspace,
  source: number,
  { from, to, width }: { from: number; to: number; width: number },
  result: Matrix64,
): void {
  const found = heap.f64(source, result.rows * width);
  for (let i = 0; i < result.rows; i++) {
    result.data.set(found.subarray(i * width, i * width + to - from), i * result.columns + from);
  }
}

/** Rows of the first factor in one task of a product. */
const PRODUCT_ROWS = 192;
/** Columns of the second factor that are in memory at once. */
const COLUMNS_BYTES = 64 * 2 ** 20;

/** See `Linalg.multiply`. */
export function multiply(work: Workspace, a: Matrix, b: Matrix): Promise<Matrix64> {
  const { heap } = work;
  const k = a.columns;
  const product = zeros64(a.rows, b.columns);
  const run = runnerFor(work, 2 * a.rows * k * b.columns);
  // Some columns of B stay while the rows of A pass by.
  const fitting = Math.floor(COLUMNS_BYTES / 8 / Math.max(1, k) / 16) * 16;
  const wide = Math.max(16, Math.min(b.columns, 512, fitting));
  const most = Math.min(PRODUCT_ROWS, a.rows);
  return heap.during(async allocate => {
    const columns = allocate(k * wide * 8);
    for (let from = 0; from < b.columns; from += wide) {
      const width = Math.min(wide, b.columns - from);
      copyColumns(heap, b, undefined, { from, to: from + width, width }, columns);
      const tasks = Math.ceil(a.rows / Math.max(1, most));
      await overItems(work, tasks, most * (k + wide) * 8, async (index, slot) => {
        const first = index * most;
        const rows = Math.min(most, a.rows - first);
        const out = slot + most * k * 8;
        heap.f64(slot, rows * k).set(a.data.subarray(first * k, (first + rows) * k));
        heap.f64(out, rows * width).fill(0);
        await run("multiply", [rows, width, k, slot, columns, out, 0]);
        const found = heap.f64(out, rows * width);
        for (let i = 0; i < rows; i++) {
          product.data.set(found.subarray(i * width, (i + 1) * width), (first + i) * b.columns + from);
        }
      });
    }
    return product;
  });
}
