import type { KernelWalk } from "../core/linalg/linalg";
import { type Matrix, type Matrix64, transposed, zeros64 } from "../core/matrix";
import { moments, multiply } from "./metric";
import { squaredNorms } from "./neurons";
import { overItems, runnerFor, type Workspace } from "./workspace";

/** See `Linalg.eigenvalues`. */
export function eigenvalues(work: Workspace, symmetric: Matrix64): Promise<Float64Array> {
  return work.heap.during(async allocate => {
    const { values } = await diagonalized(work, symmetric, allocate, false);
    return values.sort().reverse();
  });
}

/** Reflections between two pauses: half a second at 2,048 inputs. */
const REFLECTIONS = 256;

/** Eigenvalues in no order, and where the rows of eigenvectors are. */
async function diagonalized(
  work: Workspace,
  { rows: n, data }: Matrix64,
  allocate: (bytes: number) => number,
  vectors: boolean,
): Promise<{ values: Float64Array; rows: number }> {
  const { heap } = work;
  const run = runnerFor(work, 2 * n ** 3);
  const a = allocate(n * n * 8);
  const [diagonal, beside, scales] = [1, 2, 3].map(() => allocate(n * 8)) as [number, number, number];
  const scratch = allocate(n * 16);
  heap.f64(a, n * n).set(data);
  for (let from = 0; from < n; from += REFLECTIONS) {
    await work.pause();
    await run("tridiagonalize", [n, from, Math.min(from + REFLECTIONS, n), a, diagonal, beside, scales, scratch]);
  }
  const rows = vectors ? allocate(n * n * 8) : 0;
  await work.pause();
  if (vectors) await run("formReflections", [n, a, scales, rows]);
  const converged = await run("diagonalize", [n, diagonal, beside, rows]);
  if (converged === 0)
    throw new Error("The eigenvalues did not converge: the matrix holds numbers that are not finite.");
  return { values: heap.f64(diagonal, n).slice(), rows };
}

/**
 * See `Linalg.rowSpace`. From XᵀX = V Λ Vᵀ the row space is Λ^½ Vᵀ. With fewer rows than inputs the smaller XXᵀ = U Λ Uᵀ has
 * the same eigenvalues and Λ^½ Vᵀ = Uᵀ X.
 */
export async function rowSpace(work: Workspace, inputs: Matrix, tolerance: number): Promise<Matrix64> {
  const wide = inputs.rows < inputs.columns;
  // Ranks are told apart at 1e-10 of the largest eigenvalue: far below what float32 products leave.
  const sum = moments({ ...work, singleAbove: Infinity }, wide ? inputs.rows : inputs.columns, 0);
  await sum.add(wide ? transposed(inputs) : inputs, undefined);
  const { gram } = await sum.finish();
  const n = gram.rows;
  const { values, vectors } = await work.heap.during(async allocate => {
    const found = await diagonalized(work, gram, allocate, true);
    return { values: found.values, vectors: work.heap.f64(found.rows, n * n).slice() };
  });
  const strongest = values.reduce((a, b) => Math.max(a, b), 0);
  const order = Array.from(values.keys())
    .filter(k => values[k]! > strongest * tolerance)
    .sort((a, b) => values[b]! - values[a]! || a - b);
  const kept = zeros64(order.length, n);
  order.forEach((k, row) => {
    const scale = wide ? 1 : Math.sqrt(values[k]!);
    for (let i = 0; i < n; i++) kept.data[row * n + i] = scale * vectors[k * n + i]!;
  });
  return wide ? multiply(work, kept, inputs) : kept;
}

/** Neurons a chunk: some hundredths of a second for the layers met so far. */
const NEURONS = 8;
/** Ranks up to this walk in float64: they are quick, and X z = X w holds to 1e-13. */
const DOUBLE_UP_TO = 128;
/**
 * Relative ||R(z - w)|| above which a neuron is walked again: in float64, and should that not do, by the plain form, which
 * keeps B⁻¹ itself up to date.
 */
const LARGEST_RESIDUAL = 1e-5;
/** Share of a box below which a coordinate counts as lying on its face. */
const ON_FACE = 1e-12;

/**
 * See `Linalg.kernelWalk`.
 *
 * @param again walks what did not come out well.
 */
export async function kernelWalk(
  work: Workspace,
  rowSpaceOf: Matrix64,
  weights: Matrix64,
  low: Matrix64,
  high: Matrix64,
  again: (weights: Matrix64, low: Matrix64, high: Matrix64) => Promise<KernelWalk>,
): Promise<KernelWalk> {
  const n = weights.rows;
  const neurons = weights.columns;
  const r = rowSpaceOf.rows;
  const moved = { rows: n, columns: neurons, data: weights.data.slice() };
  const all = Array.from({ length: neurons }, (_, j) => j);
  const tableau = await tableauOf(work, rowSpaceOf);
  try {
    const single = r > DOUBLE_UP_TO;
    await walkNeurons(work, tableau, all, weights, low, high, moved, single);
    if (single) {
      const failed = failures(await drifts(work, rowSpaceOf, weights, moved), moved, low, high, r);
      await walkNeurons(work, tableau, failed, weights, low, high, moved, false);
    }
  } finally {
    tableau.free();
  }

  const residuals = await drifts(work, rowSpaceOf, weights, moved);
  for (const j of failures(residuals, moved, low, high, r)) {
    const [w, l, h] = [weights, low, high].map(matrix => column(matrix, j)) as [Matrix64, Matrix64, Matrix64];
    const redone = await again(w, l, h);
    for (let i = 0; i < n; i++) moved.data[i * neurons + j] = redone.moved.data[i]!;
    residuals[j] = redone.residual;
  }
  return {
    moved,
    interior: all.reduce((most, j) => Math.max(most, insideCount(moved, low, high, j)), 0),
    residual: residuals.reduce((most, drift) => Math.max(most, drift), 0),
  };
}

/** Walks some of the neurons; those that get stuck are left where they were. */
async function walkNeurons(
  work: Workspace,
  { inputs, start, rank, places }: Tableau,
  some: readonly number[],
  weights: Matrix64,
  low: Matrix64,
  high: Matrix64,
  moved: Matrix64,
  single: boolean,
): Promise<void> {
  const n = weights.rows;
  const scratch = work.pool.own.kernelWalkBytes(places) + 16 + n * 8;
  const run = runnerFor(work, rank * rank * n * some.length);
  const bytes = NEURONS * n * 8;
  await overItems(work, Math.ceil(some.length / NEURONS), 3 * bytes + scratch, async (index, slot) => {
    const neurons = some.slice(index * NEURONS, (index + 1) * NEURONS);
    [weights, low, high].forEach((matrix, k) => gather(work, matrix, inputs, neurons, slot + k * bytes));
    const pointers = [slot, slot + bytes, slot + 2 * bytes, slot + 3 * bytes];
    await run("kernelWalk", [n, rank, places, neurons.length, start, ...pointers, single ? 1 : 0]);
    const found = work.heap.f64(slot, neurons.length * n);
    neurons.forEach((j, k) => {
      for (let i = 0; i < n; i++) moved.data[inputs[i]! * weights.columns + j] = found[k * n + i]!;
    });
  });
}

/** ||R(z - w)|| / ||Rw|| of every neuron; 0 where Rw is 0. */
async function drifts(
  work: Workspace,
  rowSpaceOf: Matrix64,
  weights: Matrix64,
  moved: Matrix64,
): Promise<Float64Array> {
  const difference = { ...moved, data: moved.data.map((z, k) => z - weights.data[k]!) };
  const changes = await squaredNorms(work, rowSpaceOf, difference);
  const sizes = await squaredNorms(work, rowSpaceOf, weights);
  return changes.map((change, j) => (sizes[j]! > 0 ? Math.sqrt(change / sizes[j]!) : 0));
}

/** Neurons that drifted, or got stuck: too many of their coordinates are inside. */
function failures(drift: Float64Array, moved: Matrix64, low: Matrix64, high: Matrix64, rank: number): number[] {
  const all = Array.from(drift.keys());
  return all.filter(j => !(drift[j]! <= LARGEST_RESIDUAL) || insideCount(moved, low, high, j) > rank);
}

interface Tableau {
  /** [inputs]: the basis first. */
  readonly inputs: Int32Array;
  /** Where T0 is, [places, inputs - rank]. */
  readonly start: number;
  readonly rank: number;
  /** The rank, rounded up to a multiple of 2. */
  readonly places: number;
  readonly free: () => void;
}

async function tableauOf(work: Workspace, { rows: r, columns: n, data }: Matrix64): Promise<Tableau> {
  const { heap } = work;
  const places = r + (r % 2);
  const start = heap.allocate(Math.max(1, places * (n - r) * 8));
  const free = () => heap.free(start);
  try {
    const inputs = await heap.during(async allocate => {
      const a = allocate(n * r * 8);
      const list = allocate(n * 4);
      const rows = heap.f64(a, n * r);
      for (let k = 0; k < r; k++) {
        let squares = 0;
        for (let i = 0; i < n; i++) squares += data[k * n + i]! ** 2;
        // Rows of length 1: the same null space, and pivots of one size.
        const scale = 1 / Math.sqrt(squares);
        for (let i = 0; i < n; i++) rows[i * r + k] = data[k * n + i]! * scale;
      }
      heap.i32(list, n).forEach((_, i, all) => (all[i] = i));
      const run = runnerFor(work, n * r * r);
      await work.pause();
      const independent = await run("factorInputs", [n, r, a, list]);
      if (independent === 0) throw new Error(`The row space has ${r} rows, but they are not independent.`);
      await run("formTableau", [n, r, a, start, places]);
      return heap.i32(list, n).slice();
    });
    return { inputs, start, rank: r, places, free };
  } catch (error) {
    free();
    throw error;
  }
}

/** Some neurons as [neurons, inputs], the inputs in the order given. */
function gather(
  { heap }: Workspace,
  { columns, data }: Matrix64,
  inputs: Int32Array,
  neurons: readonly number[],
  target: number,
): void {
  const n = inputs.length;
  const out = heap.f64(target, neurons.length * n);
  for (let i = 0; i < n; i++) {
    const row = inputs[i]! * columns;
    for (let k = 0; k < neurons.length; k++) out[k * n + i] = data[row + neurons[k]!]!;
  }
}

function insideCount(z: Matrix64, low: Matrix64, high: Matrix64, neuron: number): number {
  let count = 0;
  for (let at = neuron; at < z.data.length; at += z.columns) {
    const margin = ON_FACE * (high.data[at]! - low.data[at]!);
    if (z.data[at]! - low.data[at]! > margin && high.data[at]! - z.data[at]! > margin) count++;
  }
  return count;
}

function column({ rows, columns, data }: Matrix64, j: number): Matrix64 {
  return { rows, columns: 1, data: Float64Array.from({ length: rows }, (_, i) => data[i * columns + j]!) };
}
