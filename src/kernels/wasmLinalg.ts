import type { Linalg } from "../core/linalg/linalg";
import { plainLinalg } from "../core/linalg/plain";
import { Heap } from "./heap";
import { eigenvalues, kernelWalk, rowSpace } from "./kernelWalk";
import { factor, moments, multiply, solve, walkOrder } from "./metric";
import { FIRST_FREE } from "./module";
import { metricNorms, nearest, packLevels, refine, roundingErrors, squaredNorms, sweep, walk } from "./neurons";
import type { Pool } from "./pool";
import { Operands, type Workspace } from "./workspace";

/** Up to so many inputs everything is float64 and gives the codes of the plain form; above, products run in float32. */
export const SINGLE_ABOVE = 1024;

export interface WasmLinalg extends Linalg {
  /** Levels of 1, 2 or 4 bits to bytes, the first in the lowest bits; the last byte is filled up with zeros. */
  packLevels(levels: Uint8Array, bits: 1 | 2 | 4): Promise<Uint8Array>;
  /** The most shared memory that was taken at once, in bytes, with the scratch memory of all threads. */
  peakBytes(): number;
  /** Frees the matrices kept from one call to the next; between two layers, say. */
  clear(): void;
}

export interface WasmLinalgOptions {
  /** Inputs above which products run in float32. */
  readonly singleAbove?: number;
  /** Bytes of shared memory the loops may take, beside the scratch memory of the threads. */
  readonly limitBytes?: number;
}

/**
 * The heavy loops in WebAssembly, over the threads of a pool: the same codes on any number of them.
 *
 * @param pause called between chunks, so that a caller may show progress or stop by throwing.
 */
export function wasmLinalg(pool: Pool, pause: () => Promise<void>, options: WasmLinalgOptions = {}): WasmLinalg {
  const scratchEnd = FIRST_FREE + (pool.threads + 1) * pool.own.scratchBytes();
  const heap = new Heap(pool.memory, scratchEnd, options.limitBytes);
  const operands = new Operands(heap);
  const work: Workspace = { pool, heap, operands, pause, singleAbove: options.singleAbove ?? SINGLE_ABOVE };
  const plain = plainLinalg(pause);

  // One loop at a time: a call may free the matrices kept from the last one.
  let last: Promise<unknown> = Promise.resolve();
  const alone = <Result>(loop: () => Promise<Result>): Promise<Result> => {
    const result = last.then(loop);
    last = result.catch(() => undefined);
    return result;
  };

  return {
    moments: (inputs, targets) =>
      alone(async () => {
        await pause();
        const sum = moments(work, inputs, targets);
        return { add: (x, y) => alone(() => sum.add(x, y)), finish: () => alone(() => sum.finish()) };
      }),
    multiply: (a, b) => alone(() => multiply(work, a, b)),
    walkOrder: metric => alone(() => walkOrder(work, metric)),
    factor: (metric, order) => alone(() => factor(work, metric, order)),
    solve: (metric, right) => alone(() => solve(work, metric, right)),
    eigenvalues: symmetric => alone(() => eigenvalues(work, symmetric)),
    neighbours: (metric, count) => plain.neighbours(metric, count),
    nearest: (weights, grids) => alone(() => nearest(work, weights, grids)),
    roundingErrors: (weights, importance, candidates) =>
      alone(() => roundingErrors(work, weights, importance, candidates)),
    sweep: (weights, feedback, grids, shifts) => alone(() => sweep(work, weights, feedback, grids, shifts)),
    walk: (weights, walkFactor, grids, paths, block) =>
      alone(() => walk(work, weights, walkFactor, grids, paths, block)),
    descend: (weights, levels, metric, grids, sweeps) =>
      alone(() => refine(work, weights, levels, metric, grids, new Int32Array(0), sweeps)),
    pairs: (weights, levels, metric, grids, neighbours, sweeps) =>
      alone(() => refine(work, weights, levels, metric, grids, neighbours, sweeps)),
    squaredNorms: (inputs, weights) => alone(() => squaredNorms(work, inputs, weights)),
    metricNorms: (metric, weights) => alone(() => metricNorms(work, metric, weights)),
    rowSpace: (inputs, tolerance) => alone(() => rowSpace(work, inputs, tolerance)),
    kernelWalk: (rows, weights, low, high) =>
      alone(() => kernelWalk(work, rows, weights, low, high, (w, l, h) => plain.kernelWalk(rows, w, l, h))),
    packLevels: (levels, bits) => alone(() => packLevels(work, levels, bits)),
    peakBytes: () => scratchEnd + heap.peakBytes,
    clear: () => operands.clear(),
  };
}
