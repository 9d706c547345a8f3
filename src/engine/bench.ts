import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import type { Factor, Grids } from "../core/linalg/linalg";
import type { Matrix, Matrix64 } from "../core/matrix";
import type { WasmLinalg } from "../kernels/wasmLinalg";
import { openLinalg } from "./kernelPool";

/** What is timed. The data are made before the clock starts; weights and inputs are random, inputs correlated. */
export interface BenchCase {
  readonly name: string;
  /** One sentence, with the sizes. */
  readonly what: string;
  /** Additions and multiplications of one run. */
  readonly flops?: number;
  /** Bytes of float weights one run works on. */
  readonly bytes?: number;
  /** Another case of whose time this one is a multiple; both bounds of the project are told that way. */
  readonly comparedTo?: string;
  readonly prepare: () => (linalg: WasmLinalg) => Promise<void>;
  /** Python that sets `seconds` to the time NumPy takes for the same; undefined where NumPy has no such thing. */
  readonly numpy?: string;
}

export interface BenchResult {
  readonly case: string;
  readonly threads: number;
  /** On the clock, and of all threads together: on a machine that does other things the second is the steadier one. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly gflops: number | null;
  readonly megabytesPerSecond: number | null;
  /** Shared memory of the kernels, and how much the process grew beside its weights and inputs. */
  readonly kernelMegabytes: number;
  readonly peakMegabytes: number;
  /** Times the seconds of one thread. */
  readonly speedup: number | null;
  /** Times the CPU seconds of the case it is compared to, on as many threads. */
  readonly ratio: number | null;
  readonly numpySeconds: number | null;
  /** Our seconds over NumPy's. */
  readonly againstNumpy: number | null;
}

export interface BenchOptions {
  /** Names of cases; undefined: all. */
  readonly cases?: readonly string[] | undefined;
  /** Defaults to one and all of the machine's. */
  readonly threads?: readonly number[] | undefined;
  readonly against?: "numpy" | undefined;
  /** Where `kernels.wasm` and `kernelWorker.js` lie. */
  readonly directory: string;
  /** Called with each result as it is there. */
  readonly report?: ((result: BenchResult) => void) | undefined;
}

const MEGA = 2 ** 20;

export const benchCases: readonly BenchCase[] = [
  {
    name: "product",
    what: "A product of two 1536 x 1536 matrices in float64.",
    flops: 2 * 1536 ** 3,
    prepare: () => {
      const [a, b] = [uniform(1536, 1536), uniform(1536, 1536)];
      return async linalg => {
        await linalg.multiply(a, b);
      };
    },
    numpy: `a = rng.random((1536, 1536)); b = rng.random((1536, 1536)); start = clock(); a @ b; seconds = clock() - start`,
  },
  {
    name: "gram",
    what: "The Gram matrix of 4,096 inputs from 2,048 rows.",
    flops: 2048 * 4096 ** 2,
    prepare: () => {
      const x = correlated(2048, 4096);
      return async linalg => {
        await gramOf(linalg, x);
      };
    },
    numpy: `x = rng.random((2048, 4096), dtype='f4'); start = clock(); x.T @ x; seconds = clock() - start`,
  },
  {
    name: "cholesky",
    what: "The Cholesky factor of 4,096 inputs.",
    flops: 4096 ** 3 / 3,
    prepare: () => {
      const h = positive(4096);
      return async linalg => {
        await linalg.factor(h, naturalOrder(4096));
      };
    },
    numpy: `h = rng.random((4096, 4096)); h = h + h.T; h[np.diag_indices(4096)] += 5000
start = clock(); np.linalg.cholesky(h); seconds = clock() - start`,
  },
  {
    name: "gptq",
    what: "GPTQ of 4096 x 4096 weights from 2,048 rows: Gram matrix, factor, sweep.",
    flops: 2048 * 4096 ** 2 + 4096 ** 3 / 3 + 4096 ** 3,
    prepare: () => {
      const [x, w] = [correlated(2048, 4096), weightsOf(4096, 4096)];
      return linalg => gptq(linalg, x, w);
    },
    // The same blocked left-looking sweep, products in float32.
    numpy: `n, p, m, block = 4096, 4096, 2048, 128
x = rng.standard_normal((m, n), dtype='f4'); w = rng.standard_normal((n, p), dtype='f4') * 0.02
start = clock()
h = (x.T @ x).astype('f8'); h[np.diag_indices(n)] += 0.01 * np.mean(np.diag(h))
low = np.linalg.cholesky(h[::-1, ::-1])[::-1, ::-1].T
share = (low / np.diag(low)[:, None]).astype('f4')
e = w.copy(); levels = np.empty((n, p), 'u1')
for b in range(0, n, block):
    pulls = share[b:b + block, :b] @ e[:b]
    for i in range(b, min(b + block, n)):
        v = w[i] + pulls[i - b] + share[i, b:i] @ e[b:i]
        k = np.clip(np.rint(v / 0.02 + 7.5), 0, 15)
        levels[i] = k; e[i] = w[i] - 0.02 * (k - 7.5)
seconds = clock() - start`,
  },
  {
    name: "walk",
    what: "The walk in its large form on the same layer: Gram matrix, order, factor, 8 paths, one radius, pairs.",
    flops: 2048 * 4096 ** 2 + (2 / 3) * 4096 ** 3 + (1 + (3 * 8 * 32) / 4096) * 4096 ** 3 + 2.3 * 4096 ** 3,
    comparedTo: "gptq",
    prepare: () => {
      const [x, w] = [correlated(2048, 4096), weightsOf(4096, 4096)];
      return linalg => walk(linalg, x, w);
    },
  },
  {
    name: "small-gptq",
    what: "GPTQ of 784 x 500 weights from 1,000 rows.",
    flops: 1000 * 784 ** 2 + 784 ** 3 / 3 + 784 ** 2 * 500,
    prepare: () => {
      const [x, w] = [correlated(1000, 784), weightsOf(784, 500)];
      return linalg => gptq(linalg, x, w);
    },
  },
  {
    name: "small-walk",
    what: "The walk of 784 x 500 weights from 1,000 rows: 8 paths, one radius, pairs.",
    comparedTo: "small-gptq",
    prepare: () => {
      const [x, w] = [correlated(1000, 784), weightsOf(784, 500)];
      return linalg => walk(linalg, x, w);
    },
  },
  {
    name: "kernel-walk",
    what: "The pre-processing of Maly & Saab of 784 x 500 weights from 300 rows, the box of all values.",
    prepare: () => {
      const random = randomFrom(3);
      const x = {
        rows: 300,
        columns: 784,
        data: Float32Array.from({ length: 300 * 784 }, () => Math.max(0, random() - 0.5)),
      };
      const w = { rows: 784, columns: 500, data: Float64Array.from(weightsOf(784, 500).data) };
      const c = w.data.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
      return async linalg => {
        const rows = await linalg.rowSpace(x, 1e-10);
        await linalg.kernelWalk(rows, w, { ...w, data: w.data.map(() => -c) }, { ...w, data: w.data.map(() => c) });
      };
    },
  },
  {
    name: "msq",
    what: "Nearest levels of 4096 x 4096 weights, packed to 4 bits.",
    bytes: 4096 * 4096 * 4,
    prepare: () => {
      const w = weightsOf(4096, 4096);
      return async linalg => {
        await linalg.packLevels(await linalg.nearest(w, gridsOf(4096)), 4);
      };
    },
    numpy: `w = rng.standard_normal((4096, 4096), dtype='f4') * 0.02; step = np.full(4096, 0.02, 'f4')
start = clock()
k = np.clip(np.rint(w / step + 7.5), 0, 15).astype('u1'); k[:, ::2] | (k[:, 1::2] << 4)
seconds = clock() - start`,
  },
];

/** Runs cases one after the other, nothing else at the same time. */
export async function runBench(options: BenchOptions): Promise<BenchResult[]> {
  const known = new Map(benchCases.map(one => [one.name, one]));
  const names = options.cases ?? [...known.keys()];
  const threads = options.threads ?? [...new Set([1, availableParallelism()])];
  const results: BenchResult[] = [];
  for (const name of names) {
    const bench = known.get(name);
    if (!bench) throw new Error(`There is no case "${name}": ${[...known.keys()].join(", ")}.`);
    for (const count of threads) {
      const measured = await measure(bench, count, options.directory);
      const numpySeconds = options.against === "numpy" && bench.numpy ? timeNumpy(bench.numpy, count) : null;
      const alone = results.find(other => other.case === name && other.threads === 1);
      const compared = results.find(other => other.case === bench.comparedTo && other.threads === count);
      const result: BenchResult = {
        case: name,
        threads: count,
        ...measured,
        gflops: bench.flops ? bench.flops / measured.seconds / 1e9 : null,
        megabytesPerSecond: bench.bytes ? bench.bytes / measured.seconds / 1e6 : null,
        speedup: alone ? alone.seconds / measured.seconds : null,
        ratio: compared ? measured.cpuSeconds / compared.cpuSeconds : null,
        numpySeconds,
        againstNumpy: numpySeconds ? measured.seconds / numpySeconds : null,
      };
      results.push(result);
      options.report?.(result);
    }
  }
  return results;
}

async function measure(bench: BenchCase, threads: number, directory: string) {
  const work = bench.prepare();
  let highest = 0;
  const pause = (): Promise<void> => {
    highest = Math.max(highest, process.memoryUsage.rss());
    // Once round the event loop, as in the engine, where a cancel may come in.
    return new Promise(resolve => setImmediate(resolve));
  };
  const { linalg, close } = await openLinalg(threads, directory, pause);
  try {
    // The first calls run code that is not yet optimized; a small layer takes that out of the figures.
    await gptq(linalg, correlated(300, 160), weightsOf(160, 160));
    await walk(linalg, correlated(300, 160), weightsOf(160, 160));
    highest = process.memoryUsage.rss();
    const before = highest;
    const cpu = process.cpuUsage();
    const start = process.hrtime.bigint();
    await work(linalg);
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    const used = process.cpuUsage(cpu);
    return {
      seconds,
      cpuSeconds: (used.user + used.system) / 1e6,
      kernelMegabytes: linalg.peakBytes() / MEGA,
      peakMegabytes: (Math.max(highest, process.memoryUsage.rss()) - before) / MEGA,
    };
  } finally {
    await close();
  }
}

/** Where Debian keeps the Python that has NumPy; elsewhere the first on the path. */
const PYTHON = ["/usr/bin/python3", "python3"];

/** Seconds NumPy takes on so many threads; null where there is no NumPy. */
function timeNumpy(code: string, threads: number): number | null {
  const script = `import numpy as np\nfrom time import perf_counter as clock\nrng = np.random.default_rng(0)\n${code}\nprint(seconds)\n`;
  const count = String(threads);
  const env = { ...process.env, OMP_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count, MKL_NUM_THREADS: count };
  for (const python of PYTHON) {
    const { status, stdout } = spawnSync(python, ["-c", script], { env, encoding: "utf8" });
    if (status === 0) return Number(stdout);
  }
  return null;
}

/** The figures as a table for the terminal. */
export function benchTable(results: readonly BenchResult[]): string {
  const head = [
    "case",
    "threads",
    "s",
    "CPU s",
    "GFLOP/s",
    "MB/s",
    "kernel MB",
    "peak MB",
    "speed-up",
    "ratio",
    "/ NumPy",
  ];
  const round = (value: number | null, digits: number): string => (value === null ? "" : value.toFixed(digits));
  const rows = results.map(result => [
    result.case,
    String(result.threads),
    round(result.seconds, 3),
    round(result.cpuSeconds, 3),
    round(result.gflops, 1),
    round(result.megabytesPerSecond, 0),
    round(result.kernelMegabytes, 0),
    round(result.peakMegabytes, 0),
    round(result.speedup, 2),
    round(result.ratio, 2),
    round(result.againstNumpy, 2),
  ]);
  const widths = head.map((title, k) => Math.max(title.length, ...rows.map(row => row[k]!.length)));
  const line = (cells: string[]): string =>
    cells.map((cell, k) => (k === 0 ? cell.padEnd(widths[k]!) : cell.padStart(widths[k]!))).join("  ");
  return [head, ...rows].map(line).join("\n");
}

// --- What the cases do: the same loops in the same order as the methods, at one radius.

async function gramOf(linalg: WasmLinalg, x: Matrix): Promise<Matrix64> {
  const sum = await linalg.moments(x.columns, 0);
  await sum.add(x);
  return (await sum.finish()).gram;
}

async function dampedGram(linalg: WasmLinalg, x: Matrix): Promise<Matrix64> {
  const gram = await gramOf(linalg, x);
  const n = gram.rows;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gram.data[i * n + i]!;
  for (let i = 0; i < n; i++) gram.data[i * n + i]! += (0.01 * trace) / n;
  return gram;
}

async function gptq(linalg: WasmLinalg, x: Matrix, w: Matrix): Promise<void> {
  const h = await dampedGram(linalg, x);
  const energy = Float64Array.from({ length: h.rows }, (_, i) => h.data[i * h.rows + i]!);
  const order = naturalOrder(h.rows).sort((i, j) => energy[j]! - energy[i]! || i - j);
  const { lower } = defined(await linalg.factor(h, order));
  // L is not needed any more: M takes its place.
  for (let i = 0; i < lower.rows; i++) {
    const row = lower.data.subarray(i * lower.rows, i * lower.rows + i + 1);
    const distance = row[i]!;
    for (let j = 0; j <= i; j++) row[j]! /= distance;
  }
  await linalg.sweep(w, { order, shares: lower }, gridsOf(w.columns));
}

async function walk(linalg: WasmLinalg, x: Matrix, w: Matrix): Promise<void> {
  const h = await dampedGram(linalg, x);
  const order = await linalg.walkOrder(h);
  const factor = defined(await linalg.factor(h, order));
  const grids = gridsOf(w.columns);
  const { levels } = await linalg.walk(w, factor, grids, 8, 32);
  await linalg.pairs(w, levels, h, grids, await linalg.neighbours(h, 16), 4);
}

function defined(factor: Factor | null): Factor {
  if (!factor) throw new Error("The random metric is not positive definite.");
  return factor;
}

// --- Random data, the same in every run.

function naturalOrder(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i);
}

function gridsOf(neurons: number): Grids {
  return {
    levels: 16,
    steps: new Float64Array(neurons).fill(0.02),
    zeroPoints: new Float64Array(neurons).fill(7.5),
  };
}

/** Mulberry32: numbers in [0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function uniform(rows: number, columns: number): Matrix64 {
  const random = randomFrom(rows);
  return { rows, columns, data: Float64Array.from({ length: rows * columns }, () => random() - 0.5) };
}

/** Weights of about the spread trained ones have. */
function weightsOf(inputs: number, neurons: number): Matrix {
  const random = randomFrom(inputs + 1);
  const one = (): number => 0.1 * (random() + random() + random() - 1.5);
  return { rows: inputs, columns: neurons, data: Float32Array.from({ length: inputs * neurons }, one) };
}

/** Rows that share 16 hidden causes. */
function correlated(rows: number, inputs: number): Matrix {
  const random = randomFrom(inputs);
  const mix = Float64Array.from({ length: 16 * inputs }, () => random() - 0.5);
  const data = new Float32Array(rows * inputs);
  for (let r = 0; r < rows; r++) {
    const causes = Array.from({ length: 16 }, () => random() - 0.5);
    for (let i = 0; i < inputs; i++) {
      let x = random() - 0.5;
      for (let k = 0; k < 16; k++) x += causes[k]! * mix[k * inputs + i]!;
      data[r * inputs + i] = x;
    }
  }
  return { rows, columns: inputs, data };
}

function positive(n: number): Matrix64 {
  const h = uniform(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) h.data[i * n + j] = h.data[j * n + i]!;
    h.data[i * n + i] = n;
  }
  return h;
}
