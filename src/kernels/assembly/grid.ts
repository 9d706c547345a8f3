// Rounding to a grid, value = step * (level - zeroPoint), two neurons at a time. The numbers are those of the plain form to
// the last bit: the same operations in the same order.

/** Half a step, and what single precision may add to it: beyond it lies the end of a grid. */
export const HALF_STEP: f64 = 0.5 * (1 + 1e-4);

/** The levels nearest to two values, as doubles; a tie takes the lower value, a step of 0 level 0. */
// @ts-ignore: decorator
@inline
export function nearestLevels(value: v128, step: v128, zeroPoint: v128, top: v128): v128 {
  const half = f64x2.splat(0.5);
  const position = f64x2.add(f64x2.div(value, step), zeroPoint);
  // Half way between two levels the lower value is the lower level, or the higher one where the step is negative.
  const rising = f64x2.ceil(f64x2.sub(position, half));
  const falling = f64x2.floor(f64x2.add(position, half));
  const level = v128.bitselect(rising, falling, f64x2.gt(step, f64x2.splat(0)));
  const inside = f64x2.max(f64x2.splat(0), f64x2.min(top, level));
  return v128.and(inside, f64x2.ne(step, f64x2.splat(0)));
}

// @ts-ignore: decorator
@inline
export function valuesOf(level: v128, step: v128, zeroPoint: v128): v128 {
  return f64x2.mul(step, f64x2.sub(level, zeroPoint));
}

/** The same for one value. */
// @ts-ignore: decorator
@inline
export function nearestLevel(value: f64, step: f64, zeroPoint: f64, top: f64): f64 {
  if (step == 0) return 0;
  const position = value / step + zeroPoint;
  const level = step > 0 ? ceil<f64>(position - 0.5) : floor<f64>(position + 0.5);
  return max<f64>(0, min<f64>(top, level));
}

// @ts-ignore: decorator
@inline
export function storeLevels(to: usize, level: v128): void {
  const whole = i32x4.trunc_sat_f64x2_s_zero(level);
  store<u8>(to, i32x4.extract_lane(whole, 0));
  store<u8>(to, i32x4.extract_lane(whole, 1), 1);
}

/**
 * Nearest levels.
 *
 * @param w      [rows, columns] doubles, columns a multiple of 2.
 * @param group  [rows] i32: the group of each row.
 * @param steps  [groups, columns].
 * @param zeros  [groups, columns]: zero points.
 * @param levels [rows, columns] bytes.
 */
export function nearest(
  rows: i32,
  columns: i32,
  w: usize,
  group: usize,
  steps: usize,
  zeros: usize,
  top: f64,
  levels: usize,
): void {
  const tops = f64x2.splat(top);
  const row = <usize>columns << 3;
  for (let i = 0; i < rows; i++) {
    const at = <usize>load<i32>(group + (<usize>i << 2)) * row;
    for (let o: usize = 0; o < row; o += 16, w += 16, levels += 2) {
      storeLevels(levels, nearestLevels(v128.load(w), v128.load(steps + at + o), v128.load(zeros + at + o), tops));
    }
  }
}

/**
 * Σ importance_i (w_i - nearest value)² by group, for one candidate.
 *
 * @param sums [groups, columns], added to.
 */
export function roundingErrors(
  rows: i32,
  columns: i32,
  w: usize,
  importance: usize,
  group: usize,
  steps: usize,
  zeros: usize,
  top: f64,
  sums: usize,
): void {
  const tops = f64x2.splat(top);
  const row = <usize>columns << 3;
  for (let o: usize = 0; o < row; o += 16) {
    let from = 0;
    while (from < rows) {
      const g = load<i32>(group + (<usize>from << 2));
      const at = <usize>g * row + o;
      const step = v128.load(steps + at);
      const zeroPoint = v128.load(zeros + at);
      let sum = v128.load(sums + at);
      let i = from;
      for (; i < rows && load<i32>(group + (<usize>i << 2)) == g; i++) {
        const value = v128.load(w + <usize>i * row + o);
        const error = f64x2.sub(value, valuesOf(nearestLevels(value, step, zeroPoint, tops), step, zeroPoint));
        sum = f64x2.add(sum, f64x2.mul(v128.load_splat<f64>(importance + (<usize>i << 3)), f64x2.mul(error, error)));
      }
      v128.store(sums + at, sum);
      from = i;
    }
  }
}

/**
 * Levels of 1, 2 or 4 bits to bytes, the first level in the lowest bits, as the copies store them.
 *
 * @param levels count bytes.
 * @param packed ceil(count * bits / 8) bytes.
 */
export function pack(count: i32, bits: i32, levels: usize, packed: usize): void {
  const each = 8 / bits;
  let i = 0;
  // Eight levels at once: a word of eight bytes is folded on itself, halving the distance between two levels each time.
  for (; i + 8 <= count; i += 8) {
    let x = load<u64>(levels + i);
    if (bits == 4) {
      x = (x | (x >> 4)) & 0x00ff00ff00ff00ff;
      x = (x | (x >> 8)) & 0x0000ffff0000ffff;
      store<u32>(packed, <u32>(x | (x >> 16)));
      packed += 4;
    } else if (bits == 2) {
      x = (x | (x >> 6)) & 0x000f000f000f000f;
      x = (x | (x >> 12)) & 0x000000ff000000ff;
      store<u16>(packed, <u16>(x | (x >> 24)));
      packed += 2;
    } else {
      // The product gathers bit k of byte k in the highest byte.
      store<u8>(packed, <u8>((x * 0x0102040810204080) >> 56));
      packed += 1;
    }
  }
  for (; i < count; i += each, packed++) {
    let byte: u32 = 0;
    for (let k = 0; k < each && i + k < count; k++) byte |= (<u32>load<u8>(levels + i + k)) << (k * bits);
    store<u8>(packed, byte);
  }
}
