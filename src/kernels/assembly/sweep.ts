import { product64 } from "./gemm";
import { HALF_STEP, nearestLevels, storeLevels, valuesOf } from "./grid";
import { BLOCK, blockRow, rowLength, rowsOf } from "./panels";

// The sweep GPTQ and GPFQ share, for a chunk of neurons:
//
//   pull_i = Σ_{j<i} M_ij e_j,   v_i = w_i + shift_i + pull_i / d_i,   q_i = nearest(v_i),   e_i = w_i - q_i.
//
// Left-looking by blocks of rows: what the errors of earlier blocks do to a block is one matrix product; inside a block 16
// neurons at a time keep their eight vectors of pulls in registers. Looking left rather than right writes every pull once
// and reads the errors from packed memory; the inverse the papers use is never formed.
// Of 4096 x 4096 weights 97 % of the work is in `product`.

/**
 * @param c        neurons of the chunk, a multiple of 16.
 * @param m        panels of M.
 * @param diagonal d, [n], or 0 for ones.
 * @param w        [n, c] in the order of the sweep; holds e afterwards.
 * @param shifts   [n, c] or 0.
 * @param group    [n] i32: the group of each place of the sweep.
 * @param steps    [groups, c].
 * @param zeros    [groups, c]: zero points.
 * @param levels   [n, c] bytes, out.
 * @param costs    [c], out: Σ (d_i e_i + pull_i)²; 0: not wanted, nor is `clipped`.
 * @param clipped  [c] doubles, out: 1 where a v lay beyond the ends of its grid.
 * @param pulls    scratch, [BLOCK, c].
 * @param single   multiply in float32.
 */
export function sweep(
  n: i32,
  c: i32,
  m: usize,
  diagonal: usize,
  w: usize,
  shifts: usize,
  group: usize,
  steps: usize,
  zeros: usize,
  top: f64,
  levels: usize,
  costs: usize,
  clipped: usize,
  pulls: usize,
  single: bool,
): void {
  const row = <usize>c << 3;
  if (costs != 0) {
    memory.fill(costs, 0, row);
    memory.fill(clipped, 0, row);
  }
  for (let b = 0; b * BLOCK < n; b++) {
    const from = b * BLOCK;
    const h = rowsOf(n, b);
    const length = <usize>rowLength(n, b) << 3;
    const mb = blockRow(m, b);
    memory.fill(pulls, 0, <usize>h * row);
    product64(h, c, from, mb, length, 8, w, row, 8, pulls, row, 1, single);
    for (let o: usize = 0; o < row; o += 128) {
      for (let i = 0; i < h; i++) {
        const place = from + i;
        const errors = w + <usize>from * row + o;
        roundTile(
          i,
          mb + <usize>i * length + (<usize>from << 3),
          diagonal == 0 ? 1 : load<f64>(diagonal + (<usize>place << 3)),
          errors,
          row,
          pulls + <usize>i * row + o,
          shifts == 0 ? 0 : shifts + <usize>place * row + o,
          steps + <usize>load<i32>(group + (<usize>place << 2)) * row + o,
          zeros + <usize>load<i32>(group + (<usize>place << 2)) * row + o,
          top,
          levels + <usize>place * <usize>c + (o >> 3),
          costs == 0 ? 0 : costs + o,
          clipped + o,
        );
      }
    }
  }
}

/** One place of the sweep for 16 neurons; `before` places of its block are done, their errors are rows at `errors`. */
// @ts-ignore: decorator
@inline
function roundTile(
  before: i32,
  shares: usize,
  d: f64,
  errors: usize,
  row: usize,
  pulls: usize,
  shifts: usize,
  steps: usize,
  zeros: usize,
  top: f64,
  levels: usize,
  costs: usize,
  clipped: usize,
): void {
  let p0 = v128.load(pulls);
  let p1 = v128.load(pulls, 16);
  let p2 = v128.load(pulls, 32);
  let p3 = v128.load(pulls, 48);
  let p4 = v128.load(pulls, 64);
  let p5 = v128.load(pulls, 80);
  let p6 = v128.load(pulls, 96);
  let p7 = v128.load(pulls, 112);
  let e = errors;
  for (let j = 0; j < before; j++, e += row) {
    const x = v128.load_splat<f64>(shares + (<usize>j << 3));
    p0 = f64x2.add(p0, f64x2.mul(x, v128.load(e)));
    p1 = f64x2.add(p1, f64x2.mul(x, v128.load(e, 16)));
    p2 = f64x2.add(p2, f64x2.mul(x, v128.load(e, 32)));
    p3 = f64x2.add(p3, f64x2.mul(x, v128.load(e, 48)));
    p4 = f64x2.add(p4, f64x2.mul(x, v128.load(e, 64)));
    p5 = f64x2.add(p5, f64x2.mul(x, v128.load(e, 80)));
    p6 = f64x2.add(p6, f64x2.mul(x, v128.load(e, 96)));
    p7 = f64x2.add(p7, f64x2.mul(x, v128.load(e, 112)));
  }
  roundPair(p0, d, e, shifts, steps, zeros, top, levels, costs, clipped, 0);
  roundPair(p1, d, e, shifts, steps, zeros, top, levels, costs, clipped, 16);
  roundPair(p2, d, e, shifts, steps, zeros, top, levels, costs, clipped, 32);
  roundPair(p3, d, e, shifts, steps, zeros, top, levels, costs, clipped, 48);
  roundPair(p4, d, e, shifts, steps, zeros, top, levels, costs, clipped, 64);
  roundPair(p5, d, e, shifts, steps, zeros, top, levels, costs, clipped, 80);
  roundPair(p6, d, e, shifts, steps, zeros, top, levels, costs, clipped, 96);
  roundPair(p7, d, e, shifts, steps, zeros, top, levels, costs, clipped, 112);
}

/** Rounds two neurons at byte `o` of the tile; w becomes e. */
// Not inlined eight times: a call costs little beside two divisions, and the module stays small.
function roundPair(
  pull: v128,
  d: f64,
  w: usize,
  shifts: usize,
  steps: usize,
  zeros: usize,
  top: f64,
  levels: usize,
  costs: usize,
  clipped: usize,
  o: usize,
): void {
  const weight = v128.load(w + o);
  const step = v128.load(steps + o);
  const zeroPoint = v128.load(zeros + o);
  const dd = f64x2.splat(d);
  let v = weight;
  if (shifts != 0) v = f64x2.add(v, v128.load(shifts + o));
  v = f64x2.add(v, f64x2.div(pull, dd));
  const level = nearestLevels(v, step, zeroPoint, f64x2.splat(top));
  const value = valuesOf(level, step, zeroPoint);
  const error = f64x2.sub(weight, value);
  v128.store(w + o, error);
  storeLevels(levels + (o >> 3), level);
  if (costs == 0) return;
  const term = f64x2.add(f64x2.mul(dd, error), pull);
  v128.store(costs + o, f64x2.add(v128.load(costs + o), f64x2.mul(term, term)));
  const beyond = f64x2.gt(f64x2.abs(f64x2.sub(v, value)), f64x2.mul(f64x2.splat(HALF_STEP), f64x2.abs(step)));
  v128.store(clipped + o, f64x2.max(v128.load(clipped + o), v128.and(beyond, f64x2.splat(1))));
}
