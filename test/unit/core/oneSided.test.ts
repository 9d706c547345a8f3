import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { aimAt } from "../../../src/core/aim";
import type { GroupRows } from "../../../src/core/calibration/rows";
import type { SeenRange } from "../../../src/core/graph/cutOffs";
import type { Matrix } from "../../../src/core/matrix";
import { alignedBias } from "../../../src/core/methods/align";
import { meanGram } from "../../../src/core/methods/damping";
import { meanDiagonal } from "../../../src/core/methods/metric";
import { linalg } from "./methods/reference";

const [m, n, p] = [40, 4, 3];
const choice = { target: "float", centre: true, oneSided: true, method: "maly-saab" } as const;

const number = fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround);
const numbers = (count: number): fc.Arbitrary<Float32Array> =>
  fc.array(number, { minLength: count, maxLength: count }).map(data => Float32Array.from(data));
const matrixOf = (rows: number, columns: number): fc.Arbitrary<Matrix<Float32Array>> =>
  numbers(rows * columns).map(data => ({ rows, columns, data }));

const aCase = fc.record({
  float: matrixOf(m, n),
  seen: matrixOf(m, n),
  weights: matrixOf(n, p),
  bias: numbers(p),
  added: fc.option(fc.record({ seen: matrixOf(m, p), missing: matrixOf(m, p) }), { nil: undefined }),
  range: fc.constantFrom<SeenRange>({ low: 0, high: Infinity }, { low: 0, high: 1 }, { low: -Infinity, high: 0.5 }),
  centre: fc.boolean(),
});
type Case = typeof aCase extends fc.Arbitrary<infer Value> ? Value : never;

const aimed = (one: Case, range: SeenRange | null) => {
  const rows: GroupRows = { float: one.float, seen: one.seen, added: one.added, range };
  return aimAt({ ...choice, centre: one.centre }, one.weights, one.bias, rows, linalg);
};

const clipped = (value: number, { low, high }: SeenRange): number => Math.min(high, Math.max(low, value));

/** What one alignment leaves: the squares of what can be seen of too little or too much asked, and its ridge. */
async function left(one: Case, range: SeenRange | null): Promise<number> {
  const { target, alignment, weighing, ridge } = await aimed(one, range);
  const shift = alignedBias(alignment!, alignment!.target);
  const wanted = await linalg.multiply(one.float, one.weights);
  const found = await linalg.multiply(one.seen, target);
  let sum = 0;
  for (let at = 0; at < m * p; at++) {
    const bias = one.bias[at % p]!;
    const y = wanted.data[at]! + bias + (one.added ? one.added.seen.data[at]! + one.added.missing.data[at]! : 0);
    const now = found.data[at]! + shift[at % p]! + bias + (one.added?.seen.data[at] ?? 0);
    const { low, high } = one.range;
    const nearest = y <= low ? Math.min(now, low) : y >= high ? Math.max(now, high) : y;
    sum += (now - nearest) ** 2 / m;
    // What can be seen of a difference is never more than that.
    assert.ok(Math.abs(clipped(now, one.range) - clipped(y, one.range)) <= Math.abs(now - nearest) + 1e-12);
  }
  const pull =
    ridge! * meanDiagonal("metric" in weighing ? weighing.metric : await meanGram([weighing.rows], linalg));
  one.weights.data.forEach((w, at) => (sum += pull * (target.data[at]! - w) ** 2));
  return sum;
}

test("asking for no more than can be seen leaves less of what can be seen, the ridge included", async () => {
  await fc.assert(
    fc.asyncProperty(aCase, async one => {
      const before = await left(one, null);
      assert.ok((await left(one, one.range)) <= before * (1 + 1e-9) + 1e-12);
    }),
  );
});

test("nothing changes where nothing is cut off, nor where the quantized network is cut off just the same", async () => {
  await fc.assert(
    fc.asyncProperty(aCase, async one => {
      const plain = await aimed(one, null);
      const wide = await aimed(one, { low: -1e6, high: 1e6 });
      assert.deepEqual(wide.target.data, plain.target.data);
      // The float network's own inputs and nothing missing: its own weights are what is seen of them.
      const same = { ...one, seen: { ...one.float, data: one.float.data.slice() }, added: undefined };
      const kept = await aimed(same, one.range);
      assert.ok(kept.target.data.every((w, at) => Math.abs(w - one.weights.data[at]!) < 1e-7));
    }),
  );
});

test("what both networks add to every row alike is as good as a bias", async () => {
  await fc.assert(
    fc.asyncProperty(aCase, numbers(p), async (one, bias) => {
      const rows = Float32Array.from({ length: m * p }, (_, at) => bias[at % p]!);
      const nothing = { rows: m, columns: p, data: new Float32Array(m * p) };
      const asSum = {
        ...one,
        bias: new Float32Array(p),
        added: { seen: { ...nothing, data: rows }, missing: nothing },
      };
      const asBias = { ...one, bias, added: undefined };
      const [first, second] = [await aimed(asSum, one.range), await aimed(asBias, one.range)];
      assert.ok(first.target.data.every((w, at) => Math.abs(w - second.target.data[at]!) < 1e-9));
    }),
  );
});
