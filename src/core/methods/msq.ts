import { type Alphabets, nearestLevels } from "../grid/alphabet";
import type { Matrix } from "../matrix";
import type { Quantized } from "./catalog";

/**
 * Memoryless scalar quantization: every weight to the nearest value of its neuron's alphabet, q = argmin |w - a|.
 * It looks at no data. The baseline of every comparison, and the last step of `malySaab`.
 *
 * @param weights [inputs, neurons].
 */
export function msq(weights: Matrix, _inputs: Matrix, alphabets: Alphabets): Promise<Quantized> {
  return Promise.resolve({ levels: nearestLevels(weights, alphabets), rank: null, interior: null, residual: null });
}
