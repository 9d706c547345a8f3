import { dot, subtract } from "./vectors";

// Eigenvalues and eigenvectors of a symmetric matrix: to a tridiagonal matrix by reflections (Golub & Van Loan 8.3.1), then
// implicit QL steps (EISPACK tql2). Eigenvectors are rows, so that a rotation works on two contiguous rows.

/**
 * Tridiagonal Qᵀ A Q, steps [from, to) of n.
 *
 * @param a        [n, n], all of it; afterwards row k holds the reflection of step k in its columns k + 1 .. n - 1.
 * @param diagonal [n], out.
 * @param beside   [n], out: entry k lies between k and k + 1.
 * @param scales   [n], out: the reflection of step k is I - scale v vᵀ.
 * @param work     [2, n].
 */
export function tridiagonalize(
  n: i32,
  from: i32,
  to: i32,
  a: usize,
  diagonal: usize,
  beside: usize,
  scales: usize,
  work: usize,
): void {
  const row = <usize>n << 3;
  const product = work;
  const other = work + row;
  for (let k = from; k < to; k++) {
    const ak = a + <usize>k * row;
    store<f64>(diagonal + (<usize>k << 3), load<f64>(ak + (<usize>k << 3)));
    store<f64>(scales + (<usize>k << 3), 0);
    if (k == n - 1) {
      store<f64>(beside + (<usize>k << 3), 0);
      break;
    }
    // The row right of the diagonal becomes (alpha, 0, 0, ...).
    const first = k + 1;
    const v = ak + (<usize>first << 3);
    const length = n - first;
    let squares: f64 = 0;
    for (let i = 1; i < length; i++) squares += load<f64>(v + (<usize>i << 3)) * load<f64>(v + (<usize>i << 3));
    const head = load<f64>(v);
    if (squares < NOTHING) {
      store<f64>(beside + (<usize>k << 3), head);
      continue;
    }
    const norm = sqrt<f64>(head * head + squares);
    const alpha = head > 0 ? -norm : norm;
    const v0 = head - alpha;
    store<f64>(beside + (<usize>k << 3), alpha);
    store<f64>(v, v0);
    const scale = 2 / (v0 * v0 + squares);
    store<f64>(scales + (<usize>k << 3), scale);
    // p = scale A v;  q = p - (scale / 2)(pᵀv) v;  A -= v qᵀ + q vᵀ.
    let along: f64 = 0;
    for (let i = 0; i < length; i++) {
      const p = scale * dot(a + <usize>(first + i) * row + (<usize>first << 3), v, length);
      store<f64>(product + (<usize>i << 3), p);
      along += p * load<f64>(v + (<usize>i << 3));
    }
    const half = 0.5 * scale * along;
    for (let i = 0; i < length; i++) {
      const o = <usize>i << 3;
      store<f64>(other + o, load<f64>(product + o) - half * load<f64>(v + o));
    }
    for (let i = 0; i < length; i++) {
      const o = <usize>i << 3;
      const target = a + <usize>(first + i) * row + (<usize>first << 3);
      const vi = f64x2.splat(load<f64>(v + o));
      const qi = f64x2.splat(load<f64>(other + o));
      let j = 0;
      for (; j + 2 <= length; j += 2) {
        const at = <usize>j << 3;
        let x = f64x2.sub(v128.load(target + at), f64x2.mul(vi, v128.load(other + at)));
        x = f64x2.sub(x, f64x2.mul(qi, v128.load(v + at)));
        v128.store(target + at, x);
      }
      for (; j < length; j++) {
        const at = <usize>j << 3;
        const x = load<f64>(target + at) - load<f64>(v + o) * load<f64>(other + at);
        store<f64>(target + at, x - load<f64>(other + o) * load<f64>(v + at));
      }
    }
  }
}

/** The rows of Qᵀ from the reflections `tridiagonalize` left. */
export function formReflections(n: i32, a: usize, scales: usize, q: usize): void {
  const row = <usize>n << 3;
  memory.fill(q, 0, <usize>n * row);
  for (let i = 0; i < n; i++) store<f64>(q + <usize>i * row + (<usize>i << 3), 1);
  // Q = H_0 H_1 ...; a row of Qᵀ is a row of the identity times the reflections from the last to the first.
  for (let k = n - 2; k >= 0; k--) {
    const scale = load<f64>(scales + (<usize>k << 3));
    if (scale == 0) continue;
    const first = <usize>(k + 1) << 3;
    const v = a + <usize>k * row + first;
    const length = n - k - 1;
    for (let i = k + 1; i < n; i++) {
      const target = q + <usize>i * row + first;
      subtract(target, v, scale * dot(target, v, length), length);
    }
  }
}

/**
 * Squares below this are what rounding leaves once the rank is used up; their inverse would overflow. Entries of the
 * matrix at 1e-140 do not move an eigenvalue that anything in float64 can tell from 0.
 */
const NOTHING: f64 = 1e-280;

/** Steps an eigenvalue may take; two are usual. */
const STEPS: i32 = 60;

/**
 * Diagonalizes a tridiagonal matrix.
 *
 * @param diagonal [n], in: the diagonal, out: the eigenvalues in no order.
 * @param beside   [n], destroyed.
 * @param q        [n, n]: its rows are turned into eigenvectors; 0: only the values are wanted.
 * @returns whether it converged; only NaN or infinity can keep it from that.
 */
export function diagonalize(n: i32, diagonal: usize, beside: usize, q: usize): bool {
  const row = <usize>n << 3;
  // A rank-deficient matrix has long stretches of eigenvalues at 0: beside them nothing is small relative to its neighbours,
  // so an entry also counts as gone where it is small relative to the largest.
  let largest: f64 = 0;
  for (let i = 0; i < n; i++) {
    const size = abs<f64>(load<f64>(diagonal + (<usize>i << 3))) + abs<f64>(load<f64>(beside + (<usize>i << 3)));
    largest = max<f64>(largest, size);
  }
  for (let l = 0; l < n; l++) {
    const dl = diagonal + (<usize>l << 3);
    for (let step = 0; ; step++) {
      let m = l;
      for (; m < n - 1; m++) {
        const size = abs<f64>(load<f64>(diagonal + (<usize>m << 3))) + abs<f64>(load<f64>(diagonal + (<usize>m << 3), 8));
        if (abs<f64>(load<f64>(beside + (<usize>m << 3))) <= f64.EPSILON * max<f64>(size, largest / 8)) break;
      }
      if (m == l) break;
      if (step == STEPS) return false;
      const el = load<f64>(beside + (<usize>l << 3));
      let g = (load<f64>(dl, 8) - load<f64>(dl)) / (2 * el);
      let r = Math.sqrt(g * g + 1);
      g = load<f64>(diagonal + (<usize>m << 3)) - load<f64>(dl) + el / (g + (g >= 0 ? r : -r));
      let s: f64 = 1;
      let c: f64 = 1;
      let p: f64 = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const di = diagonal + (<usize>i << 3);
        const ei = beside + (<usize>i << 3);
        let f = s * load<f64>(ei);
        const b = c * load<f64>(ei);
        r = Math.sqrt(f * f + g * g);
        store<f64>(ei, r, 8);
        if (r == 0) {
          store<f64>(di, load<f64>(di, 8) - p, 8);
          store<f64>(beside + (<usize>m << 3), 0);
          break;
        }
        s = f / r;
        c = g / r;
        g = load<f64>(di, 8) - p;
        r = (load<f64>(di) - g) * s + 2 * c * b;
        p = s * r;
        store<f64>(di, g + p, 8);
        g = c * r - b;
        if (q != 0) rotate(q + <usize>i * row, q + <usize>(i + 1) * row, c, s, n);
      }
      if (r == 0 && i >= l) continue;
      store<f64>(dl, load<f64>(dl) - p);
      store<f64>(beside + (<usize>l << 3), g);
      store<f64>(beside + (<usize>m << 3), 0);
    }
  }
  return true;
}

/** (x, y) becomes (c x - s y, s x + c y). */
function rotate(x: usize, y: usize, c: f64, s: f64, n: i32): void {
  const cc = f64x2.splat(c);
  const ss = f64x2.splat(s);
  let i = 0;
  for (; i + 2 <= n; i += 2, x += 16, y += 16) {
    const a = v128.load(x);
    const b = v128.load(y);
    v128.store(x, f64x2.sub(f64x2.mul(cc, a), f64x2.mul(ss, b)));
    v128.store(y, f64x2.add(f64x2.mul(ss, a), f64x2.mul(cc, b)));
  }
  if (i < n) {
    const a = load<f64>(x);
    const b = load<f64>(y);
    store<f64>(x, c * a - s * b);
    store<f64>(y, s * a + c * b);
  }
}
