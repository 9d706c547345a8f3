import { product64 } from "./gemm";
import { HALF_STEP, nearestLevel } from "./grid";
import { BLOCK, rowLength, rowOf } from "./panels";

// The walk on several paths (`Linalg.walk` says what it computes), for a chunk of neurons.
//
// What makes it fast, and what each gave on 4096 x 4096 with 8 paths and blocks of 32 (one core):
// - The fixed lag: all paths share what is decided, so what it pulls is one product a window of rows, for all neurons and
//   paths. A product for every block of 32 rows instead of a window of up to 128 costs a tenth more.
// - Paths soon have a common ancestor. Up to coordinate `fork` all of them hold the same levels, and their pull is formed
//   once; only what lies behind it is kept, multiplied and copied by path. Without this the paths cost about 2.5 times more.
// - Two paths at a time in a vector; eight in the inner loop, so `slots` is a multiple of 8. Empty slots are copies of the
//   cheapest path: no loop needs to know about them.

/** Room for so many paths. */
// @ts-ignore: decorator
@inline
function slotsFor(paths: i32): i32 {
  return (paths + 7) & ~7;
}

// A neuron's state: e by coordinate and slot, e shared by all, costs by slot, levels by coordinate and slot, how many paths.
/** Bytes of state a neuron needs between two blocks. */
export function walkStateBytes(paths: i32, block: i32): usize {
  const slots = slotsFor(paths);
  return <usize>(2 * block * slots * 9 + 2 * block * 8 + slots * 8 + 16);
}

/** Bytes of scratch a chunk of c neurons needs: pulls of a window, pulls by slot, the children. */
export function walkScratchBytes(c: i32, paths: i32, block: i32): usize {
  return <usize>(windowOf(block) * c * 8 + slotsFor(paths) * 48);
}

/** Rows whose pull by decided coordinates is formed at once: whole blocks, up to BLOCK rows. */
function windowOf(block: i32): i32 {
  return block * max(1, BLOCK / block);
}

// The neuron at work. Globals rather than twenty arguments: an instance runs one chunk at a time.
let slots: i32 = 0;
/** [2 block, slots] errors of the coordinates from `decided` on. */
let errors: usize = 0;
/** [2 block]: errors up to `fork`, the same in all paths. */
let shared: usize = 0;
/** [slots]. */
let costs: usize = 0;
/** [2 block, slots] bytes. */
let levels: usize = 0;
/** i32 paths and i32 fork. */
let counts: usize = 0;
/** Scratch by slot: pulls, and of the children cost, error, level (f64), parent (byte offset of its slot, i32). */
let pulls: usize = 0;
let childCosts: usize = 0;
let childErrors: usize = 0;
let childLevels: usize = 0;
let parents: usize = 0;

function useState(state: usize, block: i32): void {
  errors = state;
  shared = errors + <usize>(2 * block * slots * 8);
  costs = shared + <usize>(2 * block * 8);
  counts = costs + <usize>(slots * 8);
  levels = counts + 16;
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
  const window = windowOf(block);
  const pulled = scratch;
  pulls = pulled + <usize>(window * c * 8);
  childCosts = pulls + <usize>(slots * 8);
  childErrors = childCosts + <usize>(slots * 8);
  childLevels = childErrors + <usize>(slots * 8);
  parents = childLevels + <usize>(slots * 8);
  const stateBytes = (walkStateBytes(paths, block) + 15) & ~15;
  const row = <usize>c << 3;

  for (let j = 0; j < c; j++) {
    useState(states + <usize>j * stateBytes, block);
    memory.fill(costs, 0, <usize>(slots * 8));
    store<i32>(counts, 1);
    store<i32>(counts, 0, 4);
    store<f64>(clipped + (<usize>j << 3), 0);
  }

  for (let start = 0; start < n; start += window) {
    const rows = min(window, n - start);
    const known = max(0, start - block);
    memory.fill(pulled, 0, <usize>rows * row);
    addPulls(n, c, lower, start, start + rows, 0, known, w, pulled, single);
    for (let from = start; from < start + rows; from += block) {
      const to = min(from + block, n);
      const decided = max(0, from - block);
      const pulledHere = pulled + <usize>(from - start) * row;
      addPulls(n, c, lower, from, to, known, decided, w, pulledHere, single);
      for (let j = 0; j < c; j++) {
        const o = <usize>j << 3;
        useState(states + <usize>j * stateBytes, block);
        for (let i = from; i < to; i++) {
          const grid = <usize>load<i32>(group + (<usize>i << 2)) * row + o;
          const li = rowOf(lower, n, i);
          const cut = step(
            i - decided,
            paths,
            load<f64>(w + <usize>i * row + o),
            load<f64>(pulledHere + <usize>(i - from) * row + o),
            li + (<usize>decided << 3),
            load<f64>(steps + grid),
            load<f64>(zeros + grid),
            top,
          );
          if (cut) store<f64>(clipped + o, 1);
        }
        if (to == n) {
          store<f64>(outCosts + o, load<f64>(costs));
          decide(n - decided, w + <usize>decided * row + o, row, out + <usize>decided * <usize>c + <usize>j, c);
        } else if (to >= 2 * block) {
          decide(block, w + <usize>decided * row + o, row, out + <usize>decided * <usize>c + <usize>j, c);
          dropDisagreeing(block);
        }
      }
    }
  }
}

/** pulled += L[from..to, first..last) e, panel by panel. */
function addPulls(
  n: i32,
  c: i32,
  lower: usize,
  from: i32,
  to: i32,
  first: i32,
  last: i32,
  e: usize,
  pulled: usize,
  single: bool,
): void {
  if (last <= first) return;
  const row = <usize>c << 3;
  let i = from;
  while (i < to) {
    const b = i / BLOCK;
    const end = min(to, (b + 1) * BLOCK);
    const a = rowOf(lower, n, i) + (<usize>first << 3);
    const into = pulled + <usize>(i - from) * row;
    product64(end - i, c, last - first, a, <usize>rowLength(n, b) << 3, 8, e + <usize>first * row, row, 8, into, row, 1, single);
    i = end;
  }
}

/**
 * One coordinate: all children, of which the cheapest go on.
 *
 * @param at     place of the coordinate in the state.
 * @param l      row of L from the first undecided coordinate on; l[at] is its distance.
 * @returns whether v of the cheapest path lay beyond the ends of the grid.
 */
function step(at: i32, most: i32, w: f64, pulled: f64, l: usize, size: f64, zeroPoint: f64, top: f64): bool {
  const count = load<i32>(counts);
  const fork = load<i32>(counts, 4);
  formPulls(at, fork, count, pulled, l);
  const distance = load<f64>(l + (<usize>at << 3));
  const up: f64 = size > 0 ? 1 : -1;
  const second = most > 1 && size != 0 && top > 0;
  let cut = false;
  let children = 0;
  for (let k = 0; k < count; k++) {
    const pull = load<f64>(pulls + (<usize>k << 3));
    const v = w + pull / distance;
    const level = nearestLevel(v, size, zeroPoint, top);
    const value = size * (level - zeroPoint);
    if (k == 0) cut = abs<f64>(v - value) > HALF_STEP * abs<f64>(size);
    const cost = load<f64>(costs + (<usize>k << 3));
    children = insert(children, most, k, level, w - value, distance, pull, cost);
    if (!second) continue;
    const towards = v > value ? up : -up;
    let other = level + towards;
    if (other < 0 || other > top) other = level - towards;
    children = insert(children, most, k, other, w - size * (other - zeroPoint), distance, pull, cost);
  }
  follow(at, fork, count, children);
  return cut;
}

/** pulls_k = pulled + Σ_j l_j e_j of path k. */
// @ts-ignore: decorator
@inline
function formPulls(at: i32, fork: i32, count: i32, pulled: f64, l: usize): void {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let j = 0;
  for (; j + 4 <= fork; j += 4) {
    const o = <usize>j << 3;
    s0 = f64x2.add(s0, f64x2.mul(v128.load(l + o), v128.load(shared + o)));
    s1 = f64x2.add(s1, f64x2.mul(v128.load(l + o, 16), v128.load(shared + o, 16)));
  }
  s0 = f64x2.add(s0, s1);
  let same = pulled + f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (; j < fork; j++) same += load<f64>(l + (<usize>j << 3)) * load<f64>(shared + (<usize>j << 3));
  const row = <usize>slots << 3;
  const end = l + (<usize>at << 3);
  for (let g: usize = 0; g < <usize>count << 3; g += 64) {
    let p0 = f64x2.splat(same);
    let p1 = p0;
    let p2 = p0;
    let p3 = p0;
    let e = errors + <usize>fork * row + g;
    for (let x = l + (<usize>fork << 3); x < end; x += 8, e += row) {
      const share = v128.load_splat<f64>(x);
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

/** Keeps the cheapest children in rising order; equal ones in the order they came. Returns how many there are now. */
// @ts-ignore: decorator
@inline
function insert(children: i32, most: i32, path: i32, level: f64, e: f64, distance: f64, pull: f64, before: f64): i32 {
  const term = distance * e + pull;
  const cost = before + term * term;
  if (children == most && !(cost < load<f64>(childCosts + (<usize>(most - 1) << 3)))) return children;
  let place = children == most ? most - 1 : children;
  while (place > 0) {
    const o = <usize>(place - 1) << 3;
    const cheaper = load<f64>(childCosts + o);
    if (!(cost < cheaper)) break;
    store<f64>(childCosts + o, cheaper, 8);
    store<f64>(childErrors + o, load<f64>(childErrors + o), 8);
    store<f64>(childLevels + o, load<f64>(childLevels + o), 8);
    store<i32>(parents + (o >> 1), load<i32>(parents + (o >> 1)), 4);
    place--;
  }
  const o = <usize>place << 3;
  store<f64>(childCosts + o, cost);
  store<f64>(childErrors + o, e);
  store<f64>(childLevels + o, level);
  store<i32>(parents + (o >> 1), path);
  return min(children + 1, most);
}

/** The children become the paths. */
function follow(at: i32, fork: i32, count: i32, children: i32): void {
  let stay = children == count;
  for (let k = 0; k < slots; k++) {
    // Empty slots follow the cheapest path.
    const from = k < children ? k : 0;
    const parent = load<i32>(parents + (<usize>from << 2));
    if (k >= children) store<i32>(parents + (<usize>k << 2), parent);
    stay = stay && (parent == k || k >= children);
    const o = (<usize>at * <usize>slots + <usize>k) << 3;
    store<f64>(errors + o, load<f64>(childErrors + (<usize>from << 3)));
    store<u8>(levels + (o >> 3), <u8>load<f64>(childLevels + (<usize>from << 3)));
    store<f64>(costs + (<usize>k << 3), load<f64>(childCosts + (<usize>from << 3)));
  }
  if (!stay) permute(fork, at);
  store<i32>(counts, children);
  advanceFork(fork, at + 1);
}

/** Slot k takes over the history of slot parents[k], for coordinates [from, to). */
function permute(from: i32, to: i32): void {
  if (slots == 8) {
    const p0 = load<i32>(parents);
    const p1 = load<i32>(parents, 4);
    const p2 = load<i32>(parents, 8);
    const p3 = load<i32>(parents, 12);
    const p4 = load<i32>(parents, 16);
    const p5 = load<i32>(parents, 20);
    const p6 = load<i32>(parents, 24);
    const p7 = load<i32>(parents, 28);
    let slotBytes: u64 = 0;
    for (let k = 0; k < 8; k++) slotBytes |= (<u64>load<i32>(parents + (<usize>k << 2))) << (k * 8);
    const permutation = i64x2.splat(slotBytes);
    for (let j = from; j < to; j++) {
      const e = errors + (<usize>j << 6);
      const e0 = load<f64>(e + (<usize>p0 << 3));
      const e1 = load<f64>(e + (<usize>p1 << 3));
      const e2 = load<f64>(e + (<usize>p2 << 3));
      const e3 = load<f64>(e + (<usize>p3 << 3));
      const e4 = load<f64>(e + (<usize>p4 << 3));
      const e5 = load<f64>(e + (<usize>p5 << 3));
      const e6 = load<f64>(e + (<usize>p6 << 3));
      const e7 = load<f64>(e + (<usize>p7 << 3));
      store<f64>(e, e0);
      store<f64>(e, e1, 8);
      store<f64>(e, e2, 16);
      store<f64>(e, e3, 24);
      store<f64>(e, e4, 32);
      store<f64>(e, e5, 40);
      store<f64>(e, e6, 48);
      store<f64>(e, e7, 56);
      const at = levels + (<usize>j << 3);
      v128.store64_lane(at, i8x16.swizzle(v128.load64_zero(at), permutation), 0);
    }
    return;
  }
  // More than 8 paths: by way of the pulls and the children's errors, which are free again.
  const bytes = childErrors;
  for (let j = from; j < to; j++) {
    const e = errors + <usize>(j * slots * 8);
    const at = levels + <usize>(j * slots);
    for (let k = 0; k < slots; k++) {
      const parent = load<i32>(parents + (<usize>k << 2));
      store<f64>(pulls + (<usize>k << 3), load<f64>(e + (<usize>parent << 3)));
      store<u8>(bytes + <usize>k, load<u8>(at + <usize>parent));
    }
    memory.copy(e, pulls, <usize>slots << 3);
    memory.copy(at, bytes, <usize>slots);
  }
}

/** Moves the fork over coordinates in which all paths agree. */
function advanceFork(fork: i32, end: i32): void {
  while (fork < end) {
    const at = levels + <usize>(fork * slots);
    const first = <u64>load<u8>(at) * 0x0101010101010101;
    for (let o: usize = 0; o < <usize>slots; o += 8) {
      if (load<u64>(at + o) != first) {
        store<i32>(counts, fork, 4);
        return;
      }
    }
    store<f64>(shared + (<usize>fork << 3), load<f64>(errors + <usize>(fork * slots * 8)));
    fork++;
  }
  store<i32>(counts, fork, 4);
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
  let fork = load<i32>(counts, 4);
  if (fork < block) {
    let kept = 0;
    for (let k = 0; k < count; k++) {
      let agrees = true;
      for (let j = fork; j < block && agrees; j++) {
        const at = levels + <usize>(j * slots);
        agrees = load<u8>(at) == load<u8>(at + <usize>k);
      }
      if (!agrees) continue;
      store<i32>(parents + (<usize>kept << 2), k);
      store<f64>(costs + (<usize>kept << 3), load<f64>(costs + (<usize>k << 3)));
      kept++;
    }
    for (let k = kept; k < slots; k++) store<i32>(parents + (<usize>k << 2), 0);
    permute(fork, 2 * block);
    store<i32>(counts, kept);
    fork = block;
  }
  memory.copy(errors, errors + <usize>(block * slots * 8), <usize>(block * slots * 8));
  memory.copy(levels, levels + <usize>(block * slots), <usize>(block * slots));
  memory.copy(shared, shared + <usize>(block * 8), <usize>(block * 8));
  advanceFork(fork - block, block);
}
