import { largestAt, logSumExp } from "./measure";

/** How good a model's answers are; the keys that apply. Shares are 0..1, cross-entropies in nats. */
export interface Score {
  readonly top1?: number;
  readonly top5?: number;
  /** Mean of -log p(target), with p the softmax of the outputs. */
  readonly crossEntropy?: number;
  readonly nextTokenAccuracy?: number;
  /** Of top1, or of the cross-entropy over samples. */
  readonly standardError?: number;
}

const TOP = 5;

/**
 * @param rows    one a sample, [classes].
 * @param classes of the samples.
 */
export function scoreOfClasses(rows: readonly Float32Array[], classes: readonly number[]): Score {
  let [first, amongTop] = [0, 0];
  rows.forEach((row, sample) => {
    const wanted = row[classes[sample]!]!;
    if (largestAt(row, 0, row.length) === classes[sample]) first++;
    if (row.filter(value => value > wanted).length < TOP) amongTop++;
  });
  const top1 = first / rows.length;
  return { top1, top5: amongTop / rows.length, standardError: Math.sqrt((top1 * (1 - top1)) / rows.length) };
}

/**
 * @param rows    one a sample, logits [tokens, vocabulary].
 * @param targets of the samples, [tokens]: what should follow.
 */
export function scoreOfTokens(rows: readonly Float32Array[], targets: readonly (readonly number[])[]): Score {
  let [right, count] = [0, 0];
  const means = rows.map((row, sample) => {
    const wanted = targets[sample]!;
    const vocabulary = row.length / wanted.length;
    let sum = 0;
    wanted.forEach((target, place) => {
      const start = place * vocabulary;
      sum += logSumExp(row, start, vocabulary) - row[start + target]!;
      if (largestAt(row, start, vocabulary) === target) right++;
    });
    count += wanted.length;
    return sum / wanted.length;
  });
  const mean = means.reduce((sum, one) => sum + one, 0) / means.length;
  const variance = means.reduce((sum, one) => sum + (one - mean) ** 2, 0) / Math.max(1, means.length - 1);
  return {
    crossEntropy: mean,
    nextTokenAccuracy: right / count,
    standardError: Math.sqrt(variance / means.length),
  };
}
