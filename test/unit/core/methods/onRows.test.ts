import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { aimAt, type AimChoice } from "../../../../src/core/aim";
import { ALPHABET_KINDS } from "../../../../src/core/grid/alphabet";
import type { Matrix, Matrix64 } from "../../../../src/core/matrix";
import { align } from "../../../../src/core/methods/align";
import { alignOnRows } from "../../../../src/core/methods/alignOnRows";
import { applyMethod, type FitOptions } from "../../../../src/core/methods/catalog";
import { meanGram } from "../../../../src/core/methods/damping";
import { errorsOf } from "../../../../src/core/methods/metric";
import { neuronPieces } from "../../../../src/core/methods/neurons";
import { layerErrorInMetric, layerErrorOnRows } from "../../../../src/core/report/measure";
import { seeded } from "../../../../src/core/random";
import { linalg, total } from "./reference";

// A layer weighed by the rows themselves is the layer weighed by the C those rows make: no number but the rounding of sums hangs
// on which of the two it is.

const number = fc.double({ min: -2, max: 2, noNaN: true }).map(value => (Math.abs(value) < 1e-3 ? 0 : value));
const matrixOf = (rows: number, columns: number): fc.Arbitrary<Matrix<Float32Array>> =>
  fc
    .array(number, { minLength: rows * columns, maxLength: rows * columns })
    .map(data => ({ rows, columns, data: Float32Array.from(data) }));
const close = (found: ArrayLike<number>, wanted: ArrayLike<number>, what: string): void => {
  const size = Math.max(1e-3, ...Array.from(wanted, Math.abs));
  for (let at = 0; at < wanted.length; at++)
    assert.ok(Math.abs(found[at]! - wanted[at]!) <= 1e-5 * size, `${what}: ${found[at]} and ${wanted[at]}`);
};

const layers = fc
  .record({
    n: fc.integer({ min: 1, max: 12 }),
    p: fc.integer({ min: 1, max: 4 }),
    m: fc.integer({ min: 2, max: 9 }),
  })
  .chain(({ n, p, m }) =>
    fc.record({ weights: matrixOf(n, p), float: matrixOf(m, n), seen: matrixOf(m, n), response: matrixOf(m, p) }),
  );

test("weights are aligned on the rows as in their second moments", async () => {
  await fc.assert(
    fc.asyncProperty(layers, fc.boolean(), async ({ weights, seen, response }, centred) => {
      const sums = await linalg.moments(weights.rows, weights.columns);
      await sums.add(seen, response);
      const wanted = await align(await sums.finish(), weights, centred, linalg);
      const found = await alignOnRows(seen, response, weights, centred, linalg);
      assert.equal(found.ridge, wanted.ridge);
      close(found.target.data, wanted.target.data, "target");
      close(found.inputMeans, wanted.inputMeans, "means of the inputs");
      close(found.targetMeans, wanted.targetMeans, "means of the targets");
      close((await meanGram([found.inputs], linalg)).data, wanted.metric.data, "metric");
    }),
  );
});

test("rounding costs the same on the rows as in their metric, and its bound holds", async () => {
  const grids = fc.record({
    kind: fc.constantFrom(...ALPHABET_KINDS),
    bits: fc.constantFrom(2, 3, 4),
    radius: fc.constantFrom("mse", "max"),
    perTensor: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(layers, grids, async ({ weights, seen }, choice) => {
      const options: FitOptions = { method: "msq" };
      const metric = await meanGram([seen], linalg);
      const inMetric = await applyMethod({ weights, metric }, choice, options, linalg);
      const onRows = await applyMethod({ weights, metric: null, inputs: seen }, choice, options, linalg);
      assert.deepEqual(onRows.levels, inMetric.levels);
      close(onRows.costs!, inMetric.costs!, "costs");
      assert.equal(onRows.bound === null, inMetric.bound === null);
      if (onRows.bound === null) return;
      assert.ok(onRows.bound >= inMetric.bound! * (1 - 1e-9), `${onRows.bound} and ${inMetric.bound}`);
      assert.ok(total(onRows.costs!) <= onRows.bound * (1 + 1e-9) + 1e-12);
    }),
  );
});

test("the radius that rounding finds on the rows costs no more there than the widest", async () => {
  await fc.assert(
    fc.asyncProperty(layers, async ({ weights, seen }) => {
      const choice = { kind: "symmetric", bits: 4, perTensor: false } as const;
      const at = (radius: "data" | "max") =>
        applyMethod({ weights, metric: null, inputs: seen }, { ...choice, radius }, { method: "msq" }, linalg);
      const [found, widest] = [await at("data"), await at("max")];
      const norms = await linalg.squaredNorms(seen, errorsOf(weights, found.levels, found.alphabets));
      close(
        found.costs!,
        norms.map(norm => norm / seen.rows),
        "costs",
      );
      assert.ok(found.alphabets.steps.every((step, j) => step >= 0 && step <= 2 * widest.alphabets.steps[j]!));
    }),
  );
});

const random = seeded(5);
const some = (rows: number, columns: number): Matrix<Float32Array> => ({
  rows,
  columns,
  data: Float32Array.from({ length: rows * columns }, () => random() - 0.4),
});

/** More inputs than those up to which C is always made, and few rows. */
const [n, p, m] = [1030, 3, 11];
const wide = {
  weights: some(n, p),
  bias: some(1, p).data,
  rows: {
    float: some(m, n),
    seen: some(m, n),
    added: { seen: some(m, p), missing: some(m, p) },
    range: { low: 0, high: Infinity },
  },
};

test("of a wide layer with few rows C is made for the methods that walk in it, and for no other", async () => {
  const choice: AimChoice = { target: "float", centre: true, oneSided: true };
  const isOnRows = async (options: FitOptions) =>
    "rows" in (await aimAt({ ...choice, ...options }, wide.weights, wide.bias, wide.rows, linalg)).weighing;
  assert.ok(await isOnRows({ method: "msq" }));
  assert.ok(await isOnRows({ method: "maly-saab", variant: "cell" }));
  for (const options of [{ method: "msq", refine: true }, { method: "gptq" }, { method: "maly-saab" }] as const)
    assert.ok(!(await isOnRows(options)));
});

for (const target of ["float", "quantized"] as const) {
  test(`what a wide layer loses on its rows is what it loses in their metric (target ${target})`, async () => {
    const choice = { target, centre: target === "float", oneSided: true };
    const { weights, bias, rows } = wide;
    const onRows = await aimAt({ ...choice, method: "msq" }, weights, bias, rows, linalg);
    const inMetric = await aimAt({ ...choice, method: "gptq" }, weights, bias, rows, linalg);
    close(onRows.squares, inMetric.squares, "squares");
    close(onRows.target.data, inMetric.target.data, "target");
    assert.ok("rows" in onRows.weighing && "metric" in inMetric.weighing);
    const quantized: Matrix64 = { ...weights, data: Float64Array.from(weights.data, w => Math.round(8 * w) / 8) };
    const both = { target: onRows.target, quantized };
    const found = await layerErrorOnRows(onRows.weighing.rows, onRows.squares, both, linalg);
    const wanted = await layerErrorInMetric(inMetric.weighing.metric, m, inMetric.squares, both, linalg);
    for (const part of ["difference", "size"] as const)
      close(
        found.map(one => one[part]),
        wanted.map(one => one[part]),
        part,
      );
  });
}

test("pieces of neurons are all of them, once and in order, and one piece of a small layer", () => {
  for (const [inputs, neurons] of [
    [16384, 3000],
    [40960, 513],
    [9, 200_000],
    [0, 3],
  ] as const) {
    let end = 0;
    for (const { from, to } of neuronPieces(inputs, neurons)) {
      assert.equal(from, end);
      assert.ok(to > from);
      end = to;
    }
    assert.equal(end, neurons);
  }
  assert.deepEqual([...neuronPieces(4096, 1000)], [{ from: 0, to: 1000 }]);
});
