// Whole networks, quantized with `--data` and `--bits` alone and scored on the test data of the developers' pack:
// `npm run bench:networks -- [NETWORK…] [--bits 4,3,2] [--method NAME] [--target float|quantized] [--data SPEC.json]`.
// `--average 4.5` instead of `--bits`: bits chosen within the bytes that so many bits a weight take. `--group 32`: an alphabet
// for so many inputs of a neuron.
// Every cell is beside the bound it must keep: networks.md section 6, at 8 bits those of symmetric alphabets.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Report } from "../../src/core/report/report";
import { evaluate, type Evaluation } from "../../src/engine/evaluate";
import { runWords } from "../engine/run";

const PACK = "../shared/data";

/** A score (top-1 in %, or a cross-entropy) and the output's signal to noise ratio in dB. */
type Bound = readonly [score: number, db: number];

interface Network {
  readonly model: string;
  readonly bounds: Readonly<Partial<Record<number, Bound>>>;
  /** Bounds of bits chosen layer by layer, by their average. */
  readonly mixed?: Readonly<Record<number, Bound>>;
  /** Bounds with an alphabet for every 32 inputs. */
  readonly groupsOf32?: Readonly<Record<number, Bound>>;
}

const NETWORKS: Readonly<Record<string, Network>> = {
  mnist_mlp: {
    model: "mnist_mlp_784-500-300-10.onnx",
    bounds: { 8: [97.9, 58], 4: [97.7, 37], 3: [97.6, 30.5], 2: [97.5, 24], 1: [96.3, 16.3] },
  },
  mnist_cnn: {
    model: "mnist_cnn_conv_bn.onnx",
    bounds: { 8: [99.2, 56], 4: [99.1, 34.3], 3: [99.1, 28.7], 2: [99.0, 22.3], 1: [98.7, 15.8] },
  },
  cifar10_resnet20: {
    model: "cifar10_resnet20.onnx",
    bounds: { 8: [90.6, 47], 4: [90.2, 25.7], 3: [90.0, 20.3], 2: [89.4, 14.2], 1: [82.5, 7.8] },
    mixed: { 2.5: [90, 16.8] },
  },
  "squeezenet1.1": {
    model: "squeezenet1.1.onnx",
    bounds: { 8: [58.5, 48], 4: [56.5, 26.5], 3: [53.5, 20.6], 2: [43.5, 14.4] },
    mixed: { 3: [53.5, 22] },
    groupsOf32: { 4: [57.5, 29.2] },
  },
  "mobilenet_v1_0.25_224": {
    model: "mobilenet_v1_0.25_224.onnx",
    bounds: { 8: [55.75, 32.5], 4: [50.5, 12.6], 3: [41.5, 7.5], 2: [17.5, 3.3] },
    mixed: { 4.5: [53, 14] },
    groupsOf32: { 4: [52, 14.2] },
  },
  stories260K: {
    model: "stories260K.onnx",
    bounds: { 8: [1.574, 43.5], 4: [1.625, 22.2], 3: [1.825, 16.4], 2: [2.83, 10.7] },
    mixed: { 3: [1.8, 16.4] },
    groupsOf32: { 4: [1.612, 22.2] },
  },
};

interface Cell {
  readonly network: string;
  readonly bits: number;
  /** What was predicted where the bits were chosen. */
  readonly predictedDb: number | null;
  readonly method: string;
  readonly target: string;
  readonly score: number | null;
  readonly floatScore: number | null;
  readonly db: number | null;
  readonly heldOutDb: number | null;
  readonly agreement: number | null;
  readonly seconds: number;
  readonly bound: Bound | null;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      bits: { type: "string" },
      average: { type: "string" },
      group: { type: "string" },
      method: { type: "string", default: "maly-saab" },
      target: { type: "string", default: "float" },
      data: { type: "string", default: `${PACK}/manifest.json` },
      more: { type: "string", default: "" },
    },
  });
  const names = positionals.length > 0 ? positionals : Object.keys(NETWORKS);
  const folder = mkdtempSync(join(tmpdir(), "whittle-networks-"));
  const cells: Cell[] = [];
  console.log(
    row([
      "network",
      "bits",
      "method",
      "target",
      "score",
      "float",
      "bound",
      "dB",
      "bound",
      "held out",
      "agree",
      "s",
    ]),
  );
  try {
    for (const name of names) {
      for (const bits of (values.average ?? values.bits ?? "8,4,3,2").split(",")) {
        for (const method of values.method.split(",")) {
          for (const target of values.target.split(",")) {
            const more = values.more.split(" ").filter(word => word !== "");
            const group = values.group === undefined ? [] : ["--group", values.group];
            const words = ["--method", method, "--target", target, ...group, ...more];
            const width: Width = { bits: Number(bits), average: values.average !== undefined, group: values.group };
            const cell = await cellOf(name, width, words, values.data, join(folder, "copy.onnx"));
            cells.push(cell);
            console.log(rowOf(cell));
          }
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  writeFileSync("dist/networks.json", JSON.stringify(cells, null, 1));
  const below = cells.filter(cell => missed(cell).length > 0);
  console.log(
    below.length === 0 ? "Every bound is kept." : `${below.length} of ${cells.length} cells below their bound.`,
  );
}

/** Bits of every weight, or of a weight on average. */
interface Width {
  readonly bits: number;
  readonly average: boolean;
  readonly group: string | undefined;
}

async function cellOf(
  network: string,
  width: Width,
  more: readonly string[],
  data: string,
  output: string,
): Promise<Cell> {
  const known = NETWORKS[network];
  if (!known) throw new Error(`No network "${network}"; there are ${Object.keys(NETWORKS).join(", ")}.`);
  const model = `${PACK}/models/${known.model}`;
  const spec = `${data}#${network}`;
  const words = ["--data", spec, "--overwrite", ...more];
  const run = (...others: string[]): Promise<Report> => runWords(...[model, "-o", output, ...words, ...others]);
  const report = width.average ? await withinAverage(width.bits, run) : await run("--bits", String(width.bits));
  const [method, target] = [report.options.method, report.options.target].map(String) as [string, string];
  const bounds =
    width.group === undefined
      ? width.average
        ? known.mixed
        : known.bounds
      : width.group === "32"
        ? known.groupsOf32
        : {};
  const found = await evaluate({
    model: output,
    against: model,
    data: spec,
    samples: undefined,
    asRun: false,
    threads: availableParallelism(),
  });
  return {
    network,
    bits: report.budget?.averageBits ?? width.bits,
    predictedDb: report.budget && -20 * Math.log10(report.budget.predictedError),
    method,
    target,
    score: scoreOf(found),
    floatScore: found.against ? scoreOf(found.against) : null,
    db: found.sqnrDb ?? null,
    heldOutDb: report.outputs[0]?.sqnrDb ?? null,
    agreement: found.agreement ?? null,
    seconds: report.seconds,
    bound: bounds?.[width.bits] ?? null,
  };
}

/** Bits chosen within the bytes that take so many bits a weight on average. */
async function withinAverage(bits: number, run: (...words: string[]) => Promise<Report>): Promise<Report> {
  const sizes = await run("--bits", "4", "--dry-run");
  const weights = sizes.layers.reduce((sum, layer) => sum + layer.bytesBefore / 4, 0);
  let bytes = sizes.bytesAfter + ((bits - 4) * weights) / 8;
  let best = 0;
  for (let tries = 0; tries < MOST_TRIES || best === 0; tries++) {
    const report = await run("--max-bytes", String(Math.floor(bytes)));
    const under = bits - report.budget!.averageBits;
    if (under >= 0 && under < 0.02) return report;
    if (under >= 0) best = Math.max(best, Math.floor(bytes));
    // Formats differ in what a layer takes beside its codes.
    bytes += (under * weights) / 8 - 1;
  }
  return run("--max-bytes", String(best));
}

const MOST_TRIES = 4;

/** Top-1 in %, or a cross-entropy in nats. */
function scoreOf({ top1, crossEntropy }: Pick<Evaluation, "top1" | "crossEntropy">): number | null {
  return top1 === undefined ? (crossEntropy ?? null) : 100 * top1;
}

/** Which figures are below their bound; a cross-entropy is better when it is smaller. */
function missed({ network, score, db, bound }: Cell): ("score" | "dB")[] {
  if (!bound) return [];
  const worse = score !== null && (network === "stories260K" ? score > bound[0] : score < bound[0]);
  return [...(worse ? (["score"] as const) : []), ...(db !== null && db < bound[1] ? (["dB"] as const) : [])];
}

function rowOf(cell: Cell): string {
  const bad = missed(cell);
  const digits = cell.network === "stories260K" ? 4 : 2;
  const number = (value: number | null, fixed: number, mark = ""): string =>
    value === null ? "-" : `${value.toFixed(fixed)}${mark}`;
  return row([
    cell.network,
    cell.bits.toFixed(2).replace(/\.00$/, ""),
    cell.method,
    cell.target,
    number(cell.score, digits, bad.includes("score") ? " !" : ""),
    number(cell.floatScore, digits),
    number(cell.bound?.[0] ?? null, digits),
    number(cell.db, 1, bad.includes("dB") ? " !" : ""),
    number(cell.bound?.[1] ?? null, 1),
    number(cell.heldOutDb, 1),
    number(cell.agreement, 3),
    number(cell.seconds, 1),
    number(cell.predictedDb, 1),
  ]);
}

function row(words: readonly string[]): string {
  return words.map((word, k) => (k === 0 ? word.padEnd(22) : word.padStart(k === 2 || k === 3 ? 10 : 8))).join(" ");
}

void main();
