// Copies of small models run by older onnxruntimes, right or wrong and not only loaded, beside the least version that their
// reports name: `npm run bench:versions -- [VERSION…] [MODEL…]`. Installs each release from the registry into dist/onnxruntime.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { numbersOf } from "../../src/core/calibration/convert";
import type { Tensor, TensorType } from "../../src/core/calibration/tensor";
import { UsageError } from "../../src/cli/options";
import { Failure } from "../../src/core/failure";
import { readModel } from "../../src/core/onnx/model";
import { tensor } from "../../src/core/onnx/tensors";
import { seeded } from "../../src/core/random";
import { openSession } from "../../src/engine/runtime";
import { arraysBeside } from "../engine/files";
import { runWords } from "../engine/run";
import { ids, lookUp, ROWS, weights, WIDTH, writeTableModel } from "../engine/tableModel";

const VERSIONS = ["1.17.3", "1.20.1", "1.23.2", "1.24.3", "1.26.0"];
/** In front of a version: the package for browsers, whose WebAssembly runs in Node, too. */
const WEB = "web-";
/** Not bundled: it must load no onnxruntime but the one it is given. */
const CHILD = "test/bench/runWith.cjs";
const MODELS = "test/data/awkward";
const COPIES: readonly string[] = [
  "--bits 8",
  "--bits 8 --format packed",
  "--bits 8 --format nbits",
  "--bits 8 --format qdq --group 32",
  "--bits 8 --format qdq --per-tensor",
  "--bits 4",
  "--bits 4 --format packed",
  "--bits 4 --format nbits",
  "--bits 4 --format nbits --alphabet midrise",
  "--bits 4 --format nbits --group 32",
  "--bits 4 --format qdq --group 32",
  "--bits 2",
  "--bits 2 --format nbits",
  "--bits 2 --format nbits --alphabet midrise",
  "--bits 2 --format nbits --group 16",
  "--bits 2 --format qdq",
  "--bits 2 --format qdq --group 32",
];
/** Weights alone, and what int8 activations explain (onnx.md, section 3). What is wrong is off by about 1. */
const BOUNDS = { exact: 1e-3, int8: 0.05 };

/** The Node binding of 1.17 neither takes nor gives float16, whatever the model. */
const LEAST_FOR_HALVES = "1.20";

/** One copy and its inputs, with what the version that is installed here makes of it when only its weights are quantized. */
interface Case {
  readonly name: string;
  /** The words it was made with. */
  readonly how: string;
  readonly copy: string;
  readonly leastCorrect: string;
  readonly feed: readonly PlainTensor[];
  readonly wanted: readonly PlainTensor[];
}
interface PlainTensor {
  readonly name: string;
  readonly type: TensorType;
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

type Outcome =
  { readonly kind: "ran"; readonly error: number } | { readonly kind: "refused"; readonly why: string };

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const wanted = words.filter(word => /^(web-)?\d/.test(word));
  const models = words.filter(word => !wanted.includes(word));
  const versions = wanted.length > 0 ? wanted : VERSIONS;
  const folders = versions.map(install);
  const work = mkdtempSync(join(tmpdir(), "whittle-versions-"));
  let faults = 0;
  const tally = new Map<string, number>();
  const count = (key: string): unknown => tally.set(key, (tally.get(key) ?? 0) + 1);
  console.log(["model and copy".padEnd(72), "least", ...versions].map(word => word.padStart(7)).join("  "));
  try {
    const cases: Case[] = [];
    for (const model of modelsIn(work)) {
      if (models.length === 0 || models.some(name => model.name.includes(name)))
        cases.push(...(await makeCases(model, work, cases.length)));
    }
    const outcomes = folders.map(folder => inChild(folder, cases, work));
    for (const [c, one] of cases.entries()) {
      const cells = versions.map((version, k) => {
        const outcome = outcomes[k]![c]!;
        const verdict = verdictOf(outcome);
        const promised = !isOlder(version, one.leastCorrect);
        const isFault = promised && (verdict === "wrong" || verdict === "refused");
        if (isFault) faults++;
        if (isFault && outcome.kind === "refused") console.error(`${one.name} on ${version}: ${outcome.why}`);
        count(`${version} ${promised ? "promised" : "not promised"}: ${verdict}`);
        // Where this says "right", the table promises too little.
        if (!promised && verdict !== "wrong" && verdict !== "refused")
          count(`${version} not promised, right: ${one.how}`);
        return `${verdict}${isFault ? " !" : ""}`.padStart(7);
      });
      console.log([one.name.padEnd(72), one.leastCorrect.padStart(7), ...cells].join("  "));
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  for (const [key, times] of [...tally].sort()) console.log(`${key} ${times}`);
  console.log(
    faults === 0 ? "Every promise is kept." : `${faults} copies are not right where their report says so.`,
  );
  process.exit(faults === 0 ? 0 : 1);
}

/** @returns the folder of the package. */
function install(version: string): string {
  const folder = resolve("dist/onnxruntime", version);
  const name = version.startsWith(WEB) ? "onnxruntime-web" : "onnxruntime-node";
  const installed = join(folder, "node_modules", name);
  if (existsSync(installed)) return installed;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  const words = ["install", `${name}@${version.replace(WEB, "")}`, "--ignore-scripts", "--no-audit", "--no-fund"];
  execFileSync("npm", words, { cwd: folder, stdio: "ignore" });
  return installed;
}

interface Source {
  readonly name: string;
  readonly file: string;
  readonly feed: ReadonlyMap<string, Tensor>;
}

/** The awkward models that have inputs, one with hidden layers behind Relu, and tables whose rows end with a byte and do not. */
function modelsIn(work: string): Source[] {
  const awkward = readdirSync(MODELS)
    .filter(name => name.endsWith(".onnx"))
    .map(name => ({ name, file: join(MODELS, name), feed: arraysBeside(join(MODELS, name), "in") }));
  const random = seeded(1);
  const data = Float32Array.from({ length: 4 * 784 }, () => random());
  const digits = new Map<string, Tensor>([["input", { type: "float32", dims: [4, 784], data }]]);
  const tables = [WIDTH, 27].map(width => {
    const folder = mkdtempSync(join(work, "table"));
    const file = writeTableModel(folder, lookUp(), [
      tensor("table", "float32", [ROWS, width], weights(ROWS * width)),
      tensor("head", "float32", [width, 12], weights(width * 12)),
    ]);
    return { name: `table of ${width}`, file, feed: new Map([["ids", ids]]) };
  });
  return [
    ...tables,
    { name: "mnist_mlp.onnx", file: "samples/mnist_mlp.onnx", feed: digits },
    ...awkward.filter(({ feed }) => feed.size > 0),
  ];
}

/** @param before copies that are in the folder. */
async function makeCases({ name, file, feed }: Source, work: string, before: number): Promise<Case[]> {
  const cases: Case[] = [];
  for (const how of COPIES) {
    const copy = join(work, `${before + cases.length}.onnx`);
    const table = name.startsWith("table") ? ["--layer", `table=${how.split(" ")[1]}`] : [];
    try {
      const words = [...how.split(" "), ...table];
      const { layers, runtime } = await runWords(file, "-o", copy, "--overwrite", "--method", "msq", ...words);
      if (layers.length === 0 || !runtime) continue;
      const session = await openSession(readModel(new Uint8Array(readFileSync(copy)), copy), {
        weightsAlone: true,
        threads: 1,
      });
      const wanted = await session.run(feed);
      await session.release();
      const least = runtime.leastCorrectOnnxruntime;
      const isHalf = hasHalves(feed) || hasHalves(wanted);
      const formats = [...new Set(layers.map(layer => layer.format))].join("+");
      cases.push({
        name: `${name} ${how.replaceAll("--", "")} (${formats})`,
        how,
        copy,
        leastCorrect: isHalf && isOlder(least, LEAST_FOR_HALVES) ? LEAST_FOR_HALVES : least,
        feed: plain(feed),
        wanted: plain(wanted).map(one => ({ ...one, values: Array.from(numbersOf(wanted.get(one.name)!)) })),
      });
    } catch (error) {
      // Files that are broken on purpose, and combinations that a format or a model does not have.
      if (!(error instanceof Failure) && !(error instanceof UsageError)) throw error;
    }
  }
  return cases;
}

function hasHalves(tensors: ReadonlyMap<string, Tensor>): boolean {
  return [...tensors.values()].some(one => one.type === "float16");
}

function plain(tensors: ReadonlyMap<string, Tensor>): PlainTensor[] {
  return [...tensors].map(([name, { type, dims, data }]) => ({
    name,
    type,
    dims,
    values: Array.from(data, Number),
  }));
}

/** In a process of its own: an old version may abort, and then has run none of those that follow. */
function inChild(onnxruntime: string, cases: readonly Case[], work: string): Outcome[] {
  const file = join(work, "cases.json");
  writeFileSync(file, JSON.stringify(cases));
  const outcomes: Outcome[] = [];
  while (outcomes.length < cases.length) {
    const words = [CHILD, onnxruntime, file, String(outcomes.length)];
    const { stdout, signal, status } = spawnSync(process.execPath, words, { encoding: "utf8", maxBuffer: 2 ** 26 });
    const lines = stdout.split("\n").filter(line => line.startsWith("{"));
    outcomes.push(...lines.map(line => JSON.parse(line) as Outcome));
    if (outcomes.length < cases.length) outcomes.push({ kind: "refused", why: `ended with ${signal ?? status}` });
  }
  return outcomes;
}

function verdictOf(outcome: Outcome): string {
  if (outcome.kind === "refused") return "refused";
  if (outcome.error <= BOUNDS.exact) return "exact";
  return outcome.error <= BOUNDS.int8 ? "int8" : "wrong";
}

function isOlder(version: string, least: string): boolean {
  const [a, b] = [version.replace(WEB, ""), least].map(text => text.split(".").map(Number));
  return a![0] !== b![0] ? a![0]! < b![0]! : a![1]! < b![1]!;
}

void main();
