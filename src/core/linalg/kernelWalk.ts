import type { KernelWalk } from "./linalg";
import { columnOf, type Matrix64, setColumn, zeros64 } from "../matrix";

// The pre-processing of Maly & Saab (arXiv 2209.03487, section 2), written as the simplex method for bounded variables
// does it. R B = I on a basis B of rank(R) columns; any other column j is a combination of them, d = B⁻¹ R_j, so
//
//   z_j += t,   z_B -= t d          leaves R z as it is: b = (1, -d) is the null vector of the rank + 1 columns B and j.
//
// Each column outside the basis enters once: it goes in the direction that meets a face of the box first. If the face is
// its own, it stays outside; if a basic coordinate meets its face first, the two change places. In the end every
// coordinate outside the basis lies on a face, so at most rank(R) are strictly inside.

/** Shares of a box below which a coordinate counts as lying on its face, and within which two faces are met at once. */
const ON_FACE = 1e-12;
/** Entries of d below this share of its largest are rounding noise; a pivot on one of them would ruin the inverse. */
const NO_PIVOT = 1e-11;

interface Basis {
  /** [rank]: the input in each place of the basis. */
  readonly columns: Int32Array;
  /** B⁻¹, [rank, rank]. */
  readonly inverse: Float64Array;
}

/** See `Linalg.kernelWalk`; `pause` is called between neurons so that others may run. */
export async function kernelWalk(
  rowSpace: Matrix64,
  weights: Matrix64,
  low: Matrix64,
  high: Matrix64,
  pause: () => Promise<void>,
): Promise<KernelWalk> {
  const directions = unitRows(rowSpace);
  const start = firstBasis(directions);
  const moved = zeros64(weights.rows, weights.columns);
  let interior = 0;
  let residual = 0;
  for (let neuron = 0; neuron < weights.columns; neuron++) {
    const w = columnOf(weights, neuron);
    const box = { low: columnOf(low, neuron), high: columnOf(high, neuron) };
    const z = walkNeuron(directions, start, w, box);
    setColumn(moved, neuron, z);
    interior = Math.max(interior, insideCount(z, box));
    residual = Math.max(residual, relativeDrift(rowSpace, w, z));
    await pause();
  }
  return { moved, interior, residual };
}

interface Box {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

function walkNeuron(rows: Matrix64, start: Basis, w: Float64Array, box: Box): Float64Array {
  const z = w.slice();
  const basis = { columns: start.columns.slice(), inverse: start.inverse.slice() };
  const inBasis = new Uint8Array(w.length);
  for (const column of basis.columns) inBasis[column] = 1;
  const entering = Array.from(w.keys()).filter(column => inBasis[column] === 0);
  for (const column of entering) if (isInside(z, column, box)) enter(column, rows, basis, z, box);
  correct(rows, basis, w, z);
  for (let i = 0; i < z.length; i++) z[i] = Math.min(Math.max(z[i]!, box.low[i]!), box.high[i]!);
  return z;
}

/** Moves input `column` and the basis along their null vector to the nearest face. */
function enter(column: number, rows: Matrix64, basis: Basis, z: Float64Array, box: Box): void {
  const d = solve(basis, columnOf(rows, column));
  const up = nearestFace(column, 1, d, basis, z, box);
  const down = nearestFace(column, -1, d, basis, z, box);
  const { direction, step, place } = up.step <= down.step ? up : down;
  for (let i = 0; i < d.length; i++) z[basis.columns[i]!]! -= direction * step * d[i]!;
  if (place < 0) {
    z[column] = direction > 0 ? box.high[column]! : box.low[column]!;
    return;
  }
  z[column]! += direction * step;
  const leaving = basis.columns[place]!;
  z[leaving] = direction * d[place]! > 0 ? box.low[leaving]! : box.high[leaving]!;
  basis.columns[place] = column;
  pivot(basis.inverse, d, place);
}

interface Face {
  readonly direction: 1 | -1;
  /** How far the entering coordinate goes. */
  readonly step: number;
  /** Place in the basis of the coordinate whose face is met, or -1 for the entering one's own. */
  readonly place: number;
}

function nearestFace(
  column: number,
  direction: 1 | -1,
  d: Float64Array,
  basis: Basis,
  z: Float64Array,
  box: Box,
): Face {
  const own = direction > 0 ? box.high[column]! - z[column]! : z[column]! - box.low[column]!;
  let largest = 0;
  for (const entry of d) largest = Math.max(largest, Math.abs(entry));
  const smallest = NO_PIVOT * Math.max(1, largest);

  /** Room of the basic coordinate before its face, the face moved out by `slack` of the box. */
  const stepTo = (i: number, slack: number): number => {
    const at = basis.columns[i]!;
    const rate = direction * d[i]!;
    const room = rate > 0 ? z[at]! - box.low[at]! : box.high[at]! - z[at]!;
    return Math.max(0, room + slack * (box.high[at]! - box.low[at]!)) / Math.abs(rate);
  };
  // Harris' ratio test: among the faces met at nearly the same step, the one with the largest pivot.
  let reach = own;
  for (let i = 0; i < d.length; i++) if (Math.abs(d[i]!) > smallest) reach = Math.min(reach, stepTo(i, ON_FACE));
  let place = -1;
  for (let i = 0; i < d.length; i++) {
    if (Math.abs(d[i]!) <= smallest || stepTo(i, 0) > reach) continue;
    if (place < 0 || Math.abs(d[i]!) > Math.abs(d[place]!)) place = i;
  }
  if (place < 0 || own <= stepTo(place, 0)) return { direction, step: own, place: -1 };
  return { direction, step: stepTo(place, 0), place };
}

/** d = B⁻¹ r. */
function solve(basis: Basis, r: Float64Array): Float64Array {
  const rank = r.length;
  const d = new Float64Array(rank);
  for (let i = 0; i < rank; i++) {
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += basis.inverse[i * rank + k]! * r[k]!;
    d[i] = sum;
  }
  return d;
}

/** Updates B⁻¹ after the column with B⁻¹ r = d took the given place of the basis. */
function pivot(inverse: Float64Array, d: Float64Array, place: number): void {
  const rank = d.length;
  const row = inverse.subarray(place * rank, (place + 1) * rank);
  for (let k = 0; k < rank; k++) row[k]! /= d[place]!;
  for (let i = 0; i < rank; i++) {
    const share = d[i]!;
    if (i === place || share === 0) continue;
    for (let k = 0; k < rank; k++) inverse[i * rank + k]! -= share * row[k]!;
  }
}

/** The walk adds up rounding errors; three steps of z_B += B⁻¹ R(w - z) take them out again. */
function correct(rows: Matrix64, basis: Basis, w: Float64Array, z: Float64Array): void {
  for (let round = 0; round < 3; round++) {
    const drift = new Float64Array(rows.rows);
    for (let k = 0; k < rows.rows; k++) {
      for (let i = 0; i < z.length; i++) drift[k]! += rows.data[k * rows.columns + i]! * (w[i]! - z[i]!);
    }
    solve(basis, drift).forEach((move, place) => (z[basis.columns[place]!]! += move));
  }
}

/** The rows scaled to length 1: the same null space, and a basis inverse whose entries are all of one size. */
function unitRows(rowSpace: Matrix64): Matrix64 {
  const { rows, columns } = rowSpace;
  const unit = { rows, columns, data: rowSpace.data.slice() };
  for (let k = 0; k < rows; k++) {
    const row = unit.data.subarray(k * columns, (k + 1) * columns);
    let squares = 0;
    for (const value of row) squares += value * value;
    for (let i = 0; i < columns; i++) row[i]! /= Math.sqrt(squares);
  }
  return unit;
}

/** Picks rank independent columns by Gauss-Jordan elimination with complete pivoting, and inverts them. */
function firstBasis(rows: Matrix64): Basis {
  const { rows: rank, columns: n } = rows;
  const a = rows.data.slice();
  const inverse = new Float64Array(rank * rank);
  for (let k = 0; k < rank; k++) inverse[k * rank + k] = 1;
  const columns = new Int32Array(rank).fill(-1);
  for (let step = 0; step < rank; step++) {
    let row = -1;
    let column = -1;
    let largest = 0;
    for (let k = 0; k < rank; k++) {
      if (columns[k]! >= 0) continue;
      for (let j = 0; j < n; j++) {
        const size = Math.abs(a[k * n + j]!);
        if (size > largest) [largest, row, column] = [size, k, j];
      }
    }
    if (row < 0) throw new Error(`The row space has ${rank} rows but only ${step} independent columns.`);
    columns[row] = column;
    const d = Float64Array.from({ length: rank }, (_, k) => a[k * n + column]!);
    pivot(inverse, d, row);
    eliminate(a, n, d, row);
  }
  return { columns, inverse };
}

function eliminate(a: Float64Array, n: number, d: Float64Array, row: number): void {
  for (let j = 0; j < n; j++) a[row * n + j]! /= d[row]!;
  for (let k = 0; k < d.length; k++) {
    if (k === row || d[k] === 0) continue;
    for (let j = 0; j < n; j++) a[k * n + j]! -= d[k]! * a[row * n + j]!;
  }
}

function isInside(z: Float64Array, i: number, box: Box): boolean {
  const margin = ON_FACE * (box.high[i]! - box.low[i]!);
  return z[i]! - box.low[i]! > margin && box.high[i]! - z[i]! > margin;
}

function insideCount(z: Float64Array, box: Box): number {
  let count = 0;
  for (let i = 0; i < z.length; i++) if (isInside(z, i, box)) count++;
  return count;
}

function relativeDrift(rowSpace: Matrix64, w: Float64Array, z: Float64Array): number {
  let moved = 0;
  let size = 0;
  for (let k = 0; k < rowSpace.rows; k++) {
    let before = 0;
    let change = 0;
    for (let i = 0; i < w.length; i++) {
      const r = rowSpace.data[k * rowSpace.columns + i]!;
      before += r * w[i]!;
      change += r * (z[i]! - w[i]!);
    }
    moved += change * change;
    size += before * before;
  }
  return size > 0 ? Math.sqrt(moved / size) : 0;
}
