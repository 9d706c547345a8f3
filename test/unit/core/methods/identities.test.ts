import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ALPHABET_KINDS, type Alphabets, valuesOf } from "../../../../src/core/grid/alphabet";
import type { Matrix64 } from "../../../../src/core/matrix";
import { align, alignedBias } from "../../../../src/core/methods/align";
import { informationLimit } from "../../../../src/core/methods/bound";
import { applyMethod, type FitOptions, mostRows } from "../../../../src/core/methods/catalog";
import { meanGram } from "../../../../src/core/methods/damping";
import { gpfq } from "../../../../src/core/methods/gpfq";
import { gptq } from "../../../../src/core/methods/gptq";
import type { Choice, Layer } from "../../../../src/core/methods/layer";
import { damped, errorsOf } from "../../../../src/core/methods/metric";
import { msq } from "../../../../src/core/methods/msq";
import { refitSteps } from "../../../../src/core/methods/refit";
import { column, layerError, linalg, matrix, total } from "./reference";

/** Numbers so small that their products vanish would test the tolerances, not the identities. */
const number = fc.double({ min: -2, max: 2, noNaN: true }).map(value => (Math.abs(value) < 1e-3 ? 0 : value));
const matrixOf = (rows: number, columns: number): fc.Arbitrary<Matrix64> =>
  fc
    .array(number, { minLength: rows * columns, maxLength: rows * columns })
    .map(data => ({ rows, columns, data: Float64Array.from(data, Math.fround) }));

const sizes = fc.record({
  n: fc.integer({ min: 1, max: 10 }),
  p: fc.integer({ min: 1, max: 4 }),
  m: fc.integer({ min: 1, max: 14 }),
});

interface Case {
  layer: Layer & { inputs: Matrix64; metric: Matrix64 };
  choice: Choice;
}

const aCase: fc.Arbitrary<Promise<Case>> = sizes.chain(({ n, p, m }) =>
  fc
    .record({
      weights: matrixOf(n, p),
      inputs: matrixOf(m, n),
      kind: fc.constantFrom(...ALPHABET_KINDS),
      bits: fc.constantFrom(1, 2, 3, 4),
      radius: fc.constantFrom("data", "mse", "max"),
      perTensor: fc.boolean(),
      groupInputs: fc.option(fc.integer({ min: 1, max: n }), { nil: undefined }),
      halfSteps: fc.boolean(),
    })
    .map(async ({ weights, inputs, ...choice }) => ({
      layer: { weights, inputs, metric: await meanGram([inputs], linalg) },
      choice: choice,
    })),
);

function identity(n: number): Matrix64 {
  return matrix(Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => (i === j ? 1 : 0))));
}

test("gptq, gpfq and the walk in the metric I are plain rounding", async () => {
  await fc.assert(
    fc.asyncProperty(aCase, async one => {
      const { layer, choice } = await one;
      const n = layer.weights.rows;
      const { alphabets } = await applyMethod(layer, choice, { method: "msq" }, linalg);
      const rounded = msq(layer.weights, alphabets);
      const factor = (await linalg.factor(
        identity(n),
        Int32Array.from({ length: n }, (_, i) => n - 1 - i),
      ))!;
      assert.deepEqual((await gptq(layer.weights, factor, alphabets, linalg)).levels, rounded);
      assert.deepEqual(await gpfq(layer.weights, identity(n), alphabets, linalg), rounded);
      const walked = await linalg.walk(layer.weights, factor, alphabets, 8, 4);
      const walkedErrors = errorsOf(layer.weights, walked.levels, alphabets).data.map(Math.abs);
      const errors = errorsOf(layer.weights, rounded, alphabets).data.map(Math.abs);
      assert.ok(walkedErrors.every((e, at) => Math.abs(e - errors[at]!) < 1e-12));
    }),
  );
});

test("refinement never raises a method's cost", async () => {
  const methods: FitOptions[] = [
    { method: "msq" },
    { method: "gptq" },
    { method: "gpfq" },
    { method: "maly-saab" },
  ];
  await fc.assert(
    fc.asyncProperty(aCase, fc.constantFrom(...methods), async (one, options) => {
      const { layer, choice } = await one;
      const plain = await applyMethod(layer, choice, options, linalg);
      const refined = await applyMethod(layer, choice, { ...options, refine: true }, linalg);
      assert.deepEqual(refined.alphabets, plain.alphabets);
      refined.costs?.forEach((cost, j) => assert.ok(cost <= plain.costs![j]! * (1 + 1e-9) + 1e-12));
    }),
  );
});

test("on the fit the walk is never worse than plain rounding by either rule", async () => {
  await fc.assert(
    fc.asyncProperty(aCase, async one => {
      const { layer, choice } = await one;
      const walked = await applyMethod(layer, choice, { method: "maly-saab" }, linalg);
      if (!walked.costs) return;
      const H = damped(layer.metric, walked.damping);
      for (const radius of ["mse", "max"] as const) {
        const { levels, alphabets } = await applyMethod(
          { ...layer, metric: null },
          { ...choice, radius },
          { method: "msq" },
          linalg,
        );
        const rounding = await linalg.metricNorms(H, errorsOf(layer.weights, levels, alphabets));
        if (choice.perTensor) assert.ok(total(walked.costs) <= total(rounding) * (1 + 1e-9) + 1e-12);
        else walked.costs.forEach((cost, j) => assert.ok(cost <= rounding[j]! * (1 + 1e-9) + 1e-12));
      }
    }),
  );
});

test("a refit of the steps never raises a cost, whatever the groups", async () => {
  await fc.assert(
    fc.asyncProperty(aCase, async one => {
      const { layer, choice } = await one;
      const exact: Choice = { ...choice, roundStep: step => step };
      const H = damped(layer.metric, 0.1);
      const { levels, alphabets } = await applyMethod(layer, exact, { method: "msq" }, linalg);
      const costsAt = (at: Alphabets) => linalg.metricNorms(H, errorsOf(layer.weights, levels, at));
      const refit = (at: Alphabets) => refitSteps(layer.weights, levels, at, H, exact, -Infinity, linalg);
      const [before, after] = [await costsAt(alphabets), await costsAt(await refit(alphabets))];
      const scale = 1 + total(before);
      if (choice.perTensor) assert.ok(total(after) <= total(before) + 1e-9 * scale);
      else after.forEach((cost, j) => assert.ok(cost <= before[j]! + 1e-9 * scale));
    }),
  );
});

test("given alphabets are used as they are, by every method", async () => {
  const methods: FitOptions[] = [
    { method: "msq" },
    { method: "gptq" },
    { method: "gpfq", refine: true },
    { method: "maly-saab" },
    { method: "maly-saab", variant: "cell" },
  ];
  await fc.assert(
    fc.asyncProperty(aCase, fc.constantFrom(...methods), async (one, options) => {
      const { layer, choice } = await one;
      const { alphabets: given } = await applyMethod({ ...layer, metric: null }, choice, { method: "msq" }, linalg);
      const fit = await applyMethod(layer, { ...choice, radius: "data", given }, options, linalg);
      assert.deepEqual(fit.alphabets, given);
    }),
  );
});

test("damping and paths may be asked for, and the damping used is told", async () => {
  const inputs = matrix(
    Array.from({ length: 9 }, (_, r) => [Math.sin(r), Math.cos(2 * r), Math.sin(r) + 0.1 * Math.cos(r)]),
  );
  const layer = { weights: matrix([[0.3], [-1], [0.7]]), inputs, metric: await meanGram([inputs], linalg) };
  const choice = { kind: "affine", bits: 2, radius: "data" } as const;
  for (const options of [
    { method: "gptq" },
    { method: "maly-saab" },
    { method: "maly-saab", plan: "layer-alone" },
  ] as const) {
    const fit = await applyMethod(layer, choice, { ...options, damping: 0.25, paths: 2 }, linalg);
    assert.equal(fit.damping, 0.25);
  }
  assert.equal((await applyMethod(layer, choice, { method: "maly-saab" }, linalg)).damping, 0.1);
  assert.equal((await applyMethod(layer, choice, { method: "gptq" }, linalg)).damping, 0.01);
});

test("every method's costs are at most its bound, and are those of its levels", async () => {
  const methods: FitOptions[] = [
    { method: "msq" },
    { method: "gptq" },
    { method: "maly-saab" },
    { method: "maly-saab", variant: "cell" },
    { method: "maly-saab", variant: "range" },
  ];
  await fc.assert(
    fc.asyncProperty(aCase, fc.constantFrom(...methods), async (one, options) => {
      const { layer, choice } = await one;
      const fit = await applyMethod(layer, choice, options, linalg);
      if (!fit.costs) return;
      const H = fit.damping > 0 ? damped(layer.metric, fit.damping) : layer.metric;
      const norms = await linalg.metricNorms(H, errorsOf(layer.weights, fit.levels, fit.alphabets));
      const scale = 1 + total(norms);
      fit.costs.forEach((cost, j) => assert.ok(Math.abs(cost - norms[j]!) < 1e-9 * scale));
      if (fit.bound !== null) assert.ok(total(fit.costs) <= fit.bound + 1e-9 * scale);
    }),
  );
});

test("a neuron alone is quantized as among others, where nothing is chosen for the layer as a whole", async () => {
  const methods: FitOptions[] = [
    { method: "msq" },
    { method: "gptq" },
    { method: "gpfq", refine: true },
    { method: "maly-saab" },
    { method: "maly-saab", variant: "cell" },
  ];
  await fc.assert(
    fc.asyncProperty(aCase, fc.constantFrom(...methods), async (one, options) => {
      const { layer, choice: any } = await one;
      const choice: Choice = { ...any, perTensor: false, radius: any.radius === "data" ? "mse" : any.radius };
      const together = await applyMethod(layer, choice, options, linalg);
      for (let j = 0; j < layer.weights.columns; j++) {
        const alone = await applyMethod({ ...layer, weights: column(layer.weights, j) }, choice, options, linalg);
        const among = together.levels.filter((_, at) => at % layer.weights.columns === j);
        assert.deepEqual(alone.levels, among);
      }
    }),
  );
});

test("gpfq follows the float network's path: with both inputs it is the recursion of the paper", async () => {
  await fc.assert(
    fc.asyncProperty(matrixOf(9, 5), matrixOf(9, 5), matrixOf(5, 2), async (X, seen, W) => {
      const sum = await linalg.moments(5, 5);
      await sum.add(seen, X);
      const { gram, cross } = await sum.finish();
      const alphabets: Alphabets = {
        kind: "midrise",
        bits: 2,
        levels: 4,
        steps: Float64Array.of(0.7, 0.9),
        zeroPoints: Float64Array.of(1.5, 1.5),
      };
      const values = valuesOf(await gpfq(W, gram, alphabets, linalg, cross), 5, alphabets);
      for (let j = 0; j < 2; j++) {
        const u = new Float64Array(9);
        for (let t = 0; t < 5; t++) {
          let [along, energy] = [0, 0];
          for (let r = 0; r < 9; r++) {
            along += seen.data[r * 5 + t]! * (u[r]! + W.data[t * 2 + j]! * X.data[r * 5 + t]!);
            energy += seen.data[r * 5 + t]! ** 2;
          }
          const v = energy > 0 ? along / energy : W.data[t * 2 + j]!;
          const q = values.data[t * 2 + j]!;
          const step = alphabets.steps[j]!;
          // The nearest value, whatever a tie does.
          const wanted = Math.min(Math.max(v, -1.5 * step), 1.5 * step);
          assert.ok(Math.abs(q - wanted) <= step / 2 + 1e-6 * (1 + Math.abs(v)), `${q} for ${v}`);
          for (let r = 0; r < 9; r++) u[r]! += W.data[t * 2 + j]! * X.data[r * 5 + t]! - q * seen.data[r * 5 + t]!;
        }
      }
    }),
  );
});

test("alignment changes nothing where the inputs are the float network's, and the bias takes the mean exactly", async () => {
  await fc.assert(
    fc.asyncProperty(matrixOf(12, 4), matrixOf(4, 3), matrixOf(4, 3), async (X, W, values) => {
      const Y = await linalg.multiply(X, W);
      const sum = await linalg.moments(4, 3);
      await sum.add(X, Y);
      const moments = await sum.finish();
      for (const centred of [true, false]) {
        const alignment = await align(moments, W, centred, linalg);
        assert.ok(alignment.target.data.every((w, at) => Math.abs(w - W.data[at]!) < 1e-8));
        if (!centred) continue;
        const bias = alignedBias(alignment, values);
        const output = await linalg.multiply(X, values);
        for (let j = 0; j < 3; j++) {
          const mean = (of: Matrix64) => total(column(of, j).data) / 12;
          assert.ok(Math.abs(mean(output) + bias[j]! - mean(Y)) < 1e-9);
        }
      }
    }),
  );
});

test("inputs that say nothing leave the weights as they are", async () => {
  const W = matrix([[0.3], [-0.2]]);
  const sum = await linalg.moments(2, 1);
  await sum.add(matrix([[0, 0]]), matrix([[5]]));
  const { target, ridge } = await align(await sum.finish(), W, true, linalg);
  assert.deepEqual([...target.data].map(Math.fround), [...W.data].map(Math.fround));
  assert.equal(ridge, 6);
});

test("the information limit of equal directions is variance times 4^-bits, and unequal ones share the water", () => {
  const unit = matrix([[1], [-1]]);
  assert.ok(Math.abs(informationLimit(Float64Array.of(1, 1), unit, 4) - 2 / 16) < 1e-12);
  // 2 bits in all: the weak direction (2^-8 of the strong one) gets none, the strong one both.
  assert.ok(Math.abs(informationLimit(Float64Array.of(1, 2 ** -8), unit, 2) - (1 / 16 + 2 ** -8)) < 1e-12);
  assert.ok(Math.abs(informationLimit(Float64Array.of(1, 1, 0), matrix([[1], [1], [1]]), 2) - 2 / 8) < 1e-12);
  assert.equal(informationLimit(Float64Array.of(3, 1), unit, 1), 4);
});

test("a method by its name, at given alphabets, gives levels of them", async () => {
  await fc.assert(
    fc.asyncProperty(aCase, async one => {
      const { layer, choice } = await one;
      const { alphabets } = await applyMethod(
        { ...layer, metric: null },
        { ...choice, perTensor: false },
        { method: "msq" },
        linalg,
      );
      for (const [name, variant] of [
        ["msq", "auto"],
        ["gptq", "auto"],
        ["gpfq", "auto"],
        ["maly-saab", "auto"],
        ["maly-saab", "cell"],
      ] as const) {
        const { levels } = await applyMethod(
          layer,
          { ...choice, perTensor: false, given: alphabets },
          { method: name, variant },
          linalg,
        );
        assert.ok(levels.every(level => level < alphabets.levels));
        const error = await layerError(
          layer.inputs,
          layer.weights,
          valuesOf(levels, layer.weights.rows, alphabets),
        );
        assert.ok(!Number.isNaN(error) || total(await linalg.squaredNorms(layer.inputs, layer.weights)) === 0);
      }
    }),
    { numRuns: 30 },
  );
});

test("only the pre-processing in the kernel wants few rows", () => {
  assert.equal(mostRows("maly-saab", 100, "range"), 25);
  assert.equal(mostRows("maly-saab", 100, "auto"), Infinity);
  assert.equal(mostRows("gptq", 100, "cell"), Infinity);
});
