import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { valuesOf } from "../../../../src/core/grid/alphabet";
import { symmetricEigen } from "../../../../src/core/linalg/eigen";
import type { Factor, Grids, Linalg } from "../../../../src/core/linalg/linalg";
import { plainLinalg } from "../../../../src/core/linalg/plain";
import { type Matrix, type Matrix64, zeros64 } from "../../../../src/core/matrix";

const linalg: Linalg = plainLinalg(() => Promise.resolve());

/** Small whole numbers make ties and singular matrices, others make everything else. */
const entry = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double({ min: -2, max: 2, noNaN: true }).map(value => (Math.abs(value) < 1e-3 ? 0 : value)),
);

const matrixOf = (rows: number, columns: number): fc.Arbitrary<Matrix64> =>
  fc
    .array(entry, { minLength: rows * columns, maxLength: rows * columns })
    .map(data => ({ rows, columns, data: Float64Array.from(data) }));

interface Layer {
  weights: Matrix64;
  inputs: Matrix64;
  grids: Grids;
}

const layer: fc.Arbitrary<Layer> = fc
  .record({
    n: fc.integer({ min: 1, max: 9 }),
    p: fc.integer({ min: 1, max: 4 }),
    m: fc.integer({ min: 1, max: 12 }),
  })
  .chain(({ n, p, m }) =>
    fc.record({
      weights: matrixOf(n, p),
      inputs: matrixOf(m, n),
      grids: fc
        .record({ levels: fc.integer({ min: 1, max: 7 }), groupInputs: fc.option(fc.integer({ min: 1, max: n })) })
        .chain(({ levels, groupInputs }) => {
          const size = p * (groupInputs === null ? 1 : Math.ceil(n / groupInputs));
          const steps = fc.constantFrom(-1, -0.3, 0, 0.25, 0.7, 1);
          const zeroPoints = fc.constantFrom(0, 0.5, 1, levels / 2);
          const many = (of: fc.Arbitrary<number>) =>
            fc.array(of, { minLength: size, maxLength: size }).map(values => Float64Array.from(values));
          return fc.record({
            levels: fc.constant(levels),
            groupInputs: fc.constant(groupInputs ?? undefined),
            steps: many(steps),
            zeroPoints: many(zeroPoints),
          });
        }),
    }),
  );

async function metricOf(inputs: Matrix64, ridge: number): Promise<Matrix64> {
  const sum = await linalg.moments(inputs.columns, 0);
  await sum.add(inputs);
  const { gram } = await sum.finish();
  for (let i = 0; i < gram.rows; i++) gram.data[i * gram.rows + i]! += ridge;
  return gram;
}

async function walkable(inputs: Matrix64): Promise<{ H: Matrix64; factor: Factor }> {
  const H = await metricOf(inputs, 0.1);
  return { H, factor: (await linalg.factor(H, await linalg.walkOrder(H)))! };
}

function errorsOf(weights: Matrix, levels: Uint8Array, grids: Grids): Matrix64 {
  const values = valuesOf(levels, weights.rows, { kind: "affine", bits: 1, ...grids });
  return { ...values, data: values.data.map((value, at) => weights.data[at]! - value) };
}

const close = (a: number, b: number, scale: number) => Math.abs(a - b) <= 1e-9 * Math.max(1, scale);

/** Column j of a matrix and of its grids. */
function alone({ weights, grids }: Layer, j: number): { weights: Matrix64; grids: Grids } {
  const p = weights.columns;
  const own = (values: Float64Array) => values.filter((_, at) => at % p === j);
  return {
    weights: { rows: weights.rows, columns: 1, data: own(weights.data) },
    grids: { ...grids, steps: own(grids.steps), zeroPoints: own(grids.zeroPoints) },
  };
}

test("sums of rows are the same in one piece and in many, and hold XᵀX, XᵀY and both sums", async () => {
  await fc.assert(
    fc.asyncProperty(matrixOf(7, 4), matrixOf(7, 3), async (X, Y) => {
      const [whole, pieces] = [await linalg.moments(4, 3), await linalg.moments(4, 3)];
      await whole.add(X, Y);
      for (let r = 0; r < 7; r++) {
        await pieces.add(
          { rows: 1, columns: 4, data: X.data.slice(r * 4, r * 4 + 4) },
          { rows: 1, columns: 3, data: Y.data.slice(r * 3, r * 3 + 3) },
        );
      }
      const moments = await whole.finish();
      assert.deepEqual(await pieces.finish(), moments);
      const transposed = zeros64(4, 7);
      for (let r = 0; r < 7; r++) for (let i = 0; i < 4; i++) transposed.data[i * 7 + r] = X.data[r * 4 + i]!;
      const product = await linalg.multiply(transposed, Y);
      assert.ok(product.data.every((value, at) => close(value, moments.cross.data[at]!, 100)));
      assert.equal(moments.rows, 7);
    }),
  );
});

test("LᵀL is H in walk order, and H times the solution is the right side", async () => {
  await fc.assert(
    fc.asyncProperty(layer, async ({ inputs, weights }) => {
      const { H, factor } = await walkable(inputs);
      const n = H.rows;
      const { order, lower } = factor;
      assert.deepEqual(
        [...order].sort((a, b) => a - b),
        [...order.keys()],
      );
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let k = 0; k < n; k++) sum += lower.data[k * n + i]! * lower.data[k * n + j]!;
          assert.ok(close(sum, H.data[order[i]! * n + order[j]!]!, 100));
          if (j > i) assert.equal(lower.data[i * n + j], 0);
        }
      }
      const back = await linalg.multiply(H, (await linalg.solve(H, weights))!);
      assert.ok(back.data.every((value, at) => Math.abs(value - weights.data[at]!) < 1e-7));
    }),
  );
});

test("a metric that is not positive definite has no factor", async () => {
  const flat = { rows: 2, columns: 2, data: Float64Array.of(1, 1, 1, 1) };
  assert.equal(await linalg.factor(flat, Int32Array.of(0, 1)), null);
  assert.equal(await linalg.solve(flat, flat), null);
  assert.equal(await linalg.factor({ ...flat, data: flat.data.fill(NaN) }, Int32Array.of(0, 1)), null);
});

test("eigenvalues are those of the rotations that also give the vectors", async () => {
  await fc.assert(
    fc.asyncProperty(layer, async ({ inputs }) => {
      const metric = await metricOf(inputs, 0);
      const found = await linalg.eigenvalues(metric);
      const { values } = symmetricEigen(metric);
      assert.ok(found.every((value, k) => close(value, values[k]!, 100 * values[0]!)));
    }),
  );
});

test("half way between two values the lower value is taken, whatever the sign of the step", async () => {
  const weights = { rows: 3, columns: 2, data: Float64Array.of(0.5, 0.5, -0.5, -0.5, 1.5, 1.5) };
  const grids = { levels: 4, steps: Float64Array.of(1, -1), zeroPoints: Float64Array.of(1, 2) };
  // Values of the first are -1, 0, 1, 2, of the second 2, 1, 0, -1.
  assert.deepEqual([...(await linalg.nearest(weights, grids))], [1, 2, 0, 3, 2, 1]);
});

test("no other level is nearer than the nearest", async () => {
  await fc.assert(
    fc.asyncProperty(layer, async ({ weights, grids }) => {
      const levels = await linalg.nearest(weights, grids);
      const distances = errorsOf(weights, levels, grids).data.map(Math.abs);
      for (let other = 0; other < grids.levels; other++) {
        const others = errorsOf(
          weights,
          levels.map(() => other),
          grids,
        ).data;
        assert.ok(others.every((e, at) => Math.abs(e) >= distances[at]! - 1e-12));
      }
      const importance = Float64Array.from({ length: weights.rows }, (_, i) => i + 1);
      const [errors] = await linalg.roundingErrors(weights, importance, [grids]);
      const total = distances.reduce(
        (sum, e, at) => sum + importance[Math.floor(at / weights.columns)]! * e * e,
        0,
      );
      assert.ok(
        close(
          errors!.reduce((a, b) => a + b, 0),
          total,
          total,
        ),
      );
    }),
  );
});

test("the cost of a walk is that of its levels, however many paths it has", async () => {
  await fc.assert(
    fc.asyncProperty(layer, async ({ inputs, weights, grids }) => {
      const { H, factor } = await walkable(inputs);
      for (const paths of [1, 2, 8]) {
        const { levels, costs } = await linalg.walk(weights, factor, grids, paths, 3);
        assert.ok(levels.every(level => level < grids.levels));
        const norms = await linalg.metricNorms(H, errorsOf(weights, levels, grids));
        assert.ok(costs.every((cost, j) => close(cost, norms[j]!, norms[j]! * 10)));
      }
    }),
  );
});

test("a walk with one path is the sweep with L_ij / L_ii", async () => {
  // Steps that are no multiple of anything: where v lies half way, two ways to add it up may round to either side.
  await fc.assert(
    fc.asyncProperty(
      matrixOf(8, 3),
      matrixOf(9, 8),
      fc.double({ min: 0.1, max: 1, noNaN: true }),
      async (w, X, s) => {
        const { factor } = await walkable(X);
        const { data } = factor.lower;
        const shares = { ...factor.lower, data: data.map((x, at) => x / data[Math.floor(at / 8) * 9]!) };
        const step = s * Math.SQRT2 + 1e-5 * Math.PI;
        const grids = {
          levels: 5,
          steps: new Float64Array(3).fill(step),
          zeroPoints: new Float64Array(3).fill(1.3),
        };
        const swept = await linalg.sweep(w, { order: factor.order, shares }, grids);
        assert.deepEqual((await linalg.walk(w, factor, grids, 1, 3)).levels, swept);
      },
    ),
  );
});

test("a walk that keeps every path finds the cheapest levels there are", async () => {
  await fc.assert(
    fc.asyncProperty(matrixOf(4, 1), matrixOf(6, 4), async (weights, inputs) => {
      const { H, factor } = await walkable(inputs);
      // Two levels: both are tried in every step, and 2^4 paths are all there are.
      const grids = { levels: 2, steps: Float64Array.of(1.1), zeroPoints: Float64Array.of(0.5) };
      const { costs } = await linalg.walk(weights, factor, grids, 16, 32);
      let least = Infinity;
      for (let code = 0; code < 16; code++) {
        const levels = Uint8Array.from({ length: 4 }, (_, i) => (code >> i) & 1);
        least = Math.min(least, (await linalg.metricNorms(H, errorsOf(weights, levels, grids)))[0]!);
      }
      assert.ok(close(costs[0]!, least, 10 * least));
    }),
  );
});

test("coordinate descent and pairs never raise the cost, and give that of their levels", async () => {
  await fc.assert(
    fc.asyncProperty(layer, async ({ inputs, weights, grids }) => {
      const { H } = await walkable(inputs);
      const start = await linalg.nearest(weights, grids);
      const before = await linalg.metricNorms(H, errorsOf(weights, start, grids));
      const near = await linalg.neighbours(H, 4);
      for (const { levels, costs } of [
        await linalg.descend(weights, start, H, grids, 10),
        await linalg.pairs(weights, start, H, grids, near, 4),
      ]) {
        assert.ok(levels.every(level => level < grids.levels));
        assert.ok(costs.every((cost, j) => cost <= before[j]! * (1 + 1e-9) + 1e-9));
        const norms = await linalg.metricNorms(H, errorsOf(weights, levels, grids));
        assert.deepEqual(costs, norms);
      }
    }),
  );
});

test("a walk that met no end of its grid costs at most its bound", async () => {
  await fc.assert(
    fc.asyncProperty(layer, async ({ inputs, weights, grids }) => {
      const { factor } = await walkable(inputs);
      const n = weights.rows;
      const p = weights.columns;
      for (const paths of [1, 3]) {
        const { costs, clipped } = await linalg.walk(weights, factor, grids, paths, 2);
        for (let j = 0; j < p; j++) {
          let bound = 0;
          factor.order.forEach((input, place) => {
            const step = grids.steps[Math.floor(input / (grids.groupInputs ?? n)) * p + j]!;
            bound += (factor.lower.data[place * (n + 1)]! * step) ** 2 / 4;
          });
          assert.ok(clipped[j] || costs[j]! <= bound * 1.0003 + 1e-9);
        }
      }
    }),
  );
});

test("a neuron alone gets the levels it gets among others", async () => {
  await fc.assert(
    fc.asyncProperty(layer, async one => {
      const { weights, inputs, grids } = one;
      const { H, factor } = await walkable(inputs);
      const near = await linalg.neighbours(H, 4);
      const feedback = { order: factor.order, shares: factor.lower };
      const loops = {
        nearest: (w: Matrix64, g: Grids) => linalg.nearest(w, g),
        sweep: (w: Matrix64, g: Grids) => linalg.sweep(w, feedback, g),
        walk: async (w: Matrix64, g: Grids) => (await linalg.walk(w, factor, g, 4, 2)).levels,
        descend: async (w: Matrix64, g: Grids) =>
          (await linalg.descend(w, await linalg.nearest(w, g), H, g, 5)).levels,
        pairs: async (w: Matrix64, g: Grids) =>
          (await linalg.pairs(w, await linalg.nearest(w, g), H, g, near, 4)).levels,
      };
      for (const loop of Object.values(loops)) {
        const together = await loop(weights, grids);
        for (let j = 0; j < weights.columns; j++) {
          const own = alone(one, j);
          const among = together.filter((_, at) => at % weights.columns === j);
          assert.deepEqual(await loop(own.weights, own.grids), among);
        }
      }
    }),
  );
});

test("neighbours are the most correlated inputs, and a dead input is correlated with none", async () => {
  const H = { rows: 3, columns: 3, data: Float64Array.of(1, 0.5, 0, 0.5, 1, 0, 0, 0, 0) };
  assert.deepEqual([...(await linalg.neighbours(H, 1))], [1, 0, 0]);
  assert.deepEqual([...(await linalg.neighbours(H, 9))], [1, 2, 0, 2, 0, 1]);
});
