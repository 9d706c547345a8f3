// Models past 2 GB through inspect and quantize: seconds, peak of resident memory, and the copy's outputs beside products of the
// stored weights: `npm run bench:large -- [FOLDER [WORD]]`, only the models whose name holds WORD. Takes about 10 GB of disk in
// FOLDER while it runs. No Windows: files with holes. `large.md` is what it printed.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { keptInMemory } from "../../src/core/calibration/kept";
import { elsewhere } from "../../src/core/onnx/bytes";
import type { TensorProto } from "../../src/core/onnx/onnx_pb";
import type { Report } from "../../src/core/report/report";
import { seeded } from "../../src/core/random";
import { openNetwork } from "../../src/engine/network";
import { openModel } from "../../src/engine/modelFile";
import { type BigModel, BIG_ROWS, writeBigPair, writeBigSingle } from "../engine/bigModels";

interface Case {
  readonly name: string;
  readonly big: BigModel;
  readonly write: typeof writeBigPair | typeof writeBigSingle;
  readonly quantize: readonly (readonly string[])[];
}

/** The shapes of make_big.py, and one of many layers. */
const SQUARE = { layers: 3, inputs: 16384, neurons: 16384 };
const WIDE = { layers: 1, inputs: 40960, neurons: 16384 };
const MANY = { layers: 36, inputs: 4096, neurons: 4096 };
const EIGHT = ["--bits", "8", "--method", "msq"];
/** 36 products with nothing between them are beyond the int8 activations that onnxruntime computes qdq with. */
const EIGHT_PACKED = [...EIGHT, "--format", "packed"];
const FIRST = ["--synthetic", "--layer", "*=keep", "--layer", "y0=4", "--layer", "y1=4"];

/** More inputs than a fit takes: rounded, to what the rows ask for. */
const TOO_WIDE = ["--synthetic", "--layer", "*=keep", "--layer", "y0=4"];

const CASES: readonly Case[] = [
  { name: "3 layers of 1 GiB, external data", big: SQUARE, write: writeBigPair, quantize: [EIGHT, TOO_WIDE] },
  { name: "1 layer of 2.5 GiB, one file", big: WIDE, write: writeBigSingle, quantize: [EIGHT] },
  { name: "36 layers of 64 MiB, external data", big: MANY, write: writeBigPair, quantize: [EIGHT_PACKED, FIRST] },
  { name: "36 layers of 64 MiB, one file", big: MANY, write: writeBigSingle, quantize: [EIGHT_PACKED] },
];

/** Largest relative error of the copy's outputs that its bits explain. */
const MOST_ERROR = 0.2;

async function main(): Promise<void> {
  const [within = tmpdir(), word = ""] = process.argv.slice(2);
  let wrong = 0;
  console.log("| model | what | seconds | of CPU | load | peak memory, MB | copy, MB | error of its outputs |");
  console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const { name, big, write, quantize } of CASES.filter(one => one.name.includes(word))) {
    const folder = mkdtempSync(join(within, "whittle-large-"));
    try {
      const model = write(folder, big);
      const looked = whittle(folder, ["inspect", model, "--json"]);
      console.log(row(name, "inspect", looked));
      for (const words of quantize) {
        const copy = join(folder, "copy.onnx");
        const done = whittle(folder, ["quantize", model, "-o", copy, "--overwrite", ...words, "--json"]);
        const report = JSON.parse(done.output) as Report;
        const error = await errorOf(copy, model, big);
        if (!(error <= MOST_ERROR)) wrong++;
        console.log(row(name, words.join(" "), done, megabytes(report.bytesAfter), error.toExponential(1)));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  process.exit(wrong === 0 ? 0 : 1);
}

function row(name: string, what: string, done: Done, copy = "", error = ""): string {
  const { seconds, cpuSeconds, peakBytes } = done;
  // What else the machine did, as the mean of runnable processes in the last minute.
  const load = loadavg()[0]!.toFixed(0);
  const cells = [name, what, seconds.toFixed(1), cpuSeconds.toFixed(1), load, megabytes(peakBytes), copy, error];
  return `| ${cells.join(" | ")} |`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

interface Done {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly output: string;
}

/** The command line in a process of its own. */
function whittle(folder: string, words: readonly string[]): Done {
  const counted = join(folder, "peak");
  const started = performance.now();
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--require", resolve("test/bench/countMemory.cjs"), "dist/cli.js", ...words],
    { encoding: "utf8", maxBuffer: 2 ** 28, env: { ...process.env, COUNT_MEMORY: counted } },
  );
  if (status !== 0) throw new Error(`whittle ${words.join(" ")} ended with ${status}: ${stderr}`);
  const seconds = (performance.now() - started) / 1000;
  const { peakBytes, cpuSeconds } = JSON.parse(readFileSync(counted, "utf8")) as Omit<Done, "seconds" | "output">;
  return { seconds, cpuSeconds, peakBytes, output: stdout };
}

/** ||y - xW|| / ||xW|| of one call: y is what onnxruntime makes of the copy, part by part, xW worked out here. */
async function errorOf(copy: string, model: string, big: BigModel): Promise<number> {
  const random = seeded(1);
  let wanted = Float64Array.from({ length: big.inputs }, () => random() - 0.5);
  const fed = Float32Array.from(wanted);
  const x = keptInMemory({ type: "float32", dims: [1, big.inputs], data: fed });
  for (const weight of openModel(model).model.graph.initializer) wanted = productOf(wanted, weight, big);
  const network = await openNetwork(
    copy,
    { weightsAlone: true, threads: 0 },
    { mostBytes: 2 ** 27, keep: one => Promise.resolve(keptInMemory(one)) },
  );
  let [difference, size] = [0, 0];
  for await (const outputs of network.outputs([new Map([["x", x]])])) {
    const [found] = outputs.values();
    for (const [j, value] of wanted.entries()) {
      difference += (Number(found!.data[j]) - value) ** 2;
      size += value ** 2;
    }
  }
  return Math.sqrt(difference / size);
}

/** xW, of which only the first rows of W are not zero. */
function productOf(x: Float64Array, weight: TensorProto, { neurons }: BigModel): Float64Array<ArrayBuffer> {
  const { source, offset } = elsewhere(weight)!.place!;
  const rows = new Float32Array(source.read(offset, 4 * BIG_ROWS * neurons).buffer);
  const product = new Float64Array(neurons);
  for (let i = 0; i < BIG_ROWS; i++)
    for (let j = 0; j < neurons; j++) product[j]! += x[i]! * rows[i * neurons + j]!;
  return product;
}

void main();
