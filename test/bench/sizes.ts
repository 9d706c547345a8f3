// Bytes of each copy beside what arithmetic asks for: `npm run bench:sizes -- [NAME…] [--write]`; sizes.md has what it gave. The
// limit is the file without its quantized weights, and for those bits a weight, 4 bytes a scale and, where the format stores zero
// points, their bits, one of each an alphabet. What lies above is of the format (MatMulNBits takes blocks, which are padded and
// repeat their scale; `packed` stores a zero point in a byte) or of the graph (nodes, names, shapes, what was done). Of the models
// of the developers' pack (../shared) over 1 MB, rounded without data. Sizes are those of a dry run, which a test holds against
// written copies; `--write` writes them, too.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../../src/cli/options";
import { Failure } from "../../src/core/failure";
import { FORMATS } from "../../src/core/formats/copy";
import { ALL_BITS } from "../../src/core/grid/alphabet";
import type { LayerReport, Report } from "../../src/core/report/report";
import { bytesOf } from "../engine/files";
import { runWords } from "../engine/run";

const MODELS = "../shared/data/models";
const LEAST_BYTES = 1e6;
/** Bytes above the limit, as a share of it and of the model. */
const BOUND = 0.01;
const SCALE_BYTES = 4;

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const names = words.filter(word => word !== "--write");
  const files = readdirSync(MODELS).filter(
    file => file.endsWith(".onnx") && (names.length === 0 || names.some(name => file.includes(name))),
  );
  const work = mkdtempSync(join(tmpdir(), "whittle-sizes-"));
  console.log(
    row("model", "format", "bits", "bytes", "limit", "above", "format", "graph", "of model", "stored as"),
  );
  let [copies, beyond, beyondOfModel, graphBeyond] = [0, 0, 0, 0];
  try {
    for (const file of files) {
      for (const format of FORMATS) {
        for (const bits of ALL_BITS.toReversed()) {
          const report = await sizesOf(
            join(MODELS, file),
            format,
            String(bits),
            join(work, "c.onnx"),
            words.includes("--write"),
          );
          if (report === undefined || report.bytesBefore < LEAST_BYTES) continue;
          const limit = limitOf(report);
          const above = report.bytesAfter - limit;
          const ofFormat = report.layers.reduce((sum, layer) => sum + layer.bytesAfter - layerLimit(layer), 0);
          copies++;
          if (above > BOUND * limit) beyond++;
          if (above > BOUND * report.bytesBefore) beyondOfModel++;
          if (above - ofFormat > BOUND * limit) graphBeyond++;
          const stored = FORMATS.map(
            one => [report.layers.filter(layer => layer.format === one).length, one] as const,
          )
            .filter(([count]) => count > 0)
            .map(([count, one]) => `${count} ${one}`);
          const percent = (bytes: number, of: number): string => `${((100 * bytes) / of).toFixed(2)} %`;
          const shares = [above, ofFormat, above - ofFormat].map(bytes => percent(bytes, limit));
          const sizes = [String(bits), String(report.bytesAfter), limit.toFixed(0)];
          const ofModel = percent(above, report.bytesBefore);
          console.log(row(file, format, ...sizes, ...shares, ofModel, stored.join(", ")));
        }
      }
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const percent = `${100 * BOUND} %`;
  console.log(
    `${copies} copies; ${beyond} are above the limit by more than ${percent} of it, ${beyondOfModel} by more than ${percent} of the model. Of the graph alone: ${graphBeyond}.`,
  );
}

/** undefined where the format does not have this width, or the model no layers. */
async function sizesOf(
  model: string,
  format: string,
  bits: string,
  copy: string,
  isWritten: boolean,
): Promise<Report | undefined> {
  const words = [model, "-o", copy, "--format", format, "--bits", bits, "--fold-bn", "off", "--method", "msq"];
  try {
    const planned = await runWords(...words, "--dry-run");
    if (isWritten) {
      const done = await runWords(...words, "--radius", "max", "--overwrite");
      if (done.bytesAfter !== planned.bytesAfter || bytesOf(copy).length !== planned.bytesAfter)
        throw new Error(
          `${model} ${format} ${bits}: ${done.bytesAfter} bytes, and ${planned.bytesAfter} were foreseen.`,
        );
    }
    return planned.layers.length > 0 ? planned : undefined;
  } catch (error) {
    if (error instanceof Failure || error instanceof UsageError) return undefined;
    throw error;
  }
}

function limitOf({ bytesBefore, layers }: Report): number {
  return layers.reduce((bytes, layer) => bytes - layer.bytesBefore + layerLimit(layer), bytesBefore);
}

/** One alphabet a neuron. */
function layerLimit({ inputs, neurons, bits, alphabet, format }: LayerReport): number {
  // Zero points in half steps have one bit more; DequantizeLinear is right everywhere only with a zero point (onnx.md, trap 2).
  const halves = format === "packed" && bits < 4 ? 1 : 0;
  const zeroPointBits = alphabet === "affine" || format === "qdq" ? bits + halves : 0;
  return (inputs * neurons * bits) / 8 + neurons * (SCALE_BYTES + zeroPointBits / 8);
}

function row(model: string, format: string, ...cells: string[]): string {
  const stored = cells.pop() ?? "";
  return `${model.padEnd(30)} ${format.padEnd(7)}${cells.map(cell => cell.padStart(10)).join("")}  ${stored}`;
}

void main();
