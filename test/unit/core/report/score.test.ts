import assert from "node:assert/strict";
import { test } from "node:test";
import { type Scoring, scoringOfClasses, scoringOfTokens } from "../../../../src/core/report/score";

function scoreOf<Wanted>(scoring: Scoring<Wanted>, rows: readonly Float32Array[], wanted: readonly Wanted[]) {
  rows.forEach((row, sample) => scoring.add(row, wanted[sample]!));
  return scoring.score();
}

test("top-1 and top-5 count the class's place among the outputs", () => {
  // Class 0 comes first, second, …: behind as many as `place` says.
  const rows = [0, 1, 4, 5].map(place =>
    Float32Array.from({ length: 10 }, (_, k) => (k === 0 ? 0 : k <= place ? 1 : -1)),
  );
  const { top1, top5, standardError } = scoreOf(scoringOfClasses(), rows, [0, 0, 0, 0]);
  assert.deepEqual([top1, top5], [0.25, 0.75]);
  assert.ok(Math.abs(standardError! - Math.sqrt((0.25 * 0.75) / 4)) < 1e-12);
});

test("equal logits cost log of the vocabulary, whatever their size; a certain right answer costs nothing", () => {
  const flat = new Float32Array(3 * 8).fill(1000);
  assert.ok(Math.abs(scoreOf(scoringOfTokens(), [flat], [[0, 1, 2]]).crossEntropy! - Math.log(8)) < 1e-12);
  const sure = new Float32Array(3 * 8);
  for (const [place, target] of [4, 2, 7].entries()) sure[place * 8 + target] = 1000;
  const { crossEntropy, nextTokenAccuracy } = scoreOf(scoringOfTokens(), [sure], [[4, 2, 7]]);
  assert.deepEqual([crossEntropy, nextTokenAccuracy], [0, 1]);
});

test("the standard error of a cross-entropy is that of the samples' means", () => {
  const losses = [0.5, 2, 1, 3.25];
  // Two tokens, of which the first has the loss wanted: log(1 + e^x) = loss.
  const rows = losses.map(loss => Float32Array.of(0, Math.log(Math.exp(loss) - 1)));
  const { crossEntropy, standardError } = scoreOf(
    scoringOfTokens(),
    rows,
    losses.map(() => [0]),
  );
  const mean = losses.reduce((sum, one) => sum + one, 0) / losses.length;
  const variance = losses.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (losses.length - 1);
  assert.ok(Math.abs(crossEntropy! - mean) < 1e-6);
  assert.ok(Math.abs(standardError! - Math.sqrt(variance / losses.length)) < 1e-6);
});
