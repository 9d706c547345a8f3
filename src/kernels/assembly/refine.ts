import { product64 } from "./gemm";
import { nearestLevel } from "./grid";
import { dot } from "./vectors";

// Coordinate descent and pair moves on (w-q)ᵀH(w-q), for a chunk of neurons; `Linalg.descend` and `Linalg.pairs` say what
// they compute. Everything of a neuron is contiguous here: [c, n], not [n, c].
//
// Most inputs stay where they are, so what counts is to see that quickly and exactly:
// - alone: a value stays the nearest one while 2 |g_i| < |step| H_ii, no division needed;
// - in pairs: the most any neighbour can win back, r (2 |x| - r H_tt), is found two neighbours at a time for both
//   directions at once; only if it exceeds what input i pays is the pair looked at one by one. Looking at each of them right
//   away took 3.7 times longer for the whole of `pairs` (2048 x 512).
// The cost is eᵀg, g = H e formed afresh; in float32, where that takes as long as all moves of a large layer, with the g that
// was kept up to date: its first value decides how good it is, 1e-7, not the moves after it.

/** Share of its own size by which a move must lower the cost; less is rounding noise, and could go on for ever. */
const NOISE: f64 = 1e-12;

/**
 * @param h        H, [n, n].
 * @param w        [c, n].
 * @param levels   [c, n] bytes, in and out.
 * @param groups   of inputs; `groupInputs` inputs each.
 * @param steps    [groups, c].
 * @param zeros    [groups, c].
 * @param count    neighbours an input; an even number, filled up with entries whose `own` is 1e300.
 * @param near     [n, count] i32.
 * @param shared   [n, count]: H between an input and its neighbour.
 * @param own      [n, count]: H_tt of the neighbour.
 * @param costs    [c], out.
 * @param g        scratch, [c, n]: H(w - q).
 * @param scratch  [3, n] doubles.
 */
export function refine(
  n: i32,
  c: i32,
  h: usize,
  w: usize,
  levels: usize,
  groupInputs: i32,
  steps: usize,
  zeros: usize,
  top: f64,
  count: i32,
  near: usize,
  shared: usize,
  own: usize,
  sweeps: i32,
  costs: usize,
  g: usize,
  e: usize,
  scratch: usize,
  single: bool,
): void {
  const row = <usize>n << 3;
  const step = scratch;
  const zero = scratch + row;
  for (let j = 0; j < c; j++) {
    const wj = w + <usize>j * row;
    const ej = e + <usize>j * row;
    spellOut(n, c, j, groupInputs, steps, zeros, step, zero);
    errorsOf(n, wj, levels + <usize>j * <usize>n, step, zero, ej);
  }
  memory.fill(g, 0, <usize>c * row);
  product64(c, n, n, e, row, 8, h, row, 8, g, row, 1, single);
  for (let j = 0; j < c; j++) {
    const kj = levels + <usize>j * <usize>n;
    const gj = g + <usize>j * row;
    spellOut(n, c, j, groupInputs, steps, zeros, step, zero);
    let changed = true;
    for (let sweep = 0; changed && sweep < sweeps; sweep++) {
      changed = false;
      for (let i = 0; i < n; i++) {
        const hi = h + <usize>i * row;
        const d = load<f64>(hi + (<usize>i << 3));
        if (!(d > 0)) continue;
        if (moveAlone(n, i, hi, d, kj, gj, step, zero, top)) changed = true;
        if (count == 0) continue;
        const list = (<usize>i * <usize>count) << 3;
        if (movePair(n, i, h, d, kj, gj, step, top, count, near + (list >> 1), shared + list, own + list)) changed = true;
      }
    }
    errorsOf(n, w + <usize>j * row, kj, step, zero, e + <usize>j * row);
  }
  if (!single) {
    memory.fill(g, 0, <usize>c * row);
    product64(c, n, n, e, row, 8, h, row, 8, g, row, 1, false);
  }
  for (let j = 0; j < c; j++) {
    const cost = dot(e + <usize>j * row, g + <usize>j * row, n);
    store<f64>(costs + (<usize>j << 3), max<f64>(cost, 0));
  }
}

/** The step and zero point of every input of neuron j. */
function spellOut(
  n: i32,
  c: i32,
  j: i32,
  groupInputs: i32,
  steps: usize,
  zeros: usize,
  step: usize,
  zero: usize,
): void {
  for (let i = 0; i < n; i++) {
    const from = (<usize>(i / groupInputs) * <usize>c + <usize>j) << 3;
    store<f64>(step + (<usize>i << 3), load<f64>(steps + from));
    store<f64>(zero + (<usize>i << 3), load<f64>(zeros + from));
  }
}

/** w - q of a neuron. */
function errorsOf(n: i32, w: usize, levels: usize, step: usize, zero: usize, e: usize): void {
  for (let i = 0; i < n; i++) {
    const o = <usize>i << 3;
    const value = load<f64>(step + o) * (<f64>load<u8>(levels + <usize>i) - load<f64>(zero + o));
    store<f64>(e + o, load<f64>(w + o) - value);
  }
}

/** Input i to the value nearest to q_i + g_i / H_ii, where the parabola of the cost has its lowest point. */
// @ts-ignore: decorator
@inline
function moveAlone(n: i32, i: i32, hi: usize, d: f64, levels: usize, g: usize, step: usize, zero: usize, top: f64): bool {
  const size = load<f64>(step + (<usize>i << 3));
  const gi = load<f64>(g + (<usize>i << 3));
  // The margin keeps rounding out of it: nearer to half a step than this, the nearest value is looked up.
  if (2 * abs<f64>(gi) < 0.999999 * abs<f64>(size) * d) return false;
  const now = <f64>load<u8>(levels + <usize>i);
  const zeroPoint = load<f64>(zero + (<usize>i << 3));
  const level = nearestLevel(size * (now - zeroPoint) + gi / d, size, zeroPoint, top);
  const s = size * (level - now);
  if (!(s * (s * d - 2 * gi) < -NOISE * d * s * s)) return false;
  move(n, hi, levels, g, i, level, s);
  return true;
}

/** Input i by one level, and the one of its neighbours that gains most by one level in the direction of its gradient. */
// @ts-ignore: decorator
@inline
function movePair(
  n: i32,
  i: i32,
  h: usize,
  d: f64,
  levels: usize,
  g: usize,
  step: usize,
  top: f64,
  count: i32,
  near: usize,
  shared: usize,
  own: usize,
): bool {
  const size = load<f64>(step + (<usize>i << 3));
  const gi = load<f64>(g + (<usize>i << 3));
  const now = <f64>load<u8>(levels + <usize>i);
  // Down is the lower value first: against the sign of the step.
  const up: f64 = size > 0 ? 1 : size < 0 ? -1 : 0;
  const lowerLevel = now - up;
  const higherLevel = now + up;
  const s = size * up;
  const infinity = Infinity;
  const lowerPays = lowerLevel >= 0 && lowerLevel <= top ? -s * (-s * d - 2 * gi) : infinity;
  const higherPays = higherLevel >= 0 && higherLevel <= top ? s * (s * d - 2 * gi) : infinity;

  const ss = f64x2.splat(s);
  let lowerWins = f64x2.splat(-infinity);
  let higherWins = lowerWins;
  for (let k = 0; k < count; k += 2) {
    const o = <usize>k << 3;
    const t0 = <usize>load<i32>(near + (o >> 1)) << 3;
    const t1 = <usize>load<i32>(near + (o >> 1), 4) << 3;
    const gt = v128.load64_lane(g + t1, v128.load64_zero(g + t0), 1);
    const rt = f64x2.abs(v128.load64_lane(step + t1, v128.load64_zero(step + t0), 1));
    const pays = f64x2.mul(rt, v128.load(own + o));
    const shift = f64x2.mul(ss, v128.load(shared + o));
    const xLower = f64x2.abs(f64x2.add(gt, shift));
    const xHigher = f64x2.abs(f64x2.sub(gt, shift));
    lowerWins = f64x2.pmax(lowerWins, f64x2.mul(rt, f64x2.sub(f64x2.add(xLower, xLower), pays)));
    higherWins = f64x2.pmax(higherWins, f64x2.mul(rt, f64x2.sub(f64x2.add(xHigher, xHigher), pays)));
  }
  const lowerBest = max<f64>(f64x2.extract_lane(lowerWins, 0), f64x2.extract_lane(lowerWins, 1));
  const higherBest = max<f64>(f64x2.extract_lane(higherWins, 0), f64x2.extract_lane(higherWins, 1));
  if (!(lowerBest > lowerPays) && !(higherBest > higherPays)) return false;

  let least = -NOISE * d * size * size;
  let found = -1;
  let ownLevel: f64 = 0;
  let foundLevel: f64 = 0;
  for (let direction = 0; direction < 2; direction++) {
    const level = direction == 0 ? lowerLevel : higherLevel;
    if (level < 0 || level > top) continue;
    const si = size * (level - now);
    const alone = si * (si * d - 2 * gi);
    for (let k = 0; k < count; k++) {
      const o = <usize>k << 3;
      const dt = load<f64>(own + o);
      if (dt > 1e299) break;
      const t = load<i32>(near + (o >> 1));
      const x = load<f64>(g + (<usize>t << 3)) - si * load<f64>(shared + o);
      const sizeT = load<f64>(step + (<usize>t << 3));
      const upT: f64 = sizeT > 0 ? 1 : sizeT < 0 ? -1 : 0;
      const nowT = <f64>load<u8>(levels + <usize>t);
      const other = nowT + (x > 0 ? upT : -upT);
      if (other < 0 || other > top) continue;
      const r = sizeT * (other - nowT);
      const gain = alone + r * (r * dt - 2 * x);
      if (gain < least) {
        least = gain;
        found = t;
        ownLevel = level;
        foundLevel = other;
      }
    }
  }
  if (found < 0) return false;
  const row = <usize>n << 3;
  move(n, h + <usize>i * row, levels, g, i, ownLevel, size * (ownLevel - now));
  const from = <f64>load<u8>(levels + <usize>found);
  const by = load<f64>(step + (<usize>found << 3)) * (foundLevel - from);
  move(n, h + <usize>found * row, levels, g, found, foundLevel, by);
  return true;
}

/** Input i moves by s: g -= H_i s. */
function move(n: i32, hi: usize, levels: usize, g: usize, i: i32, level: f64, s: f64): void {
  const by = f64x2.splat(-s);
  let j = 0;
  for (; j + 4 <= n; j += 4, g += 32, hi += 32) {
    v128.store(g, f64x2.add(v128.load(g), f64x2.mul(by, v128.load(hi))));
    v128.store(g, f64x2.add(v128.load(g, 16), f64x2.mul(by, v128.load(hi, 16))), 16);
  }
  for (; j < n; j++, g += 8, hi += 8) store<f64>(g, load<f64>(g) - s * load<f64>(hi));
  store<u8>(levels + <usize>i, <u8>level);
}
