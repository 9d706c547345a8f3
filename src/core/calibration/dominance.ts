import type { Matrix } from "../matrix";

/** More than this share of an input's energy from one sample, and the fit knows the sample rather than the input. */
const MOST = 0.5;
/** With fewer samples one of them carries most of something as a matter of course. */
const LEAST_SAMPLES = 10;
/** Inputs of less than this share of the mean energy cost little either way: the border of a picture, say. */
const LIVE = 0.1;

/**
 * How many inputs get most of their energy from a single sample. On other samples such inputs may be far larger, and no
 * method that trusts the data can know (walk.md, section 9).
 *
 * @param inputs  X, [rows, inputs].
 * @param samples the sample of each row, [rows], rows of a sample side by side.
 */
export function dominatedInputs({ rows, columns, data }: Matrix, samples: Int32Array): number {
  const total = new Float64Array(columns);
  const largest = new Float64Array(columns);
  let count = 0;
  for (let start = 0; start < rows; count++) {
    let end = start;
    const ofSample = new Float64Array(columns);
    for (; end < rows && samples[end] === samples[start]; end++) {
      for (let i = 0; i < columns; i++) ofSample[i]! += data[end * columns + i]! ** 2;
    }
    for (let i = 0; i < columns; i++) {
      total[i]! += ofSample[i]!;
      largest[i] = Math.max(largest[i]!, ofSample[i]!);
    }
    start = end;
  }
  if (count < LEAST_SAMPLES) return 0;
  const mean = total.reduce((sum, energy) => sum + energy, 0) / Math.max(1, columns);
  return total.filter((energy, i) => energy > LIVE * mean && largest[i]! > MOST * energy).length;
}
