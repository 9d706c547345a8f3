// Peak memory and time of `quantize` and `evaluate` on 1,000 to 200,000 samples, each in a process of its own:
// `npm run bench:samples [-- MEMORY [COUNT…]]` with the bytes for --memory. The samples are the sample's digits, made brighter and darker.
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { seeded } from "../../src/core/random";
import { evaluate } from "../../src/engine/evaluate";
import { quantize } from "../../src/engine/quantize";
import { npy } from "../engine/containers";
import { arrayOf } from "../engine/files";
import { quiet, usual } from "../engine/run";

// Up to 25,000 samples the rows a layer is fitted on grow with them, up to 100,000 those it is judged on: 20,000 of each at most,
// here 63 MB of each, and of each network where they differ. Beside them grow what --memory keeps, up to that, and what V8 has not
// collected yet: with collections forced, the heap of one model's answers stood at 6.6 MB from 10,000 to 50,000 samples.
const COUNTS = [1000, 10_000, 100_000, 200_000];
const MODEL = "samples/mnist_mlp.onnx";
const PIXELS = 28 * 28;
const MEMORY = 100e6;

interface Measured {
  readonly seconds: number;
  readonly peakBytes: number;
  readonly what: string;
}

async function main([word, ...rest]: readonly string[]): Promise<void> {
  if (word === "measure") return measure(rest as [string, string, string, string]);
  const memory = Number(word ?? MEMORY);
  const counts = rest.length > 0 ? rest.map(Number) : COUNTS;
  const folder = mkdtempSync(join(tmpdir(), "whittle-"));
  try {
    process.stdout.write(`${MODEL}, --memory ${memory / 1e6} MB\n`);
    process.stdout.write("| samples | job | seconds | peak MB | |\n| ---: | --- | ---: | ---: | --- |\n");
    for (const count of counts) {
      const data = writeSamples(folder, count);
      for (const job of ["quantize", "evaluate"]) {
        const { seconds, peakBytes, what } = inProcess([job, data, folder, String(memory)]);
        const figures = [count, job, seconds.toFixed(1), Math.round(peakBytes / 1e6), what];
        process.stdout.write(`| ${figures.join(" | ")} |\n`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Written digit by digit: this process shall not need what it measures. */
function writeSamples(folder: string, count: number): string {
  const digits = arrayOf("samples/mnist_test.npy");
  const random = seeded(count);
  const file = openSync(join(folder, "digits.npy"), "w");
  // A header alone, and the pixels after it.
  writeSync(file, npy("|u1", [count, 28, 28], new Uint8Array()));
  for (let k = 0; k < count; k++) {
    const at = (k % digits.dims[0]!) * PIXELS;
    const bright = 0.5 + random();
    writeSync(
      file,
      Uint8ClampedArray.from(digits.data.slice(at, at + PIXELS) as Uint8Array, pixel => pixel * bright),
    );
  }
  closeSync(file);
  const labels = arrayOf("samples/mnist_labels.npy");
  const repeated = BigInt64Array.from({ length: count }, (_, k) => BigInt(labels.data[k % labels.dims[0]!]!));
  writeFileSync(join(folder, "labels.npy"), npy("<i8", [count], repeated));
  const data = join(folder, "data.json");
  const pre = { scale: 1 / 255, mean: [0], std: [1] };
  const spec = { kind: "image", data: "digits.npy", labels: "labels.npy", dims: [PIXELS], pre };
  writeFileSync(data, JSON.stringify(spec));
  return data;
}

function inProcess(words: readonly string[]): Measured {
  const { status, stdout, stderr } = spawnSync(process.execPath, [process.argv[1]!, "measure", ...words], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Measured;
}

async function measure([job, data, folder, memory]: readonly [string, string, string, string]): Promise<void> {
  const started = performance.now();
  const output = join(folder, "copy.onnx");
  const what = await (job === "quantize" ? fit(data, output, Number(memory)) : score(data, output));
  const measured: Measured = {
    seconds: (performance.now() - started) / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    what,
  };
  process.stdout.write(JSON.stringify(measured));
}

async function fit(data: string, output: string, memory: number): Promise<string> {
  const options = { ...usual, method: "maly-saab", bits: 3, data, samples: undefined } as const;
  const model = resolve(MODEL);
  const job = { model, output, overwrite: true, dryRun: false, threads: 2, memory, options };
  const { outputs, calibration } = await quantize(job, quiet);
  return `${outputs[0]!.sqnrDb!.toFixed(2)} dB on ${calibration.heldOut} held out`;
}

async function score(data: string, copy: string): Promise<string> {
  const job = { model: copy, against: resolve(MODEL), data, samples: undefined, asRun: false, threads: 2 };
  const { top1, sqnrDb } = await evaluate(job);
  return `top-1 ${(100 * top1!).toFixed(2)} %, ${sqnrDb!.toFixed(2)} dB`;
}

void main(process.argv.slice(2));
