import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bits, valuesOf } from "../../../../src/core/grid/alphabet";
import { meanGram } from "../../../../src/core/methods/damping";
import { gpfq } from "../../../../src/core/methods/gpfq";
import { gptq, gptqFactor, PAPER } from "../../../../src/core/methods/gptq";
import { malySaab } from "../../../../src/core/methods/malySaab";
import { msq } from "../../../../src/core/methods/msq";
import { layerError, linalg, matrix, midriseOf, readReference } from "./reference";

interface Golden {
  W: number[][];
  X: Record<string, number[][]>;
  cases: {
    inputs: string;
    bits: Bits;
    radius: number[];
    levels: Record<string, number[][]>;
    error: Record<string, number>;
  }[];
}

const golden = readReference("golden") as Golden;
const W = matrix(golden.W);

for (const { inputs, bits, radius, levels, error } of golden.cases) {
  const X = matrix(golden.X[inputs]!);
  const alphabets = midriseOf(bits, radius);
  const name = `${inputs}, ${bits} bits`;

  test(`msq gives the reference's levels: ${name}`, () => {
    assert.deepEqual([...msq(W, alphabets)], levels.msq!.flat());
  });

  test(`gpfq gives the reference's levels: ${name}`, async () => {
    const metric = await meanGram([X], linalg);
    assert.deepEqual([...(await gpfq(W, metric, alphabets, linalg))], levels.gpfq!.flat());
    assert.deepEqual([...(await gpfq(W, metric, alphabets, linalg, metric))], levels.gpfq!.flat());
  });

  test(`gptq, and gptq refined, give the reference's levels: ${name}`, async () => {
    const metric = await meanGram([X], linalg);
    const { factor } = await gptqFactor(metric, PAPER, linalg);
    const found = await gptq(W, factor, alphabets, linalg);
    assert.deepEqual([...found.levels], levels.gptq!.flat());
    const refined = await linalg.descend(W, found.levels, metric, alphabets, 10);
    assert.deepEqual([...refined.levels], levels["gptq+refine"]!.flat());
  });

  for (const variant of ["range", "cell"] as const) {
    test(`${variant} leaves at most rank(X) coordinates inside and Xz = Xw: ${name}`, async () => {
      const outcome = await malySaab(W, X, alphabets, variant, linalg);
      assert.equal(outcome.rank, Math.min(X.rows, X.columns));
      assert.ok(outcome.interior <= outcome.rank, `${outcome.interior} inside, rank ${outcome.rank}`);
      assert.ok(outcome.residual < 1e-9, `residual ${outcome.residual}`);
      if (inputs === "few") {
        const reference = error[`maly-saab/${variant}`]!;
        const found = await layerError(X, W, valuesOf(outcome.levels, W.rows, alphabets));
        assert.ok(found <= 1.3 * reference, `error ${found}, reference ${reference}`);
      } else {
        assert.deepEqual([...outcome.levels], levels.msq!.flat());
      }
    });
  }
}
