import type { Costed, Factor, Feedback, Grids, Walked } from "../core/linalg/linalg";
import type { Matrix, Matrix64 } from "../core/matrix";
import {
  type Chunk,
  copyColumns,
  copyGroups,
  copyLevelsBack,
  copyNeurons,
  groupCount,
  overItems,
  overNeurons,
  runnerFor,
  type Workspace,
} from "./workspace";

/** The pieces of a chunk's slot, in the order they are taken. */
function layout(slot: number): (bytes: number) => number {
  let next = slot;
  return bytes => {
    const start = next;
    next += Math.ceil(bytes / 16) * 16;
    return start;
  };
}

/** Room for rounding up each piece of a slot. */
const SLACK = 256;

/** Steps and zero points of a chunk, [groups, width] each. */
function copyGrids(
  { heap }: Workspace,
  grids: Grids,
  groups: number,
  chunk: Chunk,
  steps: number,
  zeros: number,
): void {
  const columns = grids.steps.length / groups;
  copyColumns(heap, { rows: groups, columns, data: grids.steps }, undefined, chunk, steps);
  copyColumns(heap, { rows: groups, columns, data: grids.zeroPoints }, undefined, chunk, zeros);
}

/** See `Linalg.nearest`. Split by rows: no neuron's column needs to be gathered. */
export async function nearest(work: Workspace, weights: Matrix, grids: Grids): Promise<Uint8Array> {
  const { rows: n, columns: neurons } = weights;
  const { heap } = work;
  const levels = new Uint8Array(n * neurons);
  const groups = groupCount(grids, n);
  const run = runnerFor(work, n * neurons * 10);
  const width = neurons + (neurons % 2);
  const all = { from: 0, to: neurons, width, slot: 0 };
  // About 200,000 weights a chunk: some milliseconds.
  const rows = Math.max(1, Math.min(n, Math.floor(200_000 / width)));
  await heap.during(async allocate => {
    const group = allocate(n * 4);
    const steps = allocate(groups * width * 8);
    const zeros = allocate(groups * width * 8);
    copyGroups(heap, grids, n, undefined, group);
    copyGrids(work, grids, groups, all, steps, zeros);
    await overItems(work, Math.ceil(n / rows), rows * width * 9 + SLACK, async (index, slot) => {
      const from = index * rows;
      const count = Math.min(rows, n - from);
      const some = {
        rows: count,
        columns: neurons,
        data: weights.data.subarray(from * neurons, (from + count) * neurons),
      };
      const take = layout(slot);
      const w = take(count * width * 8);
      const out = take(count * width);
      if (width === neurons) heap.f64(w, count * width).set(some.data);
      else copyColumns(heap, some, undefined, all, w);
      await run("nearest", [count, width, w, group + from * 4, steps, zeros, grids.levels - 1, out]);
      const target = levels.subarray(from * neurons, (from + count) * neurons);
      if (width === neurons) target.set(heap.u8(out, count * width));
      else copyLevelsBack(heap, out, undefined, all, target, neurons);
    });
  });
  return levels;
}

/** Levels of 1, 2 or 4 bits to bytes, the first in the lowest bits; the last byte is filled up with zeros. */
export async function packLevels(work: Workspace, levels: Uint8Array, bits: 1 | 2 | 4): Promise<Uint8Array> {
  const { heap } = work;
  const each = 8 / bits;
  const packed = new Uint8Array(Math.ceil(levels.length / each));
  const most = 2 ** 20;
  const run = runnerFor(work, levels.length);
  await overItems(work, Math.ceil(levels.length / most), most * 2, async (index, slot) => {
    const some = levels.subarray(index * most, (index + 1) * most);
    heap.u8(slot, some.length).set(some);
    await run("pack", [some.length, bits, slot, slot + most]);
    packed.set(heap.u8(slot + most, Math.ceil(some.length / each)), (index * most) / each);
  });
  return packed;
}

/** See `Linalg.roundingErrors`. */
export async function roundingErrors(
  work: Workspace,
  weights: Matrix,
  importance: Float64Array,
  candidates: readonly Grids[],
): Promise<Float64Array[]> {
  const { rows: n, columns: neurons } = weights;
  const { heap } = work;
  const first = candidates[0];
  if (!first) return [];
  const groups = groupCount(first, n);
  const errors = candidates.map(grids => new Float64Array(grids.steps.length));
  const run = runnerFor(work, n * neurons * 12);
  await heap.during(async allocate => {
    const group = allocate(n * 4);
    const shares = allocate(n * 8);
    copyGroups(heap, first, n, undefined, group);
    heap.f64(shares, n).set(importance);
    await overNeurons(work, neurons, n * 8 + groups * 24, SLACK, async chunk => {
      const take = layout(chunk.slot);
      const { width, from, to } = chunk;
      const w = take(n * width * 8);
      const [steps, zeros, sums] = [1, 2, 3].map(() => take(groups * width * 8)) as [number, number, number];
      copyColumns(heap, weights, undefined, chunk, w);
      for (const [k, grids] of candidates.entries()) {
        copyGrids(work, grids, groups, chunk, steps, zeros);
        heap.f64(sums, groups * width).fill(0);
        await run("roundingErrors", [n, width, w, shares, group, steps, zeros, grids.levels - 1, sums]);
        const found = heap.f64(sums, groups * width);
        for (let g = 0; g < groups; g++) {
          errors[k]!.set(found.subarray(g * width, g * width + to - from), g * neurons + from);
        }
      }
    });
  });
  return errors;
}

/** See `Linalg.sweep`. */
export async function sweep(
  work: Workspace,
  weights: Matrix,
  { order, shares }: Feedback,
  grids: Grids,
  shifts: Matrix64 | undefined,
): Promise<Uint8Array> {
  const { levels } = await roundInOrder(work, weights, order, shares.data, undefined, grids, shifts);
  return levels;
}

/** The sweep, and its costs where it is a walk: `diagonal` of the factor given. */
async function roundInOrder(
  work: Workspace,
  weights: Matrix,
  order: Int32Array,
  shares: Float64Array,
  diagonal: Float64Array | undefined,
  grids: Grids,
  shifts: Matrix64 | undefined,
): Promise<Walked> {
  const { rows: n, columns: neurons } = weights;
  const { heap } = work;
  const levels = new Uint8Array(n * neurons);
  const costs = new Float64Array(neurons);
  const clipped = new Uint8Array(neurons);
  const groups = groupCount(grids, n);
  const run = runnerFor(work, n * n * neurons);
  const panels = work.operands.panels(shares, n);
  const single = n > work.singleAbove ? 1 : 0;
  await heap.during(async allocate => {
    const group = allocate(n * 4);
    copyGroups(heap, grids, n, order, group);
    const distances = diagonal ? allocate(n * 8) : 0;
    if (diagonal) heap.f64(distances, n).set(diagonal);
    const bytes = n * (shifts ? 17 : 9) + groups * 16 + 128 * 8 + 16;
    await overNeurons(work, neurons, bytes, SLACK, async chunk => {
      const take = layout(chunk.slot);
      const { width } = chunk;
      const w = take(n * width * 8);
      const pulls = take(128 * width * 8);
      const [steps, zeros] = [take(groups * width * 8), take(groups * width * 8)];
      const [cost, cut] = [take(width * 8), take(width * 8)];
      const shift = shifts ? take(n * width * 8) : 0;
      const out = take(n * width);
      copyColumns(heap, weights, order, chunk, w);
      if (shifts) copyColumns(heap, shifts, order, chunk, shift);
      copyGrids(work, grids, groups, chunk, steps, zeros);
      // prettier-ignore
      await run("sweep", [
        n, width, panels, distances, w, shift, group, steps, zeros, grids.levels - 1, out, diagonal ? cost : 0, cut, pulls,
        single,
      ]);
      copyLevelsBack(heap, out, order, chunk, levels, neurons);
      if (diagonal) copyCosts(work, chunk, cost, cut, costs, clipped);
    });
  });
  return { levels, costs, clipped };
}

function copyCosts(
  { heap }: Workspace,
  { from, to }: Chunk,
  cost: number,
  cut: number,
  costs: Float64Array,
  clipped: Uint8Array,
): void {
  costs.set(heap.f64(cost, to - from), from);
  clipped.set(heap.f64(cut, to - from), from);
}

/** See `Linalg.walk`. */
export async function walk(
  work: Workspace,
  weights: Matrix,
  { order, lower }: Factor,
  grids: Grids,
  paths: number,
  block: number,
): Promise<Walked> {
  const { rows: n, columns: neurons } = weights;
  if (paths === 1) {
    const diagonal = Float64Array.from({ length: n }, (_, i) => lower.data[i * n + i]!);
    return roundInOrder(work, weights, order, lower.data, diagonal, grids, undefined);
  }
  const { heap } = work;
  const { own } = work.pool;
  const levels = new Uint8Array(n * neurons);
  const costs = new Float64Array(neurons);
  const clipped = new Uint8Array(neurons);
  const groups = groupCount(grids, n);
  const run = runnerFor(work, n * (n + 100 * paths) * neurons);
  const panels = work.operands.panels(lower.data, n);
  const single = n > work.singleAbove ? 1 : 0;
  const stateBytes = Math.ceil(own.walkStateBytes(paths, block) / 16) * 16;
  const scratchBytes = own.walkScratchBytes(1, paths, block);
  await heap.during(async allocate => {
    const group = allocate(n * 4);
    copyGroups(heap, grids, n, order, group);
    const bytes = n * 9 + groups * 16 + 16 + stateBytes + scratchBytes;
    await overNeurons(work, neurons, bytes, SLACK, async chunk => {
      const take = layout(chunk.slot);
      const { width } = chunk;
      const w = take(n * width * 8);
      const states = take(stateBytes * width);
      const scratch = take(scratchBytes * width);
      const [steps, zeros] = [take(groups * width * 8), take(groups * width * 8)];
      const [cost, cut] = [take(width * 8), take(width * 8)];
      const out = take(n * width);
      copyColumns(heap, weights, order, chunk, w);
      copyGrids(work, grids, groups, chunk, steps, zeros);
      // prettier-ignore
      await run("walk", [
        n, width, paths, block, panels, w, group, steps, zeros, grids.levels - 1, out, cost, cut, states, scratch, single,
      ]);
      copyLevelsBack(heap, out, order, chunk, levels, neurons);
      copyCosts(work, chunk, cost, cut, costs, clipped);
    });
  });
  return { levels, costs, clipped };
}

/** See `Linalg.pairs`, and `Linalg.descend` where there are no neighbours. */
export async function refine(
  work: Workspace,
  weights: Matrix,
  start: Uint8Array,
  metric: Matrix64,
  grids: Grids,
  neighbours: Int32Array,
  sweeps: number,
): Promise<Costed> {
  const { rows: n, columns: neurons } = weights;
  const { heap } = work;
  const levels = start.slice();
  const costs = new Float64Array(neurons);
  const groups = groupCount(grids, n);
  const run = runnerFor(work, 2 * n * n * neurons);
  const square = work.operands.square(metric.data, n);
  const single = n > work.singleAbove ? 1 : 0;
  const count = neighbours.length / n;
  // Two neighbours at a time: an odd number is filled up with one that can never gain.
  const even = count + (count % 2);
  await heap.during(async allocate => {
    const near = allocate(n * even * 4);
    const shared = allocate(n * even * 8);
    const own = allocate(n * even * 8);
    copyNeighbours(work, metric, neighbours, count, even, near, shared, own);
    const bytes = n * 25 + groups * 16 + 8;
    await overNeurons(work, neurons, bytes, n * 16 + SLACK, async chunk => {
      const take = layout(chunk.slot);
      const width = chunk.to - chunk.from;
      const tight = { ...chunk, width };
      const w = take(n * width * 8);
      const g = take(n * width * 8);
      const e = take(n * width * 8);
      const [steps, zeros] = [take(groups * width * 8), take(groups * width * 8)];
      const cost = take(width * 8);
      const scratch = take(n * 16);
      const own8 = take(n * width);
      copyNeurons(heap, weights, chunk.from, chunk.to, w);
      copyGrids(work, grids, groups, tight, steps, zeros);
      const inMemory = heap.u8(own8, n * width);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < width; j++) inMemory[j * n + i] = start[i * neurons + chunk.from + j]!;
      }
      // prettier-ignore
      await run("refine", [
        n, width, square, w, own8, grids.groupInputs ?? n, steps, zeros, grids.levels - 1, even, near, shared, own, sweeps,
        cost, g, e, scratch, single,
      ]);
      const found = heap.u8(own8, n * width);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < width; j++) levels[i * neurons + chunk.from + j] = found[j * n + i]!;
      }
      costs.set(heap.f64(cost, width), chunk.from);
    });
  });
  return { levels, costs };
}

/** What a pair move needs of H, in the order it is read: H_it and H_tt of the neighbours of every input. */
function copyNeighbours(
  { heap }: Workspace,
  { columns: n, data }: Matrix64,
  neighbours: Int32Array,
  count: number,
  even: number,
  near: number,
  shared: number,
  own: number,
): void {
  const nearest = heap.i32(near, n * even).fill(0);
  const between = heap.f64(shared, n * even).fill(0);
  const alone = heap.f64(own, n * even).fill(1e300);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < count; k++) {
      const t = neighbours[i * count + k]!;
      nearest[i * even + k] = t;
      between[i * even + k] = data[i * n + t]!;
      alone[i * even + k] = data[t * n + t]!;
    }
  }
}

/** Rows of X in one task of `squaredNorms`. */
const NORM_ROWS = 192;

/** See `Linalg.squaredNorms`. */
export async function squaredNorms(work: Workspace, inputs: Matrix, weights: Matrix): Promise<Float64Array> {
  const { rows: n, columns: neurons } = weights;
  const { heap } = work;
  const squares = new Float64Array(neurons);
  const run = runnerFor(work, 2 * inputs.rows * n * neurons);
  const most = Math.min(NORM_ROWS, inputs.rows);
  await overNeurons(work, neurons, (n + most + 1) * 8, most * n * 8 + SLACK, async chunk => {
    const take = layout(chunk.slot);
    const { width } = chunk;
    const v = take(n * width * 8);
    const products = take(most * width * 8);
    const sums = take(width * 8);
    const x = take(most * n * 8);
    copyColumns(heap, weights, undefined, chunk, v);
    heap.f64(sums, width).fill(0);
    for (let from = 0; from < inputs.rows; from += most) {
      const rows = Math.min(most, inputs.rows - from);
      heap.f64(x, rows * n).set(inputs.data.subarray(from * n, (from + rows) * n));
      await run("squaredNorms", [rows, n, width, x, v, sums, products]);
    }
    squares.set(heap.f64(sums, chunk.to - chunk.from), chunk.from);
  });
  return squares;
}

/** See `Linalg.metricNorms`. */
export async function metricNorms(work: Workspace, metric: Matrix64, weights: Matrix): Promise<Float64Array> {
  const { rows: n, columns: neurons } = weights;
  const { heap } = work;
  const norms = new Float64Array(neurons);
  const run = runnerFor(work, 2 * n * n * neurons);
  const square = work.operands.square(metric.data, n);
  await overNeurons(work, neurons, (2 * n + 1) * 8, SLACK, async chunk => {
    const take = layout(chunk.slot);
    const { width } = chunk;
    const v = take(n * width * 8);
    const sums = take(width * 8);
    const scratch = take(n * width * 8);
    copyColumns(heap, weights, undefined, chunk, v);
    await run("metricNorms", [n, width, square, v, sums, scratch, 0]);
    norms.set(heap.f64(sums, chunk.to - chunk.from), chunk.from);
  });
  return norms;
}
