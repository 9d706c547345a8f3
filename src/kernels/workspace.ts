import type { Matrix } from "../core/matrix";
import type { Grids } from "../core/linalg/linalg";
import type { Heap } from "./heap";
import type { KernelName } from "./module";
import { BLOCK, blockCount, blockStart, panelBytes, rowLength, rowsOf } from "./panels";
import type { Pool } from "./pool";

/** What every loop works with. */
export interface Workspace {
  readonly pool: Pool;
  readonly heap: Heap;
  readonly operands: Operands;
  /** Called between chunks, so that the caller may show progress or stop: it throws, and the loop ends. */
  readonly pause: () => Promise<void>;
  /** Layers of more inputs multiply in float32. */
  readonly singleAbove: number;
}

export type Run = (kernel: KernelName, parameters: readonly number[]) => Promise<number>;

/** A task sent to a thread costs about 50 microseconds: what takes less than a few of them runs right here. */
const SMALL_FLOPS = 2e6;

export function runnerFor({ pool }: Workspace, flops: number): Run {
  if (flops > SMALL_FLOPS) return pool.run.bind(pool);
  return (kernel, parameters) => Promise.resolve(pool.own[kernel](...parameters) ?? 0);
}

/** Memory for the chunks of all threads together: with the matrices of a layer it stays within the promise of the README. */
const CHUNK_BYTES = 40 * 2 ** 20;
/** Neurons of a chunk: a multiple of 16 as `sweep` wants, and enough work to pay for packing the other operand. */
const NARROWEST = 16;
const WIDEST = 256;

export interface Chunk {
  /** The first neuron and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** Columns in memory: those of the neurons, filled up to a multiple of 16. */
  readonly width: number;
  /** Where the memory of this chunk begins. */
  readonly slot: number;
}

/**
 * Splits the neurons into chunks and runs them, as many at once as there are threads and one more, so that no thread waits
 * while the next chunk is copied. Waits for all that was begun before it fails: a thread may still write to its slot.
 *
 * @param bytesANeuron memory of a chunk, a neuron.
 * @param bytesMore    memory of a chunk beside that.
 */
export async function overNeurons(
  work: Workspace,
  neurons: number,
  bytesANeuron: number,
  bytesMore: number,
  chunk: (chunk: Chunk) => Promise<void>,
): Promise<void> {
  if (neurons === 0) return;
  const { threads } = work.pool;
  const most = threads > 1 ? threads + 1 : 1;
  const fitting = Math.floor((CHUNK_BYTES / most - bytesMore) / bytesANeuron / 16) * 16;
  const fair = Math.ceil(neurons / (4 * threads) / 16) * 16;
  const width = Math.max(NARROWEST, Math.min(WIDEST, fitting, threads > 1 ? fair : WIDEST));
  const rounded = Math.min(width, Math.ceil(neurons / 16) * 16);
  const count = Math.ceil(neurons / rounded);
  await overItems(work, count, rounded * bytesANeuron + bytesMore, async (index, slot) => {
    const from = index * rounded;
    const to = Math.min(from + rounded, neurons);
    await chunk({ from, to, width: Math.ceil((to - from) / 16) * 16, slot });
  });
}

/** The same for any tasks: `count` of them, each with a slot of its own. */
export async function overItems(
  work: Workspace,
  count: number,
  slotBytes: number,
  item: (index: number, slot: number) => Promise<void>,
): Promise<void> {
  const lanes = Math.min(count, work.pool.threads > 1 ? work.pool.threads + 1 : 1);
  await work.heap.during(async allocate => {
    const slots = Array.from({ length: lanes }, () => allocate(slotBytes));
    let next = 0;
    let failed = false;
    await allDone(
      slots.map(async slot => {
        while (next < count && !failed) {
          const index = next++;
          try {
            await work.pause();
            await item(index, slot);
          } catch (error) {
            failed = true;
            throw error;
          }
        }
      }),
    );
  });
}

/** Waits for all of them before it fails with the first one that failed: the others may still write to their memory. */
export async function allDone(tasks: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(tasks);
  await Promise.all(tasks);
}

// --- Copies into the shared memory. `order` is the input of every row there; undefined: their own order.

/** Columns [from, to) of a matrix as [rows, width] doubles; the columns filled up hold zeros. */
export function copyColumns(
  heap: Heap,
  { rows, columns, data }: Matrix,
  order: Int32Array | undefined,
  { from, to, width }: Omit<Chunk, "slot">,
  target: number,
): void {
  const out = heap.f64(target, rows * width);
  if (to - from < width) out.fill(0);
  for (let i = 0; i < rows; i++) {
    const start = (order ? order[i]! : i) * columns;
    out.set(data.subarray(start + from, start + to), i * width);
  }
}

/** Columns [from, to) of a matrix as [to - from, rows] doubles: a neuron's weights lie side by side. */
export function copyNeurons(heap: Heap, matrix: Matrix, from: number, to: number, target: number): void {
  const { rows, columns, data } = matrix;
  const out = heap.f64(target, (to - from) * rows);
  for (let i = 0; i < rows; i++) {
    const start = i * columns;
    for (let j = from; j < to; j++) out[(j - from) * rows + i] = data[start + j]!;
  }
}

export function groupCount(grids: Grids, inputs: number): number {
  return grids.groupInputs === undefined ? 1 : Math.ceil(inputs / grids.groupInputs);
}

/** [inputs] i32: the group of every row. */
export function copyGroups(
  heap: Heap,
  grids: Grids,
  inputs: number,
  order: Int32Array | undefined,
  target: number,
): void {
  const out = heap.i32(target, inputs);
  const size = grids.groupInputs ?? Infinity;
  for (let i = 0; i < inputs; i++) out[i] = Math.floor((order ? order[i]! : i) / size);
}

/** Levels [rows, width] of a chunk back to [inputs, neurons]. */
export function copyLevelsBack(
  heap: Heap,
  source: number,
  order: Int32Array | undefined,
  { from, to, width }: Chunk,
  levels: Uint8Array,
  neurons: number,
): void {
  const rows = levels.length / neurons;
  const found = heap.u8(source, rows * width);
  for (let i = 0; i < rows; i++) {
    levels.set(found.subarray(i * width, i * width + to - from), (order ? order[i]! : i) * neurons + from);
  }
}

// --- Matrices that several calls in a row use.

/**
 * Keeps the last lower triangle and the last square matrix that were copied into the shared memory, recognized by identity
 * (`Linalg` promises that arguments do not change). For large layers only one of the two, so that a layer stays within its
 * memory; copying again takes less than a tenth of a second.
 */
export class Operands {
  private readonly kept = new Map<"panels" | "square", { of: WeakRef<Float64Array>; start: number }>();

  private pivoted: { of: WeakRef<Float64Array>; order: Int32Array; start: number } | undefined;

  constructor(private readonly heap: Heap) {}

  /** The lower triangle of [n, n] as panels. */
  panels(data: Float64Array, n: number): number {
    return this.find("panels", data, panelBytes(n), n, start => {
      for (let b = 0; b < blockCount(n); b++) {
        const length = rowLength(n, b);
        const out = this.heap.f64(start + blockStart(b) * 8, length * rowsOf(n, b));
        for (let i = 0; i * length < out.length; i++) {
          const row = (b * BLOCK + i) * n;
          out.set(data.subarray(row, row + length), i * length);
        }
      }
    });
  }

  /** All of [n, n]. */
  square(data: Float64Array, n: number): number {
    return this.find("square", data, n * n * 8, n, start => this.heap.f64(start, n * n).set(data));
  }

  /** Keeps the factor that came with an order, as panels in the order of placing. */
  keepFactor(of: Float64Array, order: Int32Array, start: number): void {
    this.pivoted = { of: new WeakRef(of), order: order.slice(), start };
  }

  /** The factor kept, if it is this one; the caller frees it. */
  takeFactor(of: Float64Array, order: Int32Array): number | undefined {
    const known = this.pivoted;
    if (known?.of.deref() !== of || !known.order.every((input, place) => input === order[place])) return undefined;
    this.pivoted = undefined;
    return known.start;
  }

  /** Frees what is kept. */
  clear(): void {
    for (const { start } of this.kept.values()) this.heap.free(start);
    this.kept.clear();
    if (this.pivoted) this.heap.free(this.pivoted.start);
    this.pivoted = undefined;
  }

  private find(
    shape: "panels" | "square",
    data: Float64Array,
    bytes: number,
    n: number,
    copy: (start: number) => void,
  ): number {
    const known = this.kept.get(shape);
    if (known?.of.deref() === data) return known.start;
    if (n > LARGE) this.clear();
    else if (known) {
      this.heap.free(known.start);
      this.kept.delete(shape);
    }
    const start = this.heap.allocate(bytes);
    copy(start);
    this.kept.set(shape, { of: new WeakRef(data), start });
    return start;
  }
}

/** Inputs from which on a matrix is worth freeing: 8 MB. */
const LARGE = 1024;
