import type { Matrix } from "../matrix";
import type { Grids } from "./linalg";

/** The level of the value nearest to `value`; a tie takes the lower value. */
export function nearestLevel(value: number, step: number, zeroPoint: number, levels: number): number {
  if (step === 0) return 0;
  const position = value / step + zeroPoint;
  // Half way between two levels the lower value is the lower level, or the higher one where the step is negative.
  const level = step > 0 ? Math.ceil(position - 0.5) : Math.floor(position + 0.5);
  return level > 0 ? Math.min(level, levels - 1) : 0;
}

/** The grid of one neuron, spelled out for each of its inputs. */
export interface NeuronGrid {
  readonly levels: number;
  /** [inputs]. */
  readonly steps: Float64Array;
  /** [inputs]. */
  readonly zeroPoints: Float64Array;
}

/** @param order the input of every place of the result. */
export function gridOf(grids: Grids, neuron: number, neurons: number, order: Int32Array): NeuronGrid {
  const steps = new Float64Array(order.length);
  const zeroPoints = new Float64Array(order.length);
  const groupInputs = grids.groupInputs ?? Infinity;
  order.forEach((input, place) => {
    const at = Math.floor(input / groupInputs) * neurons + neuron;
    steps[place] = grids.steps[at]!;
    zeroPoints[place] = grids.zeroPoints[at]!;
  });
  return { levels: grids.levels, steps, zeroPoints };
}

/** 0 .. n - 1. */
export function inOrder(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i);
}

/** See `Linalg.nearest`. */
export function nearest(weights: Matrix, grids: Grids): Uint8Array {
  const { rows: n, columns: neurons, data } = weights;
  const levels = new Uint8Array(n * neurons);
  forEachRow(n, neurons, grids, (i, group) => {
    for (let j = 0; j < neurons; j++) {
      const at = i * neurons + j;
      levels[at] = nearestLevel(data[at]!, grids.steps[group + j]!, grids.zeroPoints[group + j]!, grids.levels);
    }
  });
  return levels;
}

/** See `Linalg.roundingErrors`. */
export function roundingErrors(weights: Matrix, importance: Float64Array, grids: Grids): Float64Array {
  const { rows: n, columns: neurons, data } = weights;
  const errors = new Float64Array(grids.steps.length);
  forEachRow(n, neurons, grids, (i, group) => {
    for (let j = 0; j < neurons; j++) {
      const step = grids.steps[group + j]!;
      const zeroPoint = grids.zeroPoints[group + j]!;
      const w = data[i * neurons + j]!;
      const e = w - step * (nearestLevel(w, step, zeroPoint, grids.levels) - zeroPoint);
      errors[group + j]! += importance[i]! * e * e;
    }
  });
  return errors;
}

/** Calls `row` for every input with where the steps of its group begin. */
function forEachRow(n: number, neurons: number, grids: Grids, row: (input: number, group: number) => void): void {
  const groupInputs = grids.groupInputs ?? Infinity;
  for (let i = 0; i < n; i++) row(i, Math.floor(i / groupInputs) * neurons);
}
