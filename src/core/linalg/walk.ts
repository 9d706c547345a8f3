import { columnOf, type Matrix, type Matrix64 } from "../matrix";
import type { Factor, Feedback, Grids, Walked } from "./linalg";
import type { Pause } from "./products";
import { gridOf, nearestLevel, type NeuronGrid } from "./rounding";

/** See `Linalg.sweep`. */
export async function sweep(
  weights: Matrix,
  feedback: Feedback,
  grids: Grids,
  shifts: Matrix64 | undefined,
  pause: Pause,
): Promise<Uint8Array> {
  const { rows: n, columns: neurons } = weights;
  const { order, shares } = feedback;
  const levels = new Uint8Array(n * neurons);
  const e = new Float64Array(n);
  for (let neuron = 0; neuron < neurons; neuron++) {
    const grid = gridOf(grids, neuron, neurons, order);
    for (let i = 0; i < n; i++) {
      const at = order[i]! * neurons + neuron;
      const w = weights.data[at]!;
      const v = w + (shifts?.data[at] ?? 0) + dotBelow(shares, i, e, i);
      const step = grid.steps[i]!;
      const level = nearestLevel(v, step, grid.zeroPoints[i]!, grid.levels);
      e[i] = w - step * (level - grid.zeroPoints[i]!);
      levels[at] = level;
    }
    await pause();
  }
  return levels;
}

/** Half a step, and what single precision may add to it. */
const HALF_STEP = 0.5 * (1 + 1e-4);

/** See `Linalg.walk`. */
export async function walk(
  weights: Matrix,
  factor: Factor,
  grids: Grids,
  paths: number,
  block: number,
  pause: Pause,
): Promise<Walked> {
  const { rows: n, columns: neurons } = weights;
  const { order } = factor;
  const levels = new Uint8Array(n * neurons);
  const costs = new Float64Array(neurons);
  const clipped = new Uint8Array(neurons);
  for (let neuron = 0; neuron < neurons; neuron++) {
    const column = columnOf(weights, neuron);
    const w = Float64Array.from(order, input => column[input]!);
    const grid = gridOf(grids, neuron, neurons, order);
    const found = walkNeuron(w, factor.lower, grid, paths, block);
    order.forEach((input, place) => (levels[input * neurons + neuron] = found.levels[place]!));
    costs[neuron] = found.cost;
    clipped[neuron] = found.clipped ? 1 : 0;
    await pause();
  }
  return { levels, costs, clipped };
}

/** A walk that has come some way: its cost, and its levels and errors from the first undecided coordinate on. */
interface Path {
  cost: number;
  /** [2 * block], from coordinate `decided` on. */
  readonly levels: Uint8Array;
  readonly e: Float64Array;
}

/** One neuron, everything in walk order. */
function walkNeuron(w: Float64Array, lower: Matrix64, grid: NeuronGrid, most: number, block: number) {
  const n = w.length;
  const levels = new Uint8Array(n);
  const e = new Float64Array(n);
  const newPath = (): Path => ({ cost: 0, levels: new Uint8Array(2 * block), e: new Float64Array(2 * block) });
  let paths = [newPath()];
  // Paths are copied in every step; what is dropped is written over in the next one.
  let spare = Array.from({ length: most }, newPath);
  let decided = 0;
  let clipped = false;

  const decide = (until: number): void => {
    const length = until - decided;
    levels.set(paths[0]!.levels.subarray(0, length), decided);
    e.set(paths[0]!.e.subarray(0, length), decided);
    const cheapest = paths[0]!.levels.slice(0, length);
    const agreeing = paths.filter(path => cheapest.every((level, k) => path.levels[k] === level));
    spare.push(...paths.filter(path => !agreeing.includes(path)));
    paths = agreeing;
    for (const path of paths) {
      path.levels.copyWithin(0, length);
      path.e.copyWithin(0, length);
    }
    decided = until;
  };

  for (let i = 0; i < n; i++) {
    const at = i - decided;
    const pulled = dotBelow(lower, i, e, decided);
    const found = cheapestChildren(paths, w[i]!, i, lower, pulled, at, grid, most);
    clipped ||= found.clipped;
    const next = found.children.map(child => {
      const path = spare.pop() ?? newPath();
      const parent = paths[child.path]!;
      path.levels.set(parent.levels.subarray(0, at));
      path.e.set(parent.e.subarray(0, at));
      path.levels[at] = child.level;
      path.e[at] = child.e;
      path.cost = child.cost;
      return path;
    });
    spare = spare.concat(paths);
    paths = next;
    if ((i + 1) % block === 0 && i + 1 >= 2 * block) decide(i + 1 - block);
  }
  const cost = paths[0]!.cost;
  paths = paths.slice(0, 1);
  decide(n);
  return { levels, cost, clipped };
}

interface Child {
  readonly path: number;
  readonly level: number;
  readonly e: number;
  readonly cost: number;
}

/**
 * @param pulled Σ L_ij e_j over the decided coordinates, the same for all paths.
 * @param at     place of coordinate i in the paths.
 */
function cheapestChildren(
  paths: readonly Path[],
  w: number,
  i: number,
  lower: Matrix64,
  pulled: number,
  at: number,
  grid: NeuronGrid,
  most: number,
): { children: Child[]; clipped: boolean } {
  const start = i * lower.columns + i;
  const distance = lower.data[start]!;
  const step = grid.steps[i]!;
  const zeroPoint = grid.zeroPoints[i]!;
  const children: Child[] = [];
  let clipped = false;
  paths.forEach((path, k) => {
    let pull = pulled;
    for (let j = 0; j < at; j++) pull += lower.data[start - at + j]! * path.e[j]!;
    const v = w + pull / distance;
    const level = nearestLevel(v, step, zeroPoint, grid.levels);
    if (k === 0) clipped = Math.abs(v - step * (level - zeroPoint)) > HALF_STEP * Math.abs(step);
    const other = most > 1 ? nextLevel(v, level, step, zeroPoint, grid.levels) : level;
    for (const tried of other === level ? [level] : [level, other]) {
      const e = w - step * (tried - zeroPoint);
      insert(children, { path: k, level: tried, e, cost: path.cost + (distance * e + pull) ** 2 }, most);
    }
  });
  return { children, clipped };
}

/** The second value to try: the next one on v's side, or the other neighbour at the end of the alphabet. */
function nextLevel(v: number, level: number, step: number, zeroPoint: number, levels: number): number {
  if (step === 0 || levels < 2) return level;
  const up = v > step * (level - zeroPoint) ? Math.sign(step) : -Math.sign(step);
  const next = level + up;
  return next >= 0 && next < levels ? next : level - up;
}

/** Keeps the cheapest children in rising order; equal ones in the order they came. */
function insert(children: Child[], child: Child, most: number): void {
  if (children.length === most && !(child.cost < children[most - 1]!.cost)) return;
  if (children.length === most) children.pop();
  let place = children.length;
  while (place > 0 && child.cost < children[place - 1]!.cost) place--;
  children.splice(place, 0, child);
}

/** Σ_{j<length} a_ij e_j. */
function dotBelow({ columns, data }: Matrix64, i: number, e: Float64Array, length: number): number {
  const start = i * columns;
  let sum = 0;
  for (let j = 0; j < length; j++) sum += data[start + j]! * e[j]!;
  return sum;
}
