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

/** A score of samples that are not all there at once. */
export interface Scoring<Wanted> {
  /**
   * @param row    what the model answered for a sample.
   * @param wanted what it should have.
   */
  add(row: Float32Array, wanted: Wanted): void;
  score(): Score;
}

/** Of rows [classes] against the class of each sample. */
export function scoringOfClasses(): Scoring<number> {
  let [first, amongTop, samples] = [0, 0, 0];
  return {
    add(row, wanted) {
      const larger = row.reduce((count, value) => (value > row[wanted]! ? count + 1 : count), 0);
      if (largestAt(row, 0, row.length) === wanted) first++;
      if (larger < TOP) amongTop++;
      samples++;
    },
    score() {
      const top1 = first / samples;
      return { top1, top5: amongTop / samples, standardError: Math.sqrt((top1 * (1 - top1)) / samples) };
    },
  };
}

/** Of rows of logits [tokens, vocabulary] against what should follow each token, [tokens]. */
export function scoringOfTokens(): Scoring<readonly number[]> {
  let [right, tokens, samples] = [0, 0, 0];
  // Mean and squared distances from it, as they are after each sample (Welford 1962).
  let [mean, squares] = [0, 0];
  return {
    add(row, wanted) {
      const vocabulary = row.length / wanted.length;
      let sum = 0;
      wanted.forEach((target, place) => {
        const start = place * vocabulary;
        sum += logSumExp(row, start, vocabulary) - row[start + target]!;
        if (largestAt(row, start, vocabulary) === target) right++;
      });
      tokens += wanted.length;
      samples++;
      const loss = sum / wanted.length;
      const before = mean;
      mean += (loss - mean) / samples;
      squares += (loss - before) * (loss - mean);
    },
    score: () => ({
      crossEntropy: mean,
      nextTokenAccuracy: right / tokens,
      standardError: Math.sqrt(squares / Math.max(1, samples - 1) / samples),
    }),
  };
}
