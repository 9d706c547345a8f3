import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import type { Grids, Linalg } from "../../../src/core/linalg/linalg";
import { plainLinalg } from "../../../src/core/linalg/plain";
import type { Matrix, Matrix64 } from "../../../src/core/matrix";
import { compileKernels, newMemory } from "../../../src/kernels/module";
import { inProcessPool } from "../../../src/kernels/pool";
import { type WasmLinalg, wasmLinalg } from "../../../src/kernels/wasmLinalg";
import { randomFrom } from "./random";

const pause = () => Promise.resolve();
const plain = plainLinalg(pause);
let fast: WasmLinalg;
let single: WasmLinalg;
before(async () => {
  const module = await compileKernels(readFileSync("dist/kernels.wasm"));
  fast = wasmLinalg(inProcessPool(module, newMemory()), pause);
  single = wasmLinalg(inProcessPool(module, newMemory()), pause, { singleAbove: 0 });
});

function near(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(found.length, expected.length, what);
  let size = 0;
  for (let i = 0; i < expected.length; i++) size = Math.max(size, Math.abs(expected[i]!));
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(found[i]! - expected[i]!);
    if (!(off <= tolerance * size)) assert.fail(`${what}: ${found[i]} at ${i}, not ${expected[i]} (size ${size})`);
  }
}

function same(found: Uint8Array, expected: Uint8Array, what: string): void {
  let different = 0;
  for (let i = 0; i < expected.length; i++) if (found[i] !== expected[i]) different++;
  assert.equal(different, 0, `${what}: ${different} of ${expected.length} levels differ`);
}

/** [inputs, neurons, rows, levels, groupInputs]: sizes around every edge of the loops. */
const sizes: [number, number, number, number, number | undefined][] = [
  [1, 1, 3, 2, undefined],
  [2, 3, 1, 4, undefined],
  [9, 1, 40, 16, undefined],
  [27, 17, 100, 3, 9],
  [64, 33, 300, 4, undefined],
  [127, 5, 300, 2, undefined],
  [128, 16, 300, 16, 32],
  [130, 20, 50, 4, 50],
  [257, 31, 600, 4, undefined],
  [400, 18, 700, 8, undefined],
];

interface Case {
  X: Matrix;
  Y: Matrix;
  W: Matrix;
  grids: Grids;
  H: Matrix64;
}

async function caseOf(linalg: Linalg, [n, p, m, levels, groupInputs]: (typeof sizes)[number]): Promise<Case> {
  const random = randomFrom(n * 31 + p);
  const mix = Array.from({ length: 4 * n }, () => random.normal());
  const X = { rows: m, columns: n, data: new Float32Array(m * n) };
  for (let r = 0; r < m; r++) {
    const hidden = Array.from({ length: 4 }, () => random.normal());
    for (let i = 0; i < n; i++) {
      const shared = hidden.reduce((sum, h, k) => sum + h * mix[k * n + i]!, 0);
      X.data[r * n + i] = i === 5 ? 0 : Math.max(0, shared + 0.5 * random.normal());
    }
  }
  const Y = { rows: m, columns: p, data: Float32Array.from({ length: m * p }, () => random.normal()) };
  const W = { rows: n, columns: p, data: Float32Array.from({ length: n * p }, () => random.normal()) };
  const groups = Math.ceil(n / (groupInputs ?? n));
  // Some steps are negative, one is 0, some zero points are not whole.
  const steps = Float64Array.from({ length: groups * p }, (_, k) =>
    k === 2 ? 0 : (k % 5 === 1 ? -1 : 1) * (0.5 + random.uniform()) * (4 / levels),
  );
  const zeroPoints = Float64Array.from({ length: groups * p }, (_, k) => (levels - 1) / 2 + (k % 3) / 2);
  const { gram } = await (async () => {
    const sum = await linalg.moments(n, 0);
    await sum.add(X);
    return sum.finish();
  })();
  let mean = 0;
  for (let i = 0; i < n; i++) mean += gram.data[i * n + i]! / n;
  const H = { rows: n, columns: n, data: gram.data.slice() };
  for (let i = 0; i < n; i++) H.data[i * n + i]! += 0.01 * mean;
  return { X, Y, W, grids: { levels, groupInputs, steps, zeroPoints }, H };
}

for (const size of sizes) {
  const [n, p, m, levels, groupInputs] = size;
  const name = `n ${n}, p ${p}, m ${m}, ${levels} levels${groupInputs ? `, groups of ${groupInputs}` : ""}`;

  test(`the fast loops give the plain ones' numbers and codes: ${name}`, async () => {
    const { X, Y, W, grids, H } = await caseOf(plain, size);
    for (const [k, x] of [X, { ...X, data: Float64Array.from(X.data) }].entries()) {
      const sums = await Promise.all(
        [plain, fast].map(async linalg => {
          const sum = await linalg.moments(n, p);
          await sum.add(x, Y);
          await sum.add(x, Y);
          return sum.finish();
        }),
      );
      const [expected, found] = sums;
      assert.equal(found!.rows, 2 * m);
      near(found!.gram.data, expected!.gram.data, 1e-13, `gram ${k}`);
      near(found!.cross.data, expected!.cross.data, 1e-13, "cross");
      near(found!.inputSums, expected!.inputSums, 1e-13, "input sums");
      near(found!.targetSums, expected!.targetSums, 1e-12, "target sums");
    }
    near((await fast.multiply(H, W)).data, (await plain.multiply(H, W)).data, 1e-13, "multiply");
    near((await fast.multiply(X, W)).data, (await plain.multiply(X, W)).data, 1e-13, "multiply X");
    near(await fast.squaredNorms(X, W), await plain.squaredNorms(X, W), 1e-12, "squaredNorms");
    near(await fast.metricNorms(H, W), await plain.metricNorms(H, W), 1e-12, "metricNorms");

    const order = await plain.walkOrder(H);
    assert.deepEqual(await fast.walkOrder(H), order);
    const factor = await plain.factor(H, order);
    near((await fast.factor(H, order))!.lower.data, factor!.lower.data, 1e-11, "factor made with the order");
    near((await fast.factor(H, order))!.lower.data, factor!.lower.data, 1e-11, "factor");
    near((await fast.solve(H, W))!.data, (await plain.solve(H, W))!.data, 1e-9, "solve");
    const indefinite = { ...H, data: H.data.slice() };
    indefinite.data[n * n - 1] = -1;
    assert.equal(await fast.factor(indefinite, order), null);
    assert.equal(await fast.solve(indefinite, W), null);

    same(await fast.nearest(W, grids), await plain.nearest(W, grids), "nearest");
    const importance = Float64Array.from({ length: n }, (_, i) => 1 + (i % 7));
    const doubled = { ...grids, steps: grids.steps.map(step => 2 * step) };
    const errors = await plain.roundingErrors(W, importance, [grids, doubled]);
    (await fast.roundingErrors(W, importance, [grids, doubled])).forEach((found, k) =>
      near(found, errors[k]!, 1e-12, "roundingErrors"),
    );

    const M = { ...factor!.lower, data: factor!.lower.data.slice() };
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) M.data[i * n + j]! /= factor!.lower.data[i * n + i]!;
    const shifts = { rows: n, columns: p, data: Float64Array.from({ length: n * p }, (_, k) => Math.sin(k) / 10) };
    for (const shift of [undefined, shifts]) {
      const expected = await plain.sweep(W, { order, shares: M }, grids, shift);
      same(await fast.sweep(W, { order, shares: M }, grids, shift), expected, "sweep");
    }
    const near16 = await plain.neighbours(H, 7);
    for (const [paths, block] of [
      [1, 32],
      [8, 32],
      [16, 8],
      [3, 5],
      [32, 32],
      [64, 200],
    ] as const) {
      // prettier-ignore
      const expected = await plain.walk(W, factor!, grids, paths, block);
      const found = await fast.walk(W, factor!, grids, paths, block);
      same(found.levels, expected.levels, `walk ${paths}/${block}`);
      near(found.costs, expected.costs, 1e-9, `walk ${paths}/${block} costs`);
      same(found.clipped, expected.clipped, `walk ${paths}/${block} clipped`);
    }
    const { levels: start } = await plain.walk(W, factor!, grids, 1, 32);
    for (const from of [start, start.map(() => levels - 1)]) {
      const alone = await plain.descend(W, from, H, grids, 5);
      const foundAlone = await fast.descend(W, from, H, grids, 5);
      same(foundAlone.levels, alone.levels, "descend");
      near(foundAlone.costs, alone.costs, 1e-9, "descend costs");
      const both = await plain.pairs(W, from, H, grids, near16, 4);
      const foundBoth = await fast.pairs(W, from, H, grids, near16, 4);
      same(foundBoth.levels, both.levels, "pairs");
      near(foundBoth.costs, both.costs, 1e-9, "pairs costs");
    }
  });
}

test("in float32 at least 99 of 100 levels are those of the plain loops, and the error is within half a percent", async () => {
  const { W, grids, H } = await caseOf(plain, [400, 40, 900, 4, undefined]);
  const order = await plain.walkOrder(H);
  const factor = (await plain.factor(H, order))!;
  const sum = (costs: Float64Array) => costs.reduce((a, b) => a + b, 0);
  for (const paths of [1, 8]) {
    const expected = await plain.walk(W, factor, grids, paths, 32);
    const found = await single.walk(W, factor, grids, paths, 32);
    const equal = found.levels.filter((level, k) => level === expected.levels[k]).length / found.levels.length;
    assert.ok(equal >= 0.99, `${paths} paths: ${equal}`);
    assert.ok(Math.abs(sum(found.costs) / sum(expected.costs) - 1) < 0.005);
  }
});

test("packing puts the first level in the lowest bits", async () => {
  for (const bits of [1, 2, 4] as const) {
    for (const length of [0, 1, 7, 8, 9, 64, 1001]) {
      const levels = Uint8Array.from({ length }, (_, i) => (i * 7 + 3 * Math.floor(i / 5)) % 2 ** bits);
      const expected = new Uint8Array(Math.ceil((length * bits) / 8));
      levels.forEach((level, i) => (expected[(i * bits) >> 3]! |= level << ((i * bits) % 8)));
      assert.deepEqual(await fast.packLevels(levels, bits), expected);
    }
  }
});
