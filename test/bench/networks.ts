// Whole networks, quantized with `--data` and `--bits` alone and scored on the test data of the developers' pack:
// `npm run bench:networks -- [NETWORK…] [--bits 4,3,2] [--method NAME] [--target float|quantized] [--data SPEC.json]`.
// Every cell is beside the bound it must keep: networks.md section 6, at 8 bits those of symmetric alphabets.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseCommand } from "../../src/cli/options";
import { evaluate, type Evaluation } from "../../src/engine/evaluate";
import { quantize } from "../../src/engine/quantize";

const PACK = "../shared/data";

/** A score (top-1 in %, or a cross-entropy) and the output's signal to noise ratio in dB. */
type Bound = readonly [score: number, db: number];

interface Network {
  readonly model: string;
  readonly bounds: Readonly<Partial<Record<number, Bound>>>;
  /** Left float: tables, and heads that share them. */
  readonly exclude?: string;
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
  },
  "squeezenet1.1": {
    model: "squeezenet1.1.onnx",
    bounds: { 8: [58.5, 48], 4: [56.5, 26.5], 3: [53.5, 20.6], 2: [43.5, 14.4] },
  },
  "mobilenet_v1_0.25_224": {
    model: "mobilenet_v1_0.25_224.onnx",
    bounds: { 8: [55.75, 32.5], 4: [50.5, 12.6], 3: [41.5, 7.5], 2: [17.5, 3.3] },
  },
  stories260K: {
    model: "stories260K.onnx",
    bounds: { 8: [1.574, 43.5], 4: [1.625, 22.2], 3: [1.825, 16.4], 2: [2.83, 10.7] },
  },
};

interface Cell {
  readonly network: string;
  readonly bits: number;
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
      bits: { type: "string", default: "8,4,3,2" },
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
      for (const bits of values.bits.split(",")) {
        for (const method of values.method.split(",")) {
          for (const target of values.target.split(",")) {
            const more = values.more.split(" ").filter(word => word !== "");
            const cell = await cellOf(name, bits, method, target, values.data, join(folder, "copy.onnx"), more);
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

async function cellOf(
  network: string,
  bits: string,
  method: string,
  target: string,
  data: string,
  output: string,
  more: readonly string[],
): Promise<Cell> {
  const known = NETWORKS[network];
  if (!known) throw new Error(`No network "${network}"; there are ${Object.keys(NETWORKS).join(", ")}.`);
  const model = `${PACK}/models/${known.model}`;
  const spec = `${data}#${network}`;
  const words = ["--data", spec, "--bits", bits, "--method", method, "--target", target, "--overwrite", ...more];
  const command = parseCommand(["quantize", model, "-o", output, ...words]);
  if (command.kind !== "quantize") throw new Error("Not a command to quantize.");
  const report = await quantize(command.job, {
    onPlan: () => {},
    onLayerStart: () => {},
    onLayer: () => {},
    onStage: () => {},
  });
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
    bits: Number(bits),
    method,
    target,
    score: scoreOf(found),
    floatScore: found.against ? scoreOf(found.against) : null,
    db: found.sqnrDb ?? null,
    heldOutDb: report.outputs[0]?.sqnrDb ?? null,
    agreement: found.agreement ?? null,
    seconds: report.seconds,
    bound: known.bounds[Number(bits)] ?? null,
  };
}

/** Top-1 in %. */
function scoreOf({ top1 }: Pick<Evaluation, "top1">): number | null {
  return top1 === undefined ? null : 100 * top1;
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
    String(cell.bits),
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
  ]);
}

function row(words: readonly string[]): string {
  return words.map((word, k) => (k === 0 ? word.padEnd(22) : word.padStart(k === 2 || k === 3 ? 10 : 8))).join(" ");
}

void main();
