import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { plainLinalg } from "../../../src/core/linalg/plain";
import type { Matrix64 } from "../../../src/core/matrix";
import { compileKernels, newMemory } from "../../../src/kernels/module";
import { inProcessPool } from "../../../src/kernels/pool";
import { type WasmLinalg, wasmLinalg } from "../../../src/kernels/wasmLinalg";
import { randomFrom } from "./random";

const pause = () => Promise.resolve();
const plain = plainLinalg(pause);
let fast: WasmLinalg;
before(async () => {
  fast = wasmLinalg(inProcessPool(await compileKernels(readFileSync("dist/kernels.wasm")), newMemory()), pause);
});

type Make = (random: ReturnType<typeof randomFrom>, m: number, n: number) => Float64Array;
const dense: Make = (random, m, n) => Float64Array.from({ length: m * n }, () => random.normal());
const relu: Make = (random, m, n) => dense(random, m, n).map(x => Math.max(0, x));
/** Singular values from 1 down to 1e-4. */
const decaying: Make = (random, m, n) =>
  dense(random, m, n).map((x, k) => x * 10 ** ((-4 * Math.floor(k / n)) / m));
const dead: Make = (random, m, n) => relu(random, m, n).map((x, k) => (k % n < n / 3 ? 0 : x));
const doubled: Make = (random, m, n) => {
  const x = dense(random, m, n);
  for (let r = 1; r < m; r += 2) x.copyWithin(r * n, (r - 1) * n, r * n);
  return x;
};

const layers: [string, Make, number, number, number][] = [
  ["dense", dense, 24, 96, 6],
  ["odd rank", dense, 7, 64, 9],
  ["after ReLU", relu, 60, 200, 17],
  ["decaying", decaying, 50, 150, 5],
  ["dead inputs", dead, 30, 120, 4],
  ["doubled rows", doubled, 30, 100, 4],
  ["more samples than inputs", dense, 120, 40, 3],
  ["one sample", dense, 1, 30, 3],
  ["products in float32", relu, 150, 320, 10],
  ["decaying, products in float32", decaying, 140, 300, 10],
  ["rank 0", (_, m, n) => new Float64Array(m * n), 5, 20, 3],
];

for (const [name, make, m, n, p] of layers) {
  test(`at most rank(X) coordinates stay inside their box, and Xz = Xw: ${name}`, async () => {
    const random = randomFrom(m + n);
    const X: Matrix64 = { rows: m, columns: n, data: make(random, m, n) };
    const R = await fast.rowSpace(X, 1e-10);
    const expected = await plain.rowSpace(X, 1e-10);
    assert.equal(R.rows, expected.rows);
    const size = (row: Float64Array) => Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    for (let k = 0; k < R.rows; k++) {
      const [found, wanted] = [R, expected].map(matrix => size(matrix.data.subarray(k * n, (k + 1) * n))) as [
        number,
        number,
      ];
      assert.ok(Math.abs(found - wanted) <= 1e-6 * wanted, `direction ${k}: ${found}, not ${wanted}`);
    }
    const W: Matrix64 = { rows: n, columns: p, data: Float64Array.from({ length: n * p }, () => random.normal()) };
    const norms = await plain.squaredNorms(X, W);
    (await fast.squaredNorms(R, W)).forEach((norm, j) =>
      assert.ok(Math.abs(norm - norms[j]!) <= 1e-8 * (norms[j]! + 1e-300)),
    );

    for (const box of ["range", "cell"] as const) {
      const c = W.data.reduce((top, w) => Math.max(top, Math.abs(w)), 0);
      const low = { ...W, data: W.data.map(w => (box === "range" ? -c : Math.floor(w * 2) / 2)) };
      const high = {
        ...W,
        data: W.data.map((w, k) => (box === "range" ? c : low.data[k]! + (k % 11 === 0 ? 0 : 0.5))),
      };
      const start = { ...W, data: W.data.map((w, k) => Math.min(Math.max(w, low.data[k]!), high.data[k]!)) };
      const { moved, interior, residual } = await fast.kernelWalk(R, start, low, high);
      assert.ok(interior <= R.rows, `${box}: ${interior} inside, rank ${R.rows}`);
      assert.ok(residual < (R.rows > 128 ? 1e-5 : 1e-9), `${box}: residual ${residual}`);
      moved.data.forEach((z, k) => assert.ok(z >= low.data[k]! && z <= high.data[k]!, `${box}: ${z} is outside`));
    }
  });
}

test("eigenvalues are those of the plain form", async () => {
  for (const n of [1, 2, 3, 17, 130]) {
    const random = randomFrom(n);
    const a = { rows: n, columns: n, data: new Float64Array(n * n) };
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) a.data[i * n + j] = a.data[j * n + i] = i % 5 === 4 ? 0 : random.normal();
    }
    const expected = await plain.eigenvalues(a);
    const found = await fast.eigenvalues(a);
    const top = Math.max(...expected.map(Math.abs));
    found.forEach((value, k) =>
      assert.ok(Math.abs(value - expected[k]!) <= 1e-12 * top, `${value}, not ${expected[k]}`),
    );
  }
});
