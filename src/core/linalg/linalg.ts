import type { Matrix, Matrix64 } from "../matrix";

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

  /**
   * ||X v||² of every neuron.
   *
   * @param inputs  X, [m, inputs].
   * @param weights v, [inputs, neurons].
   * @returns [neurons].
   */
  squaredNorms(inputs: Matrix, weights: Matrix): Promise<Float64Array>;
}
