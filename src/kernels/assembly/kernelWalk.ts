import { product64 } from "./gemm";
import { subtract } from "./vectors";

// The pre-processing of Maly & Saab (arXiv 2209.03487) as the simplex method for bounded variables does it; core/linalg's
// kernelWalk.ts says what it computes. R has r independent rows. Once for all neurons, an LU factorization of Rᵀ picks r
// inputs whose columns B0 of R are independent and gives the tableau T0 = B0⁻¹ R_N of the others. Then for each neuron
//
//   an input j outside the basis enters:  z_j += t,  z_B -= t d,   d = B⁻¹ R_j,
//
// until it or an input of the basis meets its face; in the latter case the two change places. Places whose input changed are
// `replaced`; B⁻¹ B0 = I + G S, G with a column for each of them, S picking their rows. So for a block of entering inputs
//
//   D = T0 + G (rows of T0 that are replaced)                                    one matrix product
//   d = D_j - Σ_s c_s u_s                                                         the exchanges made inside the block
//
// and when the block ends the exchanges are folded into G, which is another product of rank at most WIDTH.
// Values, faces, d and u are float64, and so are the corrections that bring the basis back to Xz = Xw. The two products may
// run in float32 (`single`): d is then good to 1e-6, the corrections still converge, and the caller checks the residual.
// 784 x 500 with 300 samples took 5.9 s in float64, three quarters of it in the products, and takes 3.9 s in float32. Blocks
// of 16 and 64 entering inputs are as fast as 32.

/** Entering inputs a block. */
const WIDTH: i32 = 32;
/** Entries of d below this are rounding noise: T0's are of the order of 1. */
const NO_PIVOT: f64 = 1e-9;
const NO_PIVOT_SINGLE: f64 = 1e-5;
/** Share of a box within which two faces are met at once. */
const ON_FACE: f64 = 1e-12;
/** Blocks after which the basis is brought back to Xz = Xw. */
const BLOCKS_A_CORRECTION: i32 = 16;
/** At the end: each takes the drift down by the accuracy of G, 1e-6 or better. */
const LAST_CORRECTIONS: i32 = 2;

// --- The tableau

/** Columns of Rᵀ eliminated between two updates of the rest. */
const PANEL: i32 = 32;

/**
 * LU factorization of Rᵀ with row exchanges: afterwards the first r inputs are the basis.
 *
 * @param a      [n, r]: Rᵀ; holds L (unit diagonal) and U afterwards, rows exchanged.
 * @param inputs [n] i32: the input of each row.
 * @returns whether r independent inputs were found.
 */
export function factorInputs(n: i32, r: i32, a: usize, inputs: usize): bool {
  const row = <usize>r << 3;
  for (let from = 0; from < r; from += PANEL) {
    const to = min(from + PANEL, r);
    for (let c = from; c < to; c++) {
      let largest: f64 = 0;
      let q = -1;
      for (let i = c; i < n; i++) {
        const size = abs<f64>(load<f64>(a + <usize>i * row + (<usize>c << 3)));
        if (size > largest) {
          largest = size;
          q = i;
        }
      }
      if (q < 0) return false;
      const pivotRow = a + <usize>c * row;
      if (q != c) {
        const other = a + <usize>q * row;
        for (let o: usize = 0; o < row; o += 8) {
          const kept = load<f64>(pivotRow + o);
          store<f64>(pivotRow + o, load<f64>(other + o));
          store<f64>(other + o, kept);
        }
        const input = load<i32>(inputs + (<usize>c << 2));
        store<i32>(inputs + (<usize>c << 2), load<i32>(inputs + (<usize>q << 2)));
        store<i32>(inputs + (<usize>q << 2), input);
      }
      const inverse = 1 / load<f64>(pivotRow + (<usize>c << 3));
      for (let i = c + 1; i < n; i++) {
        const ri = a + <usize>i * row;
        const factor = load<f64>(ri + (<usize>c << 3)) * inverse;
        store<f64>(ri + (<usize>c << 3), factor);
        for (let k = c + 1; k < to; k++) {
          const at = ri + (<usize>k << 3);
          store<f64>(at, load<f64>(at) - factor * load<f64>(pivotRow + (<usize>k << 3)));
        }
      }
    }
    if (to == r) break;
    // The rows of U right of the panel, then the rest.
    const right = <usize>to << 3;
    for (let c = from + 1; c < to; c++) {
      const rc = a + <usize>c * row;
      for (let k = from; k < c; k++) {
        const factor = load<f64>(rc + (<usize>k << 3));
        subtract(rc + right, a + <usize>k * row + right, factor, r - to);
      }
    }
    const below = a + <usize>to * row;
    const left = <usize>from << 3;
    product64(n - to, r - to, to - from, below + left, row, 8, a + <usize>from * row + right, row, 8, below + right, row, -1, false);
  }
  return true;
}

/**
 * T0ᵀ = L2 L1⁻¹, from the last column back; L1 is the square top of L, L2 the rows below it, which T0ᵀ takes the place of.
 *
 * @param a      what factorInputs left.
 * @param t0     [places, n - r], out: T0, with rows of zeros from r on.
 * @param places r, or one more: a multiple of 2.
 */
export function formTableau(n: i32, r: i32, a: usize, t0: usize, places: i32): void {
  const row = <usize>r << 3;
  const entering = n - r;
  const l2 = a + <usize>r * row;
  const last = ((r - 1) / PANEL) * PANEL;
  for (let from = last; from >= 0; from -= PANEL) {
    const to = min(from + PANEL, r);
    const x = l2 + (<usize>from << 3);
    const known = a + <usize>to * row + (<usize>from << 3);
    product64(entering, to - from, r - to, l2 + (<usize>to << 3), row, 8, known, row, 8, x, row, -1, false);
    for (let i = 0; i < entering; i++) {
      const xi = l2 + <usize>i * row;
      for (let j = to - 1; j > from; j--) {
        const factor = load<f64>(xi + (<usize>j << 3));
        const lj = a + <usize>j * row;
        subtract(xi + (<usize>from << 3), lj + (<usize>from << 3), factor, j - from);
      }
    }
  }
  for (let i = 0; i < places; i++) {
    for (let j = 0; j < entering; j++) {
      const entry = i < r ? load<f64>(l2 + <usize>j * row + (<usize>i << 3)) : 0;
      store<f64>(t0, entry);
      t0 += 8;
    }
  }
}

// --- The walk. Everything by place of the basis is `places` long; the arrays of the neuron at work:

let places: i32 = 0;
/** Bytes of an array by place, of one by entering input of a block, and of a row of T0. */
let byPlace: usize = 0;
const byInput: usize = 32 * 8;
let tableauRow: usize = 0;
let inSingle: bool = false;
let noPivot: f64 = NO_PIVOT;
let t0: usize = 0;
/** G, [places, places]; D, [places, WIDTH]; rows of T0, [places, WIDTH]; u of the block's exchanges, [WIDTH, places]. */
let g: usize = 0;
let d: usize = 0;
let replacedRows: usize = 0;
let u: usize = 0;
/** What the exchanges do to G, [WIDTH, places]; u_t at the place of exchange s, [WIDTH, WIDTH]; c, [WIDTH]. */
let folds: usize = 0;
let crossings: usize = 0;
let shares: usize = 0;
/** The entering input's d; of the basis: values, faces. */
let column: usize = 0;
let value: usize = 0;
let low: usize = 0;
let high: usize = 0;
/** Scratch for a correction. */
let drift: usize = 0;
/** i32: number of a place among the replaced or -1; places replaced; coordinate in each place; place of each exchange. */
let numberOf: usize = 0;
let replaced: usize = 0;
let coordinate: usize = 0;
let exchanged: usize = 0;

/** Bytes of scratch the walk of a neuron needs. */
export function kernelWalkBytes(places: i32): usize {
  const p = <usize>places;
  const w = <usize>WIDTH;
  return (p * p + 4 * p * w + w * w + w + 5 * p) * 8 + (3 * p + w) * 4 + 64;
}

function useScratch(scratch: usize): void {
  const p = <usize>places << 3;
  g = scratch;
  d = g + <usize>places * p;
  replacedRows = d + p * <usize>WIDTH;
  u = replacedRows + p * <usize>WIDTH;
  folds = u + p * <usize>WIDTH;
  crossings = folds + p * <usize>WIDTH;
  shares = crossings + <usize>(WIDTH * WIDTH * 8);
  column = shares + <usize>(WIDTH * 8);
  value = column + p;
  low = value + p;
  high = low + p;
  drift = high + p;
  numberOf = drift + p;
  replaced = numberOf + (p >> 1);
  coordinate = replaced + (p >> 1);
  exchanged = coordinate + (p >> 1);
}

/**
 * Walks c neurons.
 *
 * @param r       rank, `size` the same rounded up to a multiple of 2.
 * @param tableau T0, [size, n - r].
 * @param w       [c, n]: the basis first, then the entering inputs in the order of T0's columns; z afterwards.
 * @param lows    [c, n].
 * @param highs   [c, n].
 * @param scratch kernelWalkBytes and n doubles.
 * @param single  multiply in float32.
 * @returns how many neurons got stuck (no pivot above the noise); they stay as they were.
 */
export function kernelWalk(n: i32, r: i32, size: i32, c: i32, tableau: usize, w: usize, lows: usize, highs: usize, scratch: usize, single: bool): i32 {
  places = size;
  inSingle = single;
  noPivot = single ? NO_PIVOT_SINGLE : NO_PIVOT;
  byPlace = <usize>size << 3;
  tableauRow = <usize>(n - r) << 3;
  t0 = tableau;
  useScratch(scratch);
  const z = scratch + ((kernelWalkBytes(size) + 15) & ~15);
  const row = <usize>n << 3;
  let stuck = 0;
  for (let j = 0; j < c; j++, w += row, lows += row, highs += row) {
    memory.copy(z, w, row);
    if (walkNeuron(n, r, w, lows, highs, z)) memory.copy(w, z, row);
    else stuck++;
  }
  return stuck;
}

function walkNeuron(n: i32, r: i32, w: usize, lows: usize, highs: usize, z: usize): bool {
  let widest: f64 = 0;
  for (let i: usize = 0; i < <usize>n << 3; i += 8) widest = max(widest, load<f64>(highs + i) - load<f64>(lows + i));
  const slack = ON_FACE * widest;
  // The last place of an odd rank is empty: its row of T0 is 0, and it never moves.
  memory.fill(value, 0, byPlace);
  memory.fill(low, 0, byPlace);
  memory.fill(high, 0, byPlace);
  memory.copy(value, w, <usize>r << 3);
  memory.copy(low, lows, <usize>r << 3);
  memory.copy(high, highs, <usize>r << 3);
  for (let i = 0; i < places; i++) {
    store<i32>(numberOf + (<usize>i << 2), -1);
    store<i32>(coordinate + (<usize>i << 2), i);
  }
  let count = 0;
  let blocks = 0;
  for (let from = r; from < n; from += WIDTH) {
    const width = min(WIDTH, n - from);
    formBlock(from - r, width, count);
    let exchanges = 0;
    for (let k = 0; k < width; k++) {
      formColumn(k, exchanges);
      const made = enter(from + k, exchanges, slack, w, lows, highs, z);
      if (made < 0) return false;
      exchanges += made;
    }
    if (exchanges > 0) count = fold(exchanges, count);
    if (++blocks % BLOCKS_A_CORRECTION == 0) correct(r, from + width, count, w, z);
  }
  for (let times = 0; times < LAST_CORRECTIONS; times++) correct(r, n, count, w, z);
  for (let i = 0; i < r; i++) {
    const o = <usize>load<i32>(coordinate + (<usize>i << 2)) << 3;
    store<f64>(z + o, load<f64>(value + (<usize>i << 3)));
  }
  return true;
}

/** D = T0 + G (replaced rows of T0), for the columns [from, from + width) of T0. */
function formBlock(from: i32, width: i32, count: i32): void {
  const bytes = <usize>width << 3;
  const columns = t0 + (<usize>from << 3);
  for (let i = 0; i < places; i++) memory.copy(d + <usize>i * byInput, columns + <usize>i * tableauRow, bytes);
  for (let s = 0; s < count; s++) {
    const place = <usize>load<i32>(replaced + (<usize>s << 2));
    memory.copy(replacedRows + <usize>s * byInput, columns + place * tableauRow, bytes);
  }
  product64(places, width, count, g, byPlace, 8, replacedRows, byInput, 8, d, byInput, 1, inSingle);
}

/** d of the block's k-th input, after the exchanges made in the block so far. */
function formColumn(k: i32, exchanges: i32): void {
  let from = d + (<usize>k << 3);
  for (let o: usize = 0; o < byPlace; o += 8, from += byInput) store<f64>(column + o, load<f64>(from));
  for (let s = 0; s < exchanges; s++) {
    const crossing = crossings + <usize>s * byInput;
    let share = load<f64>(column + (<usize>load<i32>(exchanged + (<usize>s << 2)) << 3));
    for (let t = 0; t < s; t++) share -= load<f64>(crossing + (<usize>t << 3)) * load<f64>(shares + (<usize>t << 3));
    store<f64>(shares + (<usize>s << 3), share);
  }
  subtractRows(column, u, shares, exchanges, byPlace);
}

/** target -= Σ_s factor_s row_s, four rows at a time; `bytes` of rows that are byPlace apart. */
function subtractRows(target: usize, rows: usize, factors: usize, count: i32, bytes: usize): void {
  let s = 0;
  for (; s + 4 <= count; s += 4, rows += 4 * byPlace, factors += 32) {
    const f0 = v128.load_splat<f64>(factors);
    const f1 = v128.load_splat<f64>(factors, 8);
    const f2 = v128.load_splat<f64>(factors, 16);
    const f3 = v128.load_splat<f64>(factors, 24);
    const r1 = rows + byPlace;
    const r2 = r1 + byPlace;
    const r3 = r2 + byPlace;
    for (let o: usize = 0; o < bytes; o += 16) {
      let v = v128.load(target + o);
      v = f64x2.sub(v, f64x2.mul(f0, v128.load(rows + o)));
      v = f64x2.sub(v, f64x2.mul(f1, v128.load(r1 + o)));
      v = f64x2.sub(v, f64x2.mul(f2, v128.load(r2 + o)));
      v = f64x2.sub(v, f64x2.mul(f3, v128.load(r3 + o)));
      v128.store(target + o, v);
    }
  }
  for (; s < count; s++, rows += byPlace, factors += 8) {
    const f = v128.load_splat<f64>(factors);
    for (let o: usize = 0; o < bytes; o += 16) {
      v128.store(target + o, f64x2.sub(v128.load(target + o), f64x2.mul(f, v128.load(rows + o))));
    }
  }
}

/**
 * Moves input j and the basis along their null vector, in the direction that meets a face first.
 *
 * @returns 1 if j changed places with an input of the basis, 0 if it met its own face, -1 if all pivots are noise.
 */
function enter(j: i32, exchanges: i32, slack: f64, w: usize, lows: usize, highs: usize, z: usize): i32 {
  // How far the basis lets the input go up and down, every face moved out by the slack (Harris' ratio test).
  const infinity = f64x2.splat(Infinity);
  const zero = f64x2.splat(0);
  const noise = f64x2.splat(noPivot);
  const out = f64x2.splat(slack);
  let ups = infinity;
  let downs = infinity;
  for (let o: usize = 0; o < byPlace; o += 16) {
    const rate = v128.load(column + o);
    const x = v128.load(value + o);
    const below = f64x2.add(f64x2.sub(x, v128.load(low + o)), out);
    const above = f64x2.add(f64x2.sub(v128.load(high + o), x), out);
    const size = f64x2.abs(rate);
    const falls = f64x2.gt(rate, zero);
    const counts = f64x2.gt(size, noise);
    ups = f64x2.pmin(ups, v128.bitselect(f64x2.div(v128.bitselect(below, above, falls), size), infinity, counts));
    downs = f64x2.pmin(downs, v128.bitselect(f64x2.div(v128.bitselect(above, below, falls), size), infinity, counts));
  }
  const reachUp = min<f64>(f64x2.extract_lane(ups, 0), f64x2.extract_lane(ups, 1));
  const reachDown = min<f64>(f64x2.extract_lane(downs, 0), f64x2.extract_lane(downs, 1));
  const o = <usize>j << 3;
  const start = load<f64>(w + o);
  const lowest = load<f64>(lows + o);
  const highest = load<f64>(highs + o);
  const up = min(highest - start, reachUp) <= min(start - lowest, reachDown);
  const own = up ? highest - start : start - lowest;
  const reach = up ? reachUp : reachDown;
  if (own <= reach) {
    store<f64>(z + o, up ? highest : lowest);
    moveBasis(up ? own : -own);
    return 0;
  }
  // Among the faces met within the slack, the one with the largest pivot.
  let place = -1;
  let largest: f64 = noPivot;
  let step: f64 = 0;
  for (let i = 0; i < places; i++) {
    const at = <usize>i << 3;
    const rate = load<f64>(column + at);
    const size = abs<f64>(rate);
    if (size <= largest) continue;
    const falls = (rate > 0) == up;
    const room = falls ? load<f64>(value + at) - load<f64>(low + at) : load<f64>(high + at) - load<f64>(value + at);
    if (room > reach * size) continue;
    largest = size;
    place = i;
    step = max<f64>(room, 0) / size;
  }
  if (place < 0) return -1;
  if (!up) step = -step;
  moveBasis(step);
  const at = <usize>place << 3;
  const pivot = load<f64>(column + at);
  const leaving = <usize>load<i32>(coordinate + (at >> 1)) << 3;
  store<f64>(z + leaving, pivot > 0 == up ? load<f64>(low + at) : load<f64>(high + at));
  store<i32>(coordinate + (at >> 1), j);
  store<f64>(value + at, start + step);
  store<f64>(low + at, lowest);
  store<f64>(high + at, highest);
  // u with (I - u eᵀ) d = e: what the exchange does to every later d.
  const us = u + <usize>exchanges * byPlace;
  const inverse = f64x2.splat(1 / pivot);
  for (let k: usize = 0; k < byPlace; k += 16) v128.store(us + k, f64x2.mul(inverse, v128.load(column + k)));
  store<f64>(us + at, 1 - 1 / pivot);
  for (let t = 0; t < exchanges; t++) {
    store<f64>(crossings + <usize>exchanges * byInput + (<usize>t << 3), load<f64>(u + <usize>t * byPlace + at));
  }
  store<i32>(exchanged + (<usize>exchanges << 2), place);
  return 1;
}

/** z_B -= t d. */
function moveBasis(t: f64): void {
  const by = f64x2.splat(t);
  for (let o: usize = 0; o < byPlace; o += 16) {
    v128.store(value + o, f64x2.sub(v128.load(value + o), f64x2.mul(by, v128.load(column + o))));
  }
}

/** Folds the block's exchanges into G; returns the number of replaced places. */
function fold(exchanges: i32, count: i32): i32 {
  for (let s = 0; s < exchanges; s++) {
    const place = load<i32>(exchanged + (<usize>s << 2));
    if (load<i32>(numberOf + (<usize>place << 2)) >= 0) continue;
    store<i32>(numberOf + (<usize>place << 2), count);
    store<i32>(replaced + (<usize>count << 2), place);
    for (let i = 0; i < places; i++) store<f64>(g + <usize>i * byPlace + (<usize>count << 3), 0);
    count++;
  }
  // Rows are worked on two doubles at a time; the one beyond an odd count is never used.
  const bytes = <usize>((count + 1) & ~1) << 3;
  for (let s = 0; s < exchanges; s++) {
    const place = load<i32>(exchanged + (<usize>s << 2));
    const row = folds + <usize>s * byPlace;
    memory.copy(row, g + <usize>place * byPlace, <usize>count << 3);
    const own = row + (<usize>load<i32>(numberOf + (<usize>place << 2)) << 3);
    store<f64>(own, load<f64>(own) + 1);
    subtractRows(row, folds, crossings + <usize>s * byInput, s, bytes);
  }
  product64(places, count, exchanges, u, 8, byPlace, folds, byPlace, 8, g, byPlace, -1, inSingle);
  return count;
}

/** Takes out the rounding errors that have added up: z_B += B⁻¹ R (w - z), over the inputs up to `end`. */
function correct(r: i32, end: i32, count: i32, w: usize, z: usize): void {
  for (let i = 0; i < r; i++) {
    const o = <usize>load<i32>(coordinate + (<usize>i << 2)) << 3;
    store<f64>(z + o, load<f64>(value + (<usize>i << 3)));
  }
  for (let i = 0; i < places; i++) {
    let sum: f64 = i < r ? load<f64>(w + (<usize>i << 3)) - load<f64>(z + (<usize>i << 3)) : 0;
    const row = t0 + <usize>i * tableauRow;
    for (let j = r; j < end; j++) {
      const o = <usize>j << 3;
      sum += load<f64>(row + (<usize>(j - r) << 3)) * (load<f64>(w + o) - load<f64>(z + o));
    }
    store<f64>(drift + (<usize>i << 3), sum);
  }
  for (let i = 0; i < r; i++) {
    const o = <usize>i << 3;
    let move = load<f64>(drift + o);
    for (let s = 0; s < count; s++) {
      const place = <usize>load<i32>(replaced + (<usize>s << 2));
      move += load<f64>(g + <usize>i * byPlace + (<usize>s << 3)) * load<f64>(drift + (place << 3));
    }
    const moved = load<f64>(value + o) + move;
    store<f64>(value + o, min<f64>(max<f64>(moved, load<f64>(low + o)), load<f64>(high + o)));
  }
}
