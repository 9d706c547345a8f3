import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bits, valuesOf } from "../../../../src/core/grid/alphabet";
import { meanGram } from "../../../../src/core/methods/damping";
import { damped } from "../../../../src/core/methods/metric";
import { walkLayer } from "../../../../src/core/methods/walk";
import { layerAlonePlan } from "../../../../src/core/methods/walkPlan";
import { layerError, linalg, matrix, midriseOf, readReference } from "./reference";

interface Golden {
  W: number[][];
  X: Record<string, number[][]>;
  cases: {
    inputs: string;
    bits: Bits;
    "max radius": number[];
    order: number[];
    auto: { radius: number[]; damping: number };
    levels: Record<string, number[][]>;
    error: Record<string, number>;
  }[];
}

const golden = readReference("golden_walk") as Golden;
const W = matrix(golden.W);

for (const { inputs, bits, "max radius": radius, order, auto, levels, error } of golden.cases) {
  const X = matrix(golden.X[inputs]!);
  const alphabets = midriseOf(bits, radius);
  const name = `${inputs}, ${bits} bits`;

  test(`the walk takes the reference's order and levels, with one path, with 16, and in pairs: ${name}`, async () => {
    const H = damped(await meanGram([X], linalg), 0.01);
    const factor = (await linalg.factor(H, await linalg.walkOrder(H)))!;
    assert.deepEqual([...factor.order], order);
    assert.deepEqual([...(await linalg.walk(W, factor, alphabets, 1, 32)).levels], levels["walk/1"]!.flat());
    const many = await linalg.walk(W, factor, alphabets, 16, 8);
    assert.deepEqual([...many.levels], levels["walk/16/8"]!.flat());
    const near = await linalg.neighbours(H, 16);
    const paired = await linalg.pairs(W, many.levels, H, alphabets, near, 4);
    assert.deepEqual([...paired.levels], levels["walk/16/8+pairs"]!.flat());
  });

  test(`the layer-alone walk chooses the reference's damping and radii, and its error: ${name}`, async () => {
    const layer = { weights: W, metric: await meanGram([X], linalg), inputs: X };
    const choice = { kind: "midrise", bits, radius: "data", roundStep: (step: number) => step } as const;
    const fit = await walkLayer(layer, choice, { ...layerAlonePlan(W.rows), rounding: false }, linalg);
    assert.equal(fit.damping, auto.damping);
    const found = await layerError(X, W, valuesOf(fit.levels, W.rows, fit.alphabets));
    assert.ok(Math.abs(found / error.auto! - 1) < 0.02, `error ${found}, reference ${error.auto}`);
    fit.alphabets.steps.forEach((step, j) => {
      const c = (step * (2 ** bits - 1)) / 2;
      assert.ok(Math.abs(c / auto.radius[j]! - 1) < 1e-9, `radius ${c}, reference ${auto.radius[j]}`);
    });
    assert.deepEqual([...fit.levels], levels.auto!.flat());
  });
}
