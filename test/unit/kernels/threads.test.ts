import assert from "node:assert/strict";
import { test } from "node:test";
import type { Linalg } from "../../../src/core/linalg/linalg";
import { openLinalg } from "../../../src/engine/kernelPool";
import { randomFrom } from "./random";

/** Everything a layer needs, on sizes that make several chunks and blocks. */
async function everything(linalg: Linalg) {
  const random = randomFrom(5);
  const [n, p, m] = [300, 90, 500];
  const X = { rows: m, columns: n, data: Float32Array.from({ length: m * n }, () => Math.max(0, random.normal())) };
  const W = { rows: n, columns: p, data: Float32Array.from({ length: n * p }, () => random.normal()) };
  const sum = await linalg.moments(n, p);
  await sum.add(X, { rows: m, columns: p, data: X.data.subarray(0, m * p) });
  const { gram, cross, inputSums } = await sum.finish();
  for (let i = 0; i < n; i++) gram.data[i * n + i]! += 3;
  const grids = { levels: 4, steps: new Float64Array(p).fill(1.1), zeroPoints: new Float64Array(p).fill(1.5) };
  const order = await linalg.walkOrder(gram);
  const factor = (await linalg.factor(gram, order))!;
  const shares = {
    ...factor.lower,
    data: factor.lower.data.map((l, k) => l / factor.lower.data[Math.floor(k / n) * (n + 1)]!),
  };
  const near = await linalg.neighbours(gram, 16);
  const walked = await linalg.walk(W, factor, grids, 8, 32);
  const few = { rows: 60, columns: n, data: X.data.subarray(0, 60 * n) };
  const rows = await linalg.rowSpace(few, 1e-10);
  const start = { ...W, data: Float64Array.from(W.data) };
  const low = { ...start, data: start.data.map(Math.floor) };
  const high = { ...start, data: low.data.map(x => x + 1) };
  return {
    gram,
    cross,
    inputSums,
    order,
    factor,
    solved: await linalg.solve(gram, cross),
    product: await linalg.multiply(gram, W),
    swept: await linalg.sweep(W, { order, shares }, grids),
    one: await linalg.walk(W, factor, grids, 1, 32),
    walked,
    pairs: await linalg.pairs(W, walked.levels, gram, grids, near, 4),
    descended: await linalg.descend(W, walked.levels, gram, grids, 4),
    nearest: await linalg.nearest(W, grids),
    errors: await linalg.roundingErrors(W, new Float64Array(n).fill(1), [grids]),
    norms: await linalg.squaredNorms(X, W),
    kernel: await linalg.kernelWalk(rows, start, low, high),
  };
}

for (const singleAbove of [undefined, 0]) {
  test(`the numbers are the same on 1, 2 and 4 threads${singleAbove === 0 ? ", in float32" : ""}`, async () => {
    const results: unknown[] = [];
    for (const threads of [1, 2, 4]) {
      const { linalg, close } = await openLinalg(threads, "dist", () => Promise.resolve(), { singleAbove });
      results.push(await everything(linalg));
      await close();
    }
    assert.deepEqual(results[1], results[0]);
    assert.deepEqual(results[2], results[0]);
  });
}

test("a pause that throws ends the loop, and the next one starts afresh", async () => {
  let calls = 0;
  let stopAt = Infinity;
  const pause = () => (++calls >= stopAt ? Promise.reject(new Error("stopped")) : Promise.resolve());
  const { linalg, close } = await openLinalg(2, "dist", pause);
  const W = { rows: 400, columns: 300, data: new Float32Array(120_000).fill(0.3) };
  const grids = { levels: 4, steps: new Float64Array(300).fill(0.2), zeroPoints: new Float64Array(300) };
  const H = { rows: 400, columns: 400, data: new Float64Array(160_000) };
  for (let i = 0; i < 400; i++) H.data[i * 401] = 1 + i;
  const order = Int32Array.from({ length: 400 }, (_, i) => i);
  const factor = (await linalg.factor(H, order))!;
  stopAt = calls + 3;
  await assert.rejects(linalg.walk(W, factor, grids, 8, 32), /stopped/);
  const peak = linalg.peakBytes();
  stopAt = Infinity;
  const { levels } = await linalg.walk(W, factor, grids, 8, 32);
  assert.ok(levels.every(level => level === 1 || level === 2));
  assert.equal(linalg.peakBytes(), peak);
  await close();
});

test("a loop that needs more memory than allowed says so", async () => {
  const { linalg, close } = await openLinalg(1, "dist", () => Promise.resolve(), { limitBytes: 2 ** 20 });
  const H = { rows: 1000, columns: 1000, data: new Float64Array(1_000_000) };
  await assert.rejects(
    linalg.factor(
      H,
      Int32Array.from({ length: 1000 }, (_, i) => i),
    ),
    /more than the 1 MB allowed/,
  );
  await close();
});

test("tasks of threads that were closed fail instead of waiting", async () => {
  const { linalg, close } = await openLinalg(2, "dist", () => Promise.resolve());
  await close();
  const W = { rows: 1000, columns: 1000, data: new Float32Array(1_000_000) };
  await assert.rejects(linalg.multiply(W, W), /closed/);
});
