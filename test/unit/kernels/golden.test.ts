import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import type { Grids, Linalg } from "../../../src/core/linalg/linalg";
import type { Matrix64 } from "../../../src/core/matrix";
import { compileKernels, newMemory } from "../../../src/kernels/module";
import { inProcessPool } from "../../../src/kernels/pool";
import { type WasmLinalg, wasmLinalg } from "../../../src/kernels/wasmLinalg";

interface Golden {
  W: number[][];
  X: Record<string, number[][]>;
  cases: {
    inputs: string;
    bits: number;
    "max radius": number[];
    order: number[];
    levels: Record<string, number[][]>;
    error: Record<string, number>;
  }[];
}

const golden = JSON.parse(readFileSync("test/reference/golden_walk.json", "utf8")) as Golden;
const matrix = (rows: number[][]): Matrix64 => ({
  rows: rows.length,
  columns: rows[0]!.length,
  data: Float64Array.from(rows.flat()),
});
const W = matrix(golden.W);

let double: WasmLinalg;
let single: WasmLinalg;
before(async () => {
  const module = await compileKernels(readFileSync("dist/kernels.wasm"));
  const pause = () => Promise.resolve();
  double = wasmLinalg(inProcessPool(module, newMemory()), pause);
  single = wasmLinalg(inProcessPool(module, newMemory()), pause, { singleAbove: 0 });
});

/** The reference's metric: XᵀX / m and 1 % of its mean diagonal. */
async function metricOf(linalg: Linalg, X: Matrix64): Promise<Matrix64> {
  const sum = await linalg.moments(X.columns, 0);
  await sum.add(X);
  const { gram } = await sum.finish();
  const n = gram.rows;
  for (let k = 0; k < gram.data.length; k++) gram.data[k]! /= X.rows;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += gram.data[i * n + i]! / n;
  for (let i = 0; i < n; i++) gram.data[i * n + i]! += 0.01 * mean;
  return gram;
}

async function walks(linalg: Linalg, X: Matrix64, grids: Grids) {
  const H = await metricOf(linalg, X);
  const order = await linalg.walkOrder(H);
  const factor = (await linalg.factor(H, order))!;
  const many = await linalg.walk(W, factor, grids, 16, 8);
  const near = await linalg.neighbours(H, 16);
  return {
    order,
    "walk/1": (await linalg.walk(W, factor, grids, 1, 32)).levels,
    "walk/16/8": many.levels,
    "walk/16/8+pairs": (await linalg.pairs(W, many.levels, H, grids, near, 4)).levels,
  };
}

/** ||X(W - Q)|| / ||XW||. */
async function errorOf(X: Matrix64, levels: Uint8Array, { steps, zeroPoints }: Grids): Promise<number> {
  const p = W.columns;
  const e = { ...W, data: W.data.map((w, k) => w - steps[k % p]! * (levels[k]! - zeroPoints[k % p]!)) };
  const total = async (v: Matrix64) => (await double.squaredNorms(X, v)).reduce((a, b) => a + b, 0);
  return Math.sqrt((await total(e)) / (await total(W)));
}

const FORMS = ["walk/1", "walk/16/8", "walk/16/8+pairs"] as const;

for (const { inputs, bits, order, levels, error, ...rest } of golden.cases) {
  const X = matrix(golden.X[inputs]!);
  const top = 2 ** bits - 1;
  const grids: Grids = {
    levels: top + 1,
    steps: Float64Array.from(rest["max radius"], c => (2 * c) / top),
    zeroPoints: Float64Array.from(rest["max radius"], () => top / 2),
  };

  test(`in float64 the kernels give the reference's order and levels: ${inputs}, ${bits} bits`, async () => {
    const found = await walks(double, X, grids);
    assert.deepEqual([...found.order], order);
    for (const form of FORMS) assert.deepEqual([...found[form]], levels[form]!.flat(), form);
  });

  test(`in float32 99 of 100 levels are the reference's, the error within half a percent: ${inputs}, ${bits} bits`, async () => {
    const found = await walks(single, X, grids);
    for (const form of FORMS) {
      const expected = levels[form]!.flat();
      const equal = expected.filter((level, k) => level === found[form][k]).length / expected.length;
      assert.ok(equal >= 0.99, `${form}: ${equal}`);
      const off = Math.abs((await errorOf(X, found[form], grids)) / error[form]! - 1);
      assert.ok(off <= 0.005, `${form}: error off by ${off}`);
    }
  });
}
