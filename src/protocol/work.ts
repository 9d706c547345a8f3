/**
 * How much of a run is done, 0..1. The time of a layer grows with its weights, and with the forward passes that lead to it:
 * half of the work is counted by bytes, half by layers.
 *
 * @param done of each layer, 0..1.
 */
export function shareDone(bytes: readonly number[], done: readonly number[]): number {
  const total = bytes.reduce((sum, size) => sum + size, 0);
  if (total === 0) return 0;
  return bytes.reduce((sum, size, k) => sum + (done[k] ?? 0) * (size / total + 1 / bytes.length) * 0.5, 0);
}
