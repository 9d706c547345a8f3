import { product64 } from "./gemm";
import { HALF_STEP, nearestLevels, valuesOf } from "./grid";
import { BLOCK, rowLength, rowOf } from "./panels";

// The walk on several paths (`Linalg.walk` says what it computes), for a chunk of neurons.
//
// What makes it fast:
// - The fixed lag: all paths share what is decided, so what it pulls is one product a block, for all neurons and paths.
// - Paths differ in few coordinates, 6 of the last 46 on correlated inputs at 8 paths. Only those (the `splits`) are kept,
//   multiplied and copied by path; of all others the pull is formed once for all paths. Keeping by path all that lies behind
//   the first coordinate in which two of them differ (32 of the 46) took a tenth longer.
// - The cheapest children are found without a branch; see rankChildren.
// - Two paths at a time in a vector; eight in the inner loop, so `slots` is a multiple of 8. Empty slots are copies of the
//   cheapest path: no loop needs to know about them.

/** Room for so many paths. */
// @ts-ignore: decorator
@inline
function slotsFor(paths: i32): i32 {
  return (paths + 7) & ~7;
}

// A neuron's state: e by coordinate and slot, e shared by all, costs by slot, the splits, levels by coordinate and slot.
/** Bytes of state a neuron needs between two blocks. */
export function walkStateBytes(paths: i32, block: i32): usize {
  const slots = slotsFor(paths);
  return <usize>(2 * block * slots * 9 + 2 * block * 12 + slots * 8 + 16);
}

/** Bytes of scratch a chunk of c neurons needs: pulls of a block, pulls by slot, the children. */
export function walkScratchBytes(c: i32, paths: i32, block: i32): usize {
  return <usize>(block * c * 8 + slotsFor(paths) * 88);
}

// The neuron at work. Globals rather than twenty arguments: an instance runs one chunk at a time.
let slots: i32 = 0;
/** [2 block, slots] errors of the coordinates from `decided` on. */
let errors: usize = 0;
/** [2 block]: errors that all paths share; 0 where they do not. */
let shared: usize = 0;
/** [slots]. */
let costs: usize = 0;
/** [2 block, slots] bytes. */
let levels: usize = 0;
/** i32 number of paths, i32 number of splits. */
let counts: usize = 0;
/** i32 each: the coordinates in which the paths differ, in rising order. */
let splits: usize = 0;
/** Scratch by slot, [slots] doubles. */
let pulls: usize = 0;
/** Scratch by child, [2 slots] doubles each. */
let childCosts: usize = 0;
let childErrors: usize = 0;
let childLevels: usize = 0;
/** [2 slots] doubles and bytes: costs and numbers of the children that may go on. */
let rivalCosts: usize = 0;
let rivals: usize = 0;
/** [2 slots] bytes: the children from the cheapest on. */
let sorted: usize = 0;
/** [slots] i32: the path each slot goes on from. */
let parents: usize = 0;

function useState(state: usize, block: i32): void {
  errors = state;
  shared = errors + <usize>(2 * block * slots * 8);
  costs = shared + <usize>(2 * block * 8);
  counts = costs + <usize>(slots * 8);
  splits = counts + 16;
  levels = splits + <usize>(2 * block * 4);
}

/**
 * @param c        neurons of the chunk, a multiple of 2.
 * @param lower    panels of L.
 * @param w        [n, c] in walk order; holds e afterwards.
 * @param group    [n] i32.
 * @param steps    [groups, c].
 * @param zeros    [groups, c].
 * @param out      [n, c] bytes: levels.
 * @param outCosts [c].
 * @param clipped  [c] doubles: 1 where the cheapest path met the end of the grid.
 * @param states   c times walkStateBytes.
 * @param scratch  walkScratchBytes.
 */
export function walk(
  n: i32,
  c: i32,
  paths: i32,
  block: i32,
  lower: usize,
  w: usize,
  group: usize,
  steps: usize,
  zeros: usize,
  top: f64,
  out: usize,
  outCosts: usize,
  clipped: usize,
  states: usize,
  scratch: usize,
  single: bool,
): void {
  slots = slotsFor(paths);
  const pulled = scratch;
  pulls = pulled + <usize>(block * c * 8);
  childCosts = pulls + <usize>(slots * 8);
  childErrors = childCosts + <usize>(slots * 16);
  childLevels = childErrors + <usize>(slots * 16);
  rivalCosts = childLevels + <usize>(slots * 16);
  rivals = rivalCosts + <usize>(slots * 16);
  sorted = rivals + <usize>(slots * 2);
  parents = sorted + <usize>(slots * 2);
  const stateBytes = (walkStateBytes(paths, block) + 15) & ~15;
  const row = <usize>c << 3;

  for (let j = 0; j < c; j++) {
    useState(states + <usize>j * stateBytes, block);
    // One path that cost nothing yet; the other slots are empty.
    store<f64>(costs, 0);
    for (let k = 1; k < slots; k++) store<f64>(costs + (<usize>k << 3), Infinity);
    store<i32>(counts, 1);
    store<i32>(counts, 0, 4);
    store<f64>(clipped + (<usize>j << 3), 0);
  }

  for (let from = 0; from < n; from += block) {
    const to = min(from + block, n);
    const decided = max(0, from - block);
    memory.fill(pulled, 0, <usize>(to - from) * row);
    addPulls(n, c, lower, from, to, decided, w, pulled, single);
    for (let j = 0; j < c; j++) {
      const o = <usize>j << 3;
      useState(states + <usize>j * stateBytes, block);
      for (let i = from; i < to; i++) {
        const grid = <usize>load<i32>(group + (<usize>i << 2)) * row + o;
        const cut = step(
          i - decided,
          paths,
          load<f64>(w + <usize>i * row + o),
          load<f64>(pulled + <usize>(i - from) * row + o),
          rowOf(lower, n, i) + (<usize>decided << 3),
          load<f64>(steps + grid),
          load<f64>(zeros + grid),
          top,
        );
        if (cut) store<f64>(clipped + o, 1);
      }
      const e = w + <usize>decided * row + o;
      const final = out + <usize>decided * <usize>c + <usize>j;
      if (to == n) {
        store<f64>(outCosts + o, load<f64>(costs));
        decide(n - decided, e, row, final, c);
      } else if (to >= 2 * block) {
        decide(block, e, row, final, c);
        dropDisagreeing(block);
      }
    }
  }
}

/** pulled += L[from..to, 0..decided) e, panel by panel. */
function addPulls(
  n: i32,
  c: i32,
  lower: usize,
  from: i32,
  to: i32,
  decided: i32,
  e: usize,
  pulled: usize,
  single: bool,
): void {
  const row = <usize>c << 3;
  let i = from;
  while (i < to) {
    const b = i / BLOCK;
    const end = min(to, (b + 1) * BLOCK);
    const into = pulled + <usize>(i - from) * row;
    product64(end - i, c, decided, rowOf(lower, n, i), <usize>rowLength(n, b) << 3, 8, e, row, 8, into, row, 1, single);
    i = end;
  }
}

/**
 * One coordinate: all children, of which the cheapest go on. Children 2k and 2k + 1 are those of path k: to the nearest value
 * and to the next one. Two paths at a time; a slot without a path costs infinity, and so do its children.
 *
 * @param at     place of the coordinate in the state.
 * @param l      row of L from the first undecided coordinate on; l[at] is its distance.
 * @returns whether v of the cheapest path lay beyond the ends of the grid.
 */
function step(at: i32, most: i32, w: f64, pulled: f64, l: usize, size: f64, zeroPoint: f64, top: f64): bool {
  const count = load<i32>(counts);
  formPulls(at, count, pulled, l);
  const second = most > 1 && size != 0 && top > 0;
  const ww = f64x2.splat(w);
  const distance = f64x2.splat(load<f64>(l + (<usize>at << 3)));
  const steps = f64x2.splat(size);
  const zeros = f64x2.splat(zeroPoint);
  const tops = f64x2.splat(top);
  const zero = f64x2.splat(0);
  const up = f64x2.splat(size > 0 ? 1 : -1);
  const down = f64x2.neg(up);
  const infinity = f64x2.splat(Infinity);
  // With as many paths as may go on, none of the children dearer than the dearest nearest value will.
  let dearest = count < most ? infinity : zero;
  let cut = false;
  for (let k = 0; k < count; k += 2) {
    const o = <usize>k << 3;
    const pull = v128.load(pulls + o);
    const before = v128.load(costs + o);
    const v = f64x2.add(ww, f64x2.div(pull, distance));
    const level = nearestLevels(v, steps, zeros, tops);
    const value = valuesOf(level, steps, zeros);
    const error = f64x2.sub(ww, value);
    if (k == 0) {
      const off = f64x2.extract_lane(v, 0) - f64x2.extract_lane(value, 0);
      cut = abs<f64>(off) > HALF_STEP * abs<f64>(size);
    }
    const term = f64x2.add(f64x2.mul(distance, error), pull);
    const cost = f64x2.add(before, f64x2.mul(term, term));
    dearest = f64x2.pmax(dearest, cost);
    // The next value on v's side; at the end of the grid the one on the other side.
    const towards = v128.bitselect(up, down, f64x2.gt(v, value));
    const next = f64x2.add(level, towards);
    const outside = v128.or(f64x2.lt(next, zero), f64x2.gt(next, tops));
    const other = v128.bitselect(f64x2.sub(level, towards), next, outside);
    const otherError = f64x2.sub(ww, valuesOf(other, steps, zeros));
    const otherTerm = f64x2.add(f64x2.mul(distance, otherError), pull);
    const otherCost = second ? f64x2.add(before, f64x2.mul(otherTerm, otherTerm)) : infinity;
    interleave(childCosts + 2 * o, cost, otherCost);
    interleave(childErrors + 2 * o, error, otherError);
    interleave(childLevels + 2 * o, level, other);
  }
  rankChildren(2 * count, max<f64>(f64x2.extract_lane(dearest, 0), f64x2.extract_lane(dearest, 1)));
  follow(at, count, min(second ? 2 * count : count, most));
  return cut;
}

/** Stores x0 y0 x1 y1. */
// @ts-ignore: decorator
@inline
function interleave(to: usize, x: v128, y: v128): void {
  v128.store(to, v128.shuffle<f64>(x, y, 0, 2));
  v128.store(to, v128.shuffle<f64>(x, y, 1, 3), 16);
}

/**
 * Writes the numbers of the children that cost at most `dearest` to `sorted`, in the order of their costs; equal ones keep theirs.
 *
 * Each child counts those that come before it: no branch, where insertion into a sorted list guesses wrong some twenty times a
 * coordinate, which cost more than everything else in the walk together.
 */
function rankChildren(children: i32, dearest: f64): void {
  let count = 0;
  for (let i = 0; i < children; i++) {
    const cost = load<f64>(childCosts + (<usize>i << 3));
    store<f64>(rivalCosts + (<usize>count << 3), cost);
    store<u8>(rivals + <usize>count, <u8>i);
    count += <i32>(cost <= dearest);
  }
  // Two at a time: an odd number is filled up with one that is before none.
  if (count & 1) store<f64>(rivalCosts + (<usize>count << 3), Infinity);
  const end = <usize>((count + 1) & ~1) << 3;
  for (let i = 0; i < count; i++) {
    const cost = v128.load_splat<f64>(rivalCosts + (<usize>i << 3));
    let before = i64x2.splat(0);
    const own = <usize>(i & ~1) << 3;
    let o: usize = 0;
    for (; o < own; o += 16) before = i64x2.sub(before, f64x2.le(v128.load(rivalCosts + o), cost));
    // The pair that holds the child itself: an equal one is before it only if it is the first of the two.
    if (i & 1) before = i64x2.sub(before, i64x2.replace_lane(f64x2.le(v128.load(rivalCosts + o), cost), 1, 0));
    else before = i64x2.sub(before, f64x2.lt(v128.load(rivalCosts + o), cost));
    for (o += 16; o < end; o += 16) before = i64x2.sub(before, f64x2.lt(v128.load(rivalCosts + o), cost));
    const rank = <usize>(i64x2.extract_lane(before, 0) + i64x2.extract_lane(before, 1));
    store<u8>(sorted + rank, load<u8>(rivals + <usize>i));
  }
}

/** pulls_k = pulled + Σ_j l_j e_j of path k. */
// @ts-ignore: decorator
@inline
function formPulls(at: i32, count: i32, pulled: f64, l: usize): void {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let j = 0;
  for (; j + 4 <= at; j += 4) {
    const o = <usize>j << 3;
    s0 = f64x2.add(s0, f64x2.mul(v128.load(l + o), v128.load(shared + o)));
    s1 = f64x2.add(s1, f64x2.mul(v128.load(l + o, 16), v128.load(shared + o, 16)));
  }
  s0 = f64x2.add(s0, s1);
  let same = pulled + f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (; j < at; j++) same += load<f64>(l + (<usize>j << 3)) * load<f64>(shared + (<usize>j << 3));
  const end = splits + (<usize>load<i32>(counts, 4) << 2);
  for (let g: usize = 0; g < <usize>count << 3; g += 64) {
    let p0 = f64x2.splat(same);
    let p1 = p0;
    let p2 = p0;
    let p3 = p0;
    for (let x = splits; x < end; x += 4) {
      const split = <usize>load<i32>(x);
      const share = v128.load_splat<f64>(l + (split << 3));
      const e = errors + ((split * <usize>slots) << 3) + g;
      p0 = f64x2.add(p0, f64x2.mul(share, v128.load(e)));
      p1 = f64x2.add(p1, f64x2.mul(share, v128.load(e, 16)));
      p2 = f64x2.add(p2, f64x2.mul(share, v128.load(e, 32)));
      p3 = f64x2.add(p3, f64x2.mul(share, v128.load(e, 48)));
    }
    v128.store(pulls + g, p0);
    v128.store(pulls + g, p1, 16);
    v128.store(pulls + g, p2, 32);
    v128.store(pulls + g, p3, 48);
  }
}

/** The cheapest children become the paths. */
function follow(at: i32, count: i32, children: i32): void {
  let stay = children == count;
  const row = <usize>at * <usize>slots;
  for (let k = 0; k < slots; k++) {
    // Empty slots follow the cheapest path.
    const child = load<u8>(sorted + (k < children ? <usize>k : 0));
    const parent = <i32>child >> 1;
    store<i32>(parents + (<usize>k << 2), parent);
    stay = stay && (parent == k || k >= children);
    const o = <usize>child << 3;
    store<f64>(errors + ((row + <usize>k) << 3), load<f64>(childErrors + o));
    store<u8>(levels + row + <usize>k, <u8>load<f64>(childLevels + o));
    store<f64>(costs + (<usize>k << 3), k < children ? load<f64>(childCosts + o) : Infinity);
  }
  store<i32>(counts, children);
  if (!stay) regroup();
  if (!settle(at)) {
    const splitCount = load<i32>(counts, 4);
    store<i32>(splits + (<usize>splitCount << 2), at);
    store<i32>(counts, splitCount + 1, 4);
  }
}

/** Notes whether all paths agree in a coordinate. */
function settle(j: i32): bool {
  const at = levels + <usize>(j * slots);
  const first = <u64>load<u8>(at) * 0x0101010101010101;
  let agree = true;
  for (let o: usize = 0; o < <usize>slots; o += 8) agree = agree && load<u64>(at + o) == first;
  store<f64>(shared + (<usize>j << 3), agree ? load<f64>(errors + <usize>(j * slots * 8)) : 0);
  return agree;
}

/** Every slot takes over the history of its parent, and splits in which the paths now agree are splits no more. */
function regroup(): void {
  const splitCount = load<i32>(counts, 4);
  const bytes = pulls + (<usize>slots << 3);
  let kept = splits;
  let slotBytes: u64 = 0;
  if (slots == 8) for (let k = 0; k < 8; k++) slotBytes |= (<u64>load<i32>(parents + (<usize>k << 2))) << (k * 8);
  const permutation = i64x2.splat(slotBytes);
  for (let s = 0; s < splitCount; s++) {
    const j = load<i32>(splits + (<usize>s << 2));
    const e = errors + <usize>(j * slots * 8);
    const at = levels + <usize>(j * slots);
    for (let k: usize = 0; k < <usize>slots; k++) {
      store<f64>(pulls + (k << 3), load<f64>(e + (<usize>load<i32>(parents + (k << 2)) << 3)));
    }
    for (let o: usize = 0; o < <usize>slots << 3; o += 16) v128.store(e + o, v128.load(pulls + o));
    if (slots == 8) {
      v128.store64_lane(at, i8x16.swizzle(v128.load64_zero(at), permutation), 0);
    } else {
      for (let k: usize = 0; k < <usize>slots; k++) {
        store<u8>(bytes + k, load<u8>(at + <usize>load<i32>(parents + (k << 2))));
      }
      memory.copy(at, bytes, <usize>slots);
    }
    if (settle(j)) continue;
    store<i32>(kept, j);
    kept += 4;
  }
  store<i32>(counts, <i32>(kept - splits) >> 2, 4);
}

/** The cheapest path's first coordinates are final. */
function decide(length: i32, e: usize, row: usize, out: usize, c: i32): void {
  for (let j = 0; j < length; j++, e += row, out += <usize>c) {
    store<f64>(e, load<f64>(errors + <usize>(j * slots * 8)));
    store<u8>(out, load<u8>(levels + <usize>(j * slots)));
  }
}

/** Paths that disagree with the cheapest one on the block just decided are dropped; the state moves up by a block. */
function dropDisagreeing(block: i32): void {
  const count = load<i32>(counts);
  let splitCount = load<i32>(counts, 4);
  if (splitCount > 0 && load<i32>(splits) < block) {
    let kept = 0;
    for (let k = 0; k < count; k++) {
      let agrees = true;
      for (let s = 0; s < splitCount && agrees; s++) {
        const j = load<i32>(splits + (<usize>s << 2));
        if (j >= block) break;
        const at = levels + <usize>(j * slots);
        agrees = load<u8>(at) == load<u8>(at + <usize>k);
      }
      if (!agrees) continue;
      store<i32>(parents + (<usize>kept << 2), k);
      store<f64>(costs + (<usize>kept << 3), load<f64>(costs + (<usize>k << 3)));
      kept++;
    }
    for (let k = kept; k < slots; k++) {
      store<i32>(parents + (<usize>k << 2), 0);
      store<f64>(costs + (<usize>k << 3), Infinity);
    }
    store<i32>(counts, kept);
    regroup();
    splitCount = load<i32>(counts, 4);
  }
  memory.copy(errors, errors + <usize>(block * slots * 8), <usize>(block * slots * 8));
  memory.copy(levels, levels + <usize>(block * slots), <usize>(block * slots));
  memory.copy(shared, shared + <usize>(block * 8), <usize>(block * 8));
  for (let s = splits; s < splits + (<usize>splitCount << 2); s += 4) store<i32>(s, load<i32>(s) - block);
}
