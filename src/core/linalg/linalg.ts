import type { Matrix, Matrix64 } from "../matrix";

// What all loops below have in common:
// - X is [m, inputs], weights are [inputs, neurons], a metric H is [inputs, inputs], symmetric. Row-major, in the order of the
//   inputs; a walk order is applied inside, never by the caller.
// - The weights and the targets may be float32 or float64; metrics, factors, steps and costs are float64.
// - A column of weights (a neuron) never looks at another: any loop over neurons may be split over threads, and gives the
//   same numbers however it is split.
// - Arguments are not changed, and callers do not change them afterwards: a fast form may keep a copy by identity.

/**
 * The values each weight may take, by its neuron and its group of consecutive inputs:
 * value(i, j) = step * (level - zeroPoint), with the step and zero point at [floor(i / groupInputs), j].
 */
export interface Grids {
  /** Levels are 0 .. levels - 1, at most 256. */
  readonly levels: number;
  /** Inputs a group, the last one may be shorter; undefined: all inputs are one group. */
  readonly groupInputs?: number | undefined;
  /** [groups, neurons]. Negative steps turn the order of the values round; a step of 0 has one value, 0, at level 0. */
  readonly steps: Float64Array;
  /** [groups, neurons]. Any real number. */
  readonly zeroPoints: Float64Array;
}

/** Sums over the rows of the inputs X, [m, inputs], and of the targets Y, [m, targets], in float64. */
export interface Moments {
  /** m. */
  readonly rows: number;
  /** XᵀX, [inputs, inputs]. */
  readonly gram: Matrix64;
  /** XᵀY, [inputs, targets]. */
  readonly cross: Matrix64;
  /** Of the columns of X, [inputs]. */
  readonly inputSums: Float64Array;
  /** Of the columns of Y, [targets]. */
  readonly targetSums: Float64Array;
}

/** Takes the rows in chunks, so that only one chunk is in memory. */
export interface MomentsSum {
  /**
   * @param inputs  [rows, inputs].
   * @param targets [rows, targets]; left out where the sum was made for 0 targets.
   */
  add(inputs: Matrix, targets?: Matrix): Promise<void>;
  /** What was added up; nothing can be added afterwards. */
  finish(): Promise<Moments>;
}

/** H = LᵀL: (w-q)ᵀH(w-q) = Σ_i (L_ii e_i + Σ_{j<i} L_ij e_j)², e = w - q, i and j counting in walk order. */
export interface Factor {
  /** [inputs]: the input of every place of the walk. */
  readonly order: Int32Array;
  /** L, [inputs, inputs], lower triangular, rows and columns in walk order; above the diagonal it holds 0. */
  readonly lower: Matrix64;
}

/** How the errors already made shift the weight whose turn it is; see `Linalg.sweep`. */
export interface Feedback {
  /** [inputs]: the input of every place of the sweep. */
  readonly order: Int32Array;
  /** M, [inputs, inputs], in the order of the sweep; only what is below the diagonal is read. */
  readonly shares: Matrix64;
}

export interface Costed {
  /** [inputs, neurons]. */
  readonly levels: Uint8Array;
  /** (w-q)ᵀH(w-q), [neurons]. */
  readonly costs: Float64Array;
}

export interface Walked extends Costed {
  /**
   * [neurons]: 1 where in some step v of the path that was cheapest so far lay more than (1 + 1e-4) / 2 steps from its nearest
   * value: beyond the ends of the grid. Where it is 0 the cost is at most Σ_i L_ii² step_i² / 4 (times 1.0003).
   */
  readonly clipped: Uint8Array;
}

/** What the pre-processing of Maly & Saab did to the weights of a layer. */
export interface KernelWalk {
  /** The moved weights z, [inputs, neurons]. */
  readonly moved: Matrix64;
  /** The most coordinates of one neuron left strictly inside its box; at most the rank of the inputs. */
  readonly interior: number;
  /** The largest ||R(z - w)|| / ||Rw|| of a neuron; 0 where Rw is 0. */
  readonly residual: number;
}

/**
 * The heavy loops, behind one interface: the plain form (plain.ts) is the readable one and the oracle of the tests.
 * They are asynchronous because a fast form splits the neurons over threads.
 */
export interface Linalg {
  // --- the metric

  /** Begins the sums of rows with so many inputs and targets (0: only the inputs are summed). */
  moments(inputs: number, targets: number): Promise<MomentsSum>;

  /** AB, [a.rows, b.columns]: metric times weights, or inputs times weights. */
  multiply(a: Matrix, b: Matrix): Promise<Matrix64>;

  /**
   * The order of the walk, from the back: the input nearest to the span of those already placed comes next (Cholesky with
   * the smallest pivot first, list reversed). Equal distances take the earlier input.
   *
   * @param metric H, positive semidefinite.
   * @returns [inputs]: the input of every place.
   */
  walkOrder(metric: Matrix64): Promise<Int32Array>;

  /**
   * L with LᵀL = H in the given order: the Cholesky factor of the index-reversed H.
   *
   * @returns null where H is not positive definite in double precision: a pivot was not above 0.
   */
  factor(metric: Matrix64, order: Int32Array): Promise<Factor | null>;

  /**
   * H⁻¹B, by Cholesky.
   *
   * @param right B, [inputs, any].
   * @returns null where H is not positive definite in double precision.
   */
  solve(metric: Matrix64, right: Matrix): Promise<Matrix64 | null>;

  /** Eigenvalues of a symmetric matrix, largest first, [inputs]. */
  eigenvalues(symmetric: Matrix64): Promise<Float64Array>;

  /**
   * The inputs each input is most correlated with, |H_ij| / sqrt(H_ii H_jj), strongest first; equal ones in their order.
   * An input of H_ii = 0 is correlated with none.
   *
   * @returns [inputs, min(count, inputs - 1)].
   */
  neighbours(metric: Matrix64, count: number): Promise<Int32Array>;

  // --- rounding

  /** The level of the value nearest to each weight, a tie takes the lower value, [inputs, neurons]. */
  nearest(weights: Matrix, grids: Grids): Promise<Uint8Array>;

  /**
   * Σ importance_i (w_i - nearest value)² over the inputs of each group, for each of the candidates.
   *
   * @param importance [inputs].
   * @param candidates all with the same groups.
   * @returns one [groups, neurons] a candidate.
   */
  roundingErrors(weights: Matrix, importance: Float64Array, candidates: readonly Grids[]): Promise<Float64Array[]>;

  /**
   * Rounds one input after the other, each shifted by the errors made before: in the order of the sweep,
   *
   *   v_i = w_i + shift_i + Σ_{j<i} M_ij e_j,    q_i = nearest(v_i),    e_i = w_i - q_i.
   *
   * M_ij = L_ij / L_ii is GPTQ (= the walk with one path), M_ij = G_ij / G_ii is GPFQ.
   *
   * @param shifts [inputs, neurons]; undefined: none.
   * @returns levels, [inputs, neurons].
   */
  sweep(weights: Matrix, feedback: Feedback, grids: Grids, shifts?: Matrix64): Promise<Uint8Array>;

  /**
   * Every neuron walks onto its grid in the order of the factor, on several paths side by side. In each step
   *
   *   pull = Σ_{j<i} L_ij e_j,    v = w_i + pull / L_ii,
   *
   * and a path has two children: the value nearest to v (a tie takes the lower) and the next one on v's side (the lower where v
   * is a value; the other side at the end of the alphabet; none where there is no second value), each adding
   * (L_ii (w_i - q) + pull)². The `paths` cheapest children go on; equal ones in the order of their paths, then the nearer value.
   *
   * When a block of coordinates ends, the cheapest path decides the block before it, and paths that disagree there are dropped:
   * so all paths share everything up to the last block but one, and its product with L is formed once a neuron. With one path
   * this is `sweep`.
   *
   * @param paths how many are kept side by side, 1 to 64.
   * @param block coordinates a block.
   */
  walk(weights: Matrix, factor: Factor, grids: Grids, paths: number, block: number): Promise<Walked>;

  // --- refinement

  /**
   * Cyclic coordinate descent on (w-q)ᵀH(w-q), in the order of the inputs: each to the value nearest to q_i + g_i / H_ii,
   * g = H(w-q), if that move s changes the cost, s(s H_ii - 2 g_i), by less than -1e-12 H_ii s². Inputs of H_ii <= 0 stay.
   * Ends for a neuron when a sweep changes nothing of it. The costs are formed afresh from H.
   *
   * @param levels where to begin, [inputs, neurons].
   */
  descend(weights: Matrix, levels: Uint8Array, metric: Matrix64, grids: Grids, sweeps: number): Promise<Costed>;

  /**
   * `descend`, and after every input i the best joint move of i by one level and one of its neighbours by one level (in the
   * direction of its gradient once i has moved), if it lowers the cost by more than 1e-12 H_ii step². Ties take the move
   * found first: lower value of i before higher, nearer neighbour before farther.
   *
   * @param neighbours see `neighbours`, [inputs, count].
   */
  pairs(
    weights: Matrix,
    levels: Uint8Array,
    metric: Matrix64,
    grids: Grids,
    neighbours: Int32Array,
    sweeps: number,
  ): Promise<Costed>;

  // --- errors

  /**
   * ||X v||² of every neuron.
   *
   * @param inputs  X, [m, inputs].
   * @param weights v, [inputs, neurons].
   * @returns [neurons].
   */
  squaredNorms(inputs: Matrix, weights: Matrix): Promise<Float64Array>;

  /** vᵀHv of every neuron, [neurons]; never below 0. */
  metricNorms(metric: Matrix64, weights: Matrix): Promise<Float64Array>;

  // --- the kernel walk of Maly & Saab

  /**
   * R with the row space of X: the r strongest singular directions, each times its singular value, so that Xz = Xw
   * exactly when Rz = Rw, and ||R v|| = ||X v|| up to the directions left out.
   *
   * @param inputs    X, [m, inputs].
   * @param tolerance eigenvalues of XᵀX at or below this share of the largest count as zero.
   * @returns R, [rank, inputs], strongest direction first.
   */
  rowSpace(inputs: Matrix, tolerance: number): Promise<Matrix64>;

  /**
   * Moves every neuron inside its box [low, high] without changing R z, until at most rank(R) coordinates are strictly
   * inside.
   *
   * @param rowSpace R, [rank, inputs].
   * @param weights  w, [inputs, neurons], inside the box.
   * @param low      [inputs, neurons].
   * @param high     [inputs, neurons].
   */
  kernelWalk(rowSpace: Matrix64, weights: Matrix64, low: Matrix64, high: Matrix64): Promise<KernelWalk>;
}
