// Copies of small models run by older onnxruntimes, right or wrong and not only loaded, beside the least version that their
// reports name: `npm run bench:versions -- [VERSION…]`. Installs each release from the registry into dist/onnxruntime.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Tensor, TensorType } from "../../src/core/calibration/tensor";
import { Failure } from "../../src/core/failure";
import { openSession } from "../../src/engine/runtime";
import { arraysBeside } from "../engine/files";
import { runWords } from "../engine/run";

const VERSIONS = ["1.17.3", "1.20.1", "1.23.2", "1.24.3", "1.26.0"];
/** Not bundled: it must load no onnxruntime but the one it is given. */
const CHILD = "test/bench/runWith.cjs";
const MODELS = "test/data/awkward";
const COPIES: readonly (readonly string[])[] = [
  ["--bits", "8"],
  ["--bits", "8", "--format", "packed"],
  ["--bits", "4"],
  ["--bits", "4", "--format", "packed"],
  ["--bits", "2"],
];
/** Weights alone, and what int8 activations explain (onnx.md, section 3). What is wrong is off by about 1. */
const BOUNDS = { exact: 1e-3, int8: 0.05 };

/** One copy and its inputs, with what the version that is installed here makes of it when only its weights are quantized. */
interface Case {
  readonly name: string;
  readonly copy: string;
  readonly least: string;
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
  const wanted = process.argv.slice(2);
  const versions = wanted.length > 0 ? wanted : VERSIONS;
  const folders = versions.map(install);
  const work = mkdtempSync(join(tmpdir(), "whittle-versions-"));
  let faults = 0;
  const tally = new Map<string, number>();
  console.log(
    ["model and copy".padEnd(58), "least", "right", ...versions].map(word => word.padStart(7)).join("  "),
  );
  try {
    for (const one of await makeCases(work)) {
      const file = join(work, "case.json");
      writeFileSync(file, JSON.stringify(one));
      const cells = folders.map((folder, k) => {
        const outcome = inChild(folder, file);
        const verdict = verdictOf(outcome);
        const promised = !isOlder(versions[k]!, one.leastCorrect);
        const fault = promised && (verdict === "wrong" || verdict === "refused");
        if (fault) faults++;
        if (fault && outcome.kind === "refused") console.error(`${one.name} on ${versions[k]}: ${outcome.why}`);
        const key = `${versions[k]} ${promised ? "promised" : "not promised"}: ${verdict}`;
        tally.set(key, (tally.get(key) ?? 0) + 1);
        return `${verdict}${fault ? " !" : ""}`.padStart(7);
      });
      console.log([one.name.padEnd(58), one.least.padStart(7), one.leastCorrect.padStart(7), ...cells].join("  "));
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  for (const [key, count] of [...tally].sort()) console.log(`${key} ${count}`);
  console.log(
    faults === 0 ? "Every promise is kept." : `${faults} copies are not right where their report says so.`,
  );
  process.exit(faults === 0 ? 0 : 1);
}

/** @returns the folder of the package. */
function install(version: string): string {
  const folder = resolve("dist/onnxruntime", version);
  const installed = join(folder, "node_modules/onnxruntime-node");
  if (existsSync(installed)) return installed;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  const words = ["install", `onnxruntime-node@${version}`, "--ignore-scripts", "--no-audit", "--no-fund"];
  execFileSync("npm", words, { cwd: folder, stdio: "ignore" });
  return installed;
}

async function makeCases(work: string): Promise<Case[]> {
  const cases: Case[] = [];
  let tried = 0;
  for (const file of readdirSync(MODELS).filter(name => name.endsWith(".onnx"))) {
    const feed = arraysBeside(join(MODELS, file), "in");
    if (feed.size === 0) continue;
    for (const words of COPIES) {
      const copy = join(work, `${tried++}.onnx`);
      try {
        const { layers, runtime } = await runWords(join(MODELS, file), "-o", copy, ...words);
        if (layers.length === 0 || !runtime) continue;
        const session = await openSession(copy, { weightsAlone: true, threads: 1 });
        const wanted = await session.run(feed);
        await session.release();
        cases.push({
          name: `${file} ${words.filter(word => !word.startsWith("--")).join(" ")} ${layers[0]!.format}`,
          copy,
          least: runtime.leastOnnxruntime,
          leastCorrect: runtime.leastCorrectOnnxruntime,
          feed: plain(feed),
          wanted: plain(wanted),
        });
      } catch (error) {
        // Files that are broken on purpose, and combinations that a format does not have.
        if (!(error instanceof Failure)) throw error;
      }
    }
  }
  return cases;
}

function plain(tensors: ReadonlyMap<string, Tensor>): PlainTensor[] {
  return [...tensors].map(([name, { type, dims, data }]) => ({
    name,
    type,
    dims,
    values: Array.from(data, Number),
  }));
}

/** In a process of its own: an old version may abort. */
function inChild(onnxruntime: string, file: string): Outcome {
  const { stdout, signal, status } = spawnSync(process.execPath, [CHILD, onnxruntime, file], { encoding: "utf8" });
  const last = stdout.trim().split("\n").at(-1) ?? "";
  return last.startsWith("{")
    ? (JSON.parse(last) as Outcome)
    : { kind: "refused", why: `ended with ${signal ?? status}` };
}

function verdictOf(outcome: Outcome): string {
  if (outcome.kind === "refused") return "refused";
  if (outcome.error <= BOUNDS.exact) return "exact";
  return outcome.error <= BOUNDS.int8 ? "int8" : "wrong";
}

function isOlder(version: string, least: string): boolean {
  const [a, b] = [version, least].map(text => text.split(".").map(Number));
  return a![0] !== b![0] ? a![0]! < b![0]! : a![1]! < b![1]!;
}

void main();
