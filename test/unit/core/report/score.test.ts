import assert from "node:assert/strict";
import { test } from "node:test";
import { scoreOfClasses, scoreOfTokens } from "../../../../src/core/report/score";

test("top-1 and top-5 count the class's place among the outputs", () => {
  // Class 0 comes first, second, …: behind as many as `place` says.
  const rows = [0, 1, 4, 5].map(place =>
    Float32Array.from({ length: 10 }, (_, k) => (k === 0 ? 0 : k <= place ? 1 : -1)),
  );
  const { top1, top5, standardError } = scoreOfClasses(rows, [0, 0, 0, 0]);
  assert.deepEqual([top1, top5], [0.25, 0.75]);
  assert.ok(Math.abs(standardError! - Math.sqrt((0.25 * 0.75) / 4)) < 1e-12);
});

test("equal logits cost log of the vocabulary, whatever their size; a certain right answer costs nothing", () => {
  const flat = new Float32Array(3 * 8).fill(1000);
  assert.ok(Math.abs(scoreOfTokens([flat], [[0, 1, 2]]).crossEntropy! - Math.log(8)) < 1e-12);
  const sure = new Float32Array(3 * 8);
  for (const [place, target] of [4, 2, 7].entries()) sure[place * 8 + target] = 1000;
  const { crossEntropy, nextTokenAccuracy } = scoreOfTokens([sure], [[4, 2, 7]]);
  assert.deepEqual([crossEntropy, nextTokenAccuracy], [0, 1]);
});
