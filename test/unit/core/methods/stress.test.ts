import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_BITS, ALPHABET_KINDS } from "../../../../src/core/grid/alphabet";
import type { Matrix } from "../../../../src/core/matrix";
import { applyMethod, type FitOptions } from "../../../../src/core/methods/catalog";
import { meanGram } from "../../../../src/core/methods/damping";
import { type Choice, type Fit, type Layer, RADIUS_CHOICES } from "../../../../src/core/methods/layer";
import { errorsOf } from "../../../../src/core/methods/metric";
import { linalg, total } from "./reference";

/** A seeded generator of numbers in -1 .. 1. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

function filled(rows: number, columns: number, entry: (i: number, j: number) => number): Matrix {
  const data = Float32Array.from({ length: rows * columns }, (_, at) =>
    entry(Math.floor(at / columns), at % columns),
  );
  return { rows, columns, data };
}

const next = seeded(5);
const [n, p, m] = [12, 3, 40];
const anyWeights = filled(n, p, next);
const anyInputs = filled(m, n, next);
const correlated = filled(m, 3, next);

const layers: Record<string, { weights: Matrix; inputs: Matrix }> = {
  "dead inputs": { weights: anyWeights, inputs: filled(m, n, (_, i) => (i % 3 === 0 ? 0 : next())) },
  "no live input": { weights: anyWeights, inputs: filled(m, n, () => 0) },
  "the same row over and over": { weights: anyWeights, inputs: filled(m, n, (_, i) => anyInputs.data[i]!) },
  "inputs that are copies": { weights: anyWeights, inputs: filled(m, n, r => anyInputs.data[r]!) },
  "rank 3": {
    weights: anyWeights,
    inputs: filled(m, n, (r, i) => correlated.data[r * 3 + (i % 3)]! * (i + 1)),
  },
  "one neuron": { weights: filled(n, 1, next), inputs: anyInputs },
  "one input": { weights: filled(1, p, next), inputs: filled(m, 1, next) },
  "one input, one neuron, one row": { weights: filled(1, 1, next), inputs: filled(1, 1, next) },
  "one row": { weights: anyWeights, inputs: filled(1, n, next) },
  "inputs of sizes from 1 to 1e-8": {
    weights: anyWeights,
    inputs: filled(m, n, (_, i) => next() * 10 ** ((-8 * i) / n)),
  },
  "constant weights": { weights: filled(n, p, () => 0.3), inputs: anyInputs },
  "zero weights": { weights: filled(n, p, () => 0), inputs: anyInputs },
  "weights of one sign": { weights: filled(n, p, () => 1 + 0.1 * next()), inputs: anyInputs },
  "a weight of 1e4 times the others": {
    weights: filled(n, p, (i, j) => next() * (i === 2 && j === 1 ? 1e4 : 1)),
    inputs: anyInputs,
  },
  "an input of 1e4 times the others": {
    weights: anyWeights,
    inputs: filled(m, n, r => next() * (r === 7 ? 1e4 : 1)),
  },
  "tiny weights": { weights: filled(n, p, () => 1e-30 * next()), inputs: anyInputs },
  "huge inputs": { weights: anyWeights, inputs: filled(m, n, () => 1e15 * next()) },
};

const methods: FitOptions[] = [
  { method: "msq" },
  { method: "gptq" },
  { method: "gptq", damping: 0, byEnergy: false },
  { method: "gpfq", refine: true },
  { method: "maly-saab" },
  { method: "maly-saab", plan: "layer-alone", refine: true },
  { method: "maly-saab", variant: "cell" },
  { method: "maly-saab", variant: "range" },
];

const shapes: Omit<Choice, "kind" | "bits">[] = [
  ...RADIUS_CHOICES.map(radius => ({ radius })),
  { radius: "data", perTensor: true },
  { radius: "data", groupInputs: 5, halfSteps: true },
];

async function checkFit(layer: Layer, fit: Fit, choice: Choice, what: string): Promise<void> {
  const { weights, metric } = layer;
  const groups = choice.groupInputs ? Math.ceil(weights.rows / choice.groupInputs) : 1;
  assert.equal(fit.levels.length, weights.rows * weights.columns, what);
  assert.equal(fit.alphabets.steps.length, groups * weights.columns, what);
  assert.ok(
    fit.levels.every(level => level < fit.alphabets.levels),
    `${what}: a level beyond its alphabet`,
  );
  for (const numbers of [fit.alphabets.steps, fit.alphabets.zeroPoints, fit.costs ?? []]) {
    assert.ok(Array.from(numbers).every(Number.isFinite), `${what}: not finite`);
  }
  assert.ok(
    fit.alphabets.steps.every(step => step === Math.fround(step)),
    `${what}: a step no float32 holds`,
  );
  if (choice.perTensor) assert.equal(new Set(fit.alphabets.steps).size, 1, what);
  assert.ok(errorsOf(weights, fit.levels, fit.alphabets).data.every(Number.isFinite), what);
  if (fit.costs && metric) {
    const largest = total(await linalg.metricNorms(metric, weights));
    if (fit.bound !== null) {
      const noise = 1e-9 * (largest + fit.bound);
      assert.ok(
        total(fit.costs) <= fit.bound * (1 + 1e-9) + noise,
        `${what}: ${total(fit.costs)} above its bound ${fit.bound}`,
      );
    }
  }
}

for (const [name, { weights, inputs }] of Object.entries(layers)) {
  for (const options of methods) {
    const method = JSON.stringify(options).replaceAll('"', "");
    test(`every alphabet ends in valid codes and a finite error: ${name}, ${method}`, async () => {
      const layer = { weights, inputs, metric: await meanGram([inputs], linalg) };
      for (const kind of ALPHABET_KINDS) {
        for (const bits of [1, 3] as const) {
          for (const shape of shapes) {
            const choice = { kind, bits, ...shape };
            const fit = await applyMethod(layer, choice, options, linalg);
            await checkFit(layer, fit, choice, JSON.stringify(choice));
          }
        }
      }
    });
  }
}

test("without data every method rounds, at every number of bits", async () => {
  for (const options of methods) {
    for (const bits of ALL_BITS) {
      const choice = { kind: "affine", bits, radius: "data", halfSteps: true } as const;
      const fit = await applyMethod({ weights: anyWeights, metric: null }, choice, options, linalg);
      await checkFit({ weights: anyWeights, metric: null }, fit, choice, JSON.stringify(options));
      assert.deepEqual(fit.levels, await linalg.nearest(anyWeights, fit.alphabets));
      assert.equal(fit.costs, null);
    }
  }
});
