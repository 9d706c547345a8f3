import { columnOf, type Matrix, type Matrix64, zeros64 } from "../matrix";
import { addTo } from "./cholesky";
import type { Costed, Grids } from "./linalg";
import { metricNorms, multiply, type Pause } from "./products";
import { gridOf, inOrder, nearestLevel, type NeuronGrid } from "./rounding";

/** Share of its own size by which a move must lower the cost; less is rounding noise, and could go on for ever. */
const NOISE = 1e-12;

/** One neuron on its way: levels [inputs] and g = H(w - q). */
interface State {
  readonly grid: NeuronGrid;
  readonly levels: Uint8Array;
  readonly g: Float64Array;
}

/** See `Linalg.descend`. */
export function descend(
  weights: Matrix,
  levels: Uint8Array,
  metric: Matrix64,
  grids: Grids,
  sweeps: number,
  pause: Pause,
): Promise<Costed> {
  return improve(weights, levels, metric, grids, sweeps, (state, i) => moveAlone(state, metric, i), pause);
}

/** See `Linalg.pairs`. */
export function pairs(
  weights: Matrix,
  levels: Uint8Array,
  metric: Matrix64,
  grids: Grids,
  neighbours: Int32Array,
  sweeps: number,
  pause: Pause,
): Promise<Costed> {
  const count = neighbours.length / weights.rows;
  const move = (state: State, i: number): boolean => {
    const alone = moveAlone(state, metric, i);
    return moveWithNeighbour(state, metric, i, neighbours.subarray(i * count, (i + 1) * count)) || alone;
  };
  return improve(weights, levels, metric, grids, sweeps, move, pause);
}

async function improve(
  weights: Matrix,
  start: Uint8Array,
  metric: Matrix64,
  grids: Grids,
  sweeps: number,
  move: (state: State, i: number) => boolean,
  pause: Pause,
): Promise<Costed> {
  const { rows: n, columns: neurons } = weights;
  const order = inOrder(n);
  const levels = start.slice();
  const gradients = await multiply(metric, errors(weights, levels, grids), pause);
  for (let neuron = 0; neuron < neurons; neuron++) {
    const own = Uint8Array.from(order, i => levels[i * neurons + neuron]!);
    const state = { grid: gridOf(grids, neuron, neurons, order), levels: own, g: columnOf(gradients, neuron) };
    let changed = true;
    for (let sweep = 0; changed && sweep < sweeps; sweep++) {
      changed = false;
      for (let i = 0; i < n; i++) if (metric.data[i * n + i]! > 0 && move(state, i)) changed = true;
    }
    own.forEach((level, i) => (levels[i * neurons + neuron] = level));
    await pause();
  }
  return { levels, costs: await metricNorms(metric, errors(weights, levels, grids), pause) };
}

/** w - q, [inputs, neurons]. */
function errors(weights: Matrix, levels: Uint8Array, grids: Grids): Matrix64 {
  const { rows: n, columns: neurons, data } = weights;
  const groupInputs = grids.groupInputs ?? Infinity;
  const e = zeros64(n, neurons);
  for (let i = 0; i < n; i++) {
    const group = Math.floor(i / groupInputs) * neurons;
    for (let j = 0; j < neurons; j++) {
      const at = i * neurons + j;
      e.data[at] = data[at]! - grids.steps[group + j]! * (levels[at]! - grids.zeroPoints[group + j]!);
    }
  }
  return e;
}

/** Input i to the value nearest to q_i + g_i / H_ii, where the parabola of the cost has its lowest point. */
function moveAlone({ grid, levels, g }: State, metric: Matrix64, i: number): boolean {
  const d = metric.data[i * metric.columns + i]!;
  const step = grid.steps[i]!;
  const lowest = step * (levels[i]! - grid.zeroPoints[i]!) + g[i]! / d;
  const level = nearestLevel(lowest, step, grid.zeroPoints[i]!, grid.levels);
  const s = step * (level - levels[i]!);
  if (!(s * (s * d - 2 * g[i]!) < -NOISE * d * s * s)) return false;
  move(metric, levels, g, i, level, s);
  return true;
}

/** Input i by one level, and the one of its neighbours that gains most by one level in the direction of its gradient. */
function moveWithNeighbour({ grid, levels, g }: State, metric: Matrix64, i: number, near: Int32Array): boolean {
  const n = metric.columns;
  const h = metric.data;
  const row = i * n;
  const ownUp = Math.sign(grid.steps[i]!);
  let least = -NOISE * h[row + i]! * grid.steps[i]! ** 2;
  let [found, ownLevel, foundLevel] = [-1, 0, 0];
  for (const direction of [-1, 1]) {
    const level = levels[i]! + direction * ownUp;
    if (level < 0 || level >= grid.levels) continue;
    const s = grid.steps[i]! * (level - levels[i]!);
    const alone = s * (s * h[row + i]! - 2 * g[i]!);
    for (const t of near) {
      const x = g[t]! - s * h[row + t]!;
      const other = levels[t]! + (x > 0 ? 1 : -1) * Math.sign(grid.steps[t]!);
      if (other < 0 || other >= grid.levels) continue;
      const r = grid.steps[t]! * (other - levels[t]!);
      const gain = alone + r * (r * h[t * n + t]! - 2 * x);
      if (gain < least) [least, found, ownLevel, foundLevel] = [gain, t, level, other];
    }
  }
  if (found < 0) return false;
  move(metric, levels, g, i, ownLevel, grid.steps[i]! * (ownLevel - levels[i]!));
  move(metric, levels, g, found, foundLevel, grid.steps[found]! * (foundLevel - levels[found]!));
  return true;
}

/** H is symmetric, so its row i is its column i. */
function move(
  { columns, data }: Matrix64,
  levels: Uint8Array,
  g: Float64Array,
  i: number,
  level: number,
  s: number,
): void {
  addTo(g, data.subarray(i * columns, (i + 1) * columns), -s, columns);
  levels[i] = level;
}

/** See `Linalg.neighbours`. */
export function neighbours({ rows: n, data }: Matrix64, count: number): Int32Array {
  const sizes = Float64Array.from({ length: n }, (_, i) => Math.sqrt(Math.max(data[i * n + i]!, 0)));
  const kept = Math.max(0, Math.min(count, n - 1));
  const result = new Int32Array(n * kept);
  const near: { input: number; correlation: number }[] = [];
  for (let i = 0; i < n; i++) {
    near.length = 0;
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      const scale = sizes[i]! * sizes[j]!;
      const correlation = scale > 0 ? Math.abs(data[i * n + j]!) / scale : 0;
      if (near.length === kept && !(correlation > near[kept - 1]!.correlation)) continue;
      if (near.length === kept) near.pop();
      let place = near.length;
      while (place > 0 && correlation > near[place - 1]!.correlation) place--;
      near.splice(place, 0, { input: j, correlation });
    }
    near.forEach(({ input }, k) => (result[i * kept + k] = input));
  }
  return result;
}
