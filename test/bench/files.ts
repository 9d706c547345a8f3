// Every model of some folders, quantized to 8, 4 and 2 bits in each format: layers, what is left alone and why, and the largest
// difference of an output of the copy from that of its dequantized weights put back as floats. `npm run bench:files -- [FOLDER…]
// [--format NAME]`; without folders the awkward models and the models of the developers' pack, the small ones first. files.md has
// what it gave.
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../../src/cli/options";
import { FORMATS } from "../../src/core/formats/copy";
import { Failure } from "../../src/core/failure";
import type { Report } from "../../src/core/report/report";
import { inspect } from "../../src/engine/inspect";
import { runWords } from "../engine/run";

const FOLDERS = ["test/data/awkward", "../shared/data/awkward/real", "../shared/data/models"];
const BITS = [8, 4, 2] as const;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { format: { type: "string" } } });
  const folders = positionals.length > 0 ? positionals : FOLDERS;
  const formats = FORMATS.filter(format => values.format === undefined || format === values.format);
  const work = mkdtempSync(join(tmpdir(), "whittle-files-"));
  const columns = formats.flatMap(format => BITS.map(bits => ({ format, bits })));
  const heads = ["file", "layers", "left alone", ...columns.map(({ format, bits }) => `${format} ${bits}`)];
  console.log(`| ${heads.join(" | ")} |\n|${" --- |".repeat(heads.length)}`);
  const tally = new Map<string, number>();
  try {
    for (const folder of folders) {
      const size = (name: string): number => statSync(join(folder, name)).size;
      const files = readdirSync(folder).filter(name => name.endsWith(".onnx"));
      for (const file of files.sort((a, b) => size(a) - size(b) || (a < b ? -1 : 1))) {
        const model = join(folder, file);
        const cells = cellsOf(model);
        const copies: string[] = [];
        for (const { format, bits } of columns) {
          if (cells.length === 1) break;
          const cell = await copyOf(model, join(work, "copy.onnx"), format, bits);
          copies.push(cell);
        }
        for (const cell of [...cells.slice(0, 1), ...copies]) {
          const kind = /^\d/.test(cell) ? "right" : cell;
          tally.set(kind, (tally.get(kind) ?? 0) + 1);
        }
        console.log(`| ${[file, ...cells, ...copies].join(" | ")} |`);
      }
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  for (const [kind, count] of [...tally].sort()) console.log(`${kind}: ${count}`);
}

/** Layers and what is left alone; the failure where the file is no model that can be read. */
function cellsOf(model: string): string[] {
  try {
    const { layers, skipped } = inspect(model);
    const reasons = new Map<string, number>();
    for (const { reason } of skipped) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    return [String(layers.length), [...reasons].map(([reason, count]) => `${reason} ${count}`).join(", ") || "-"];
  } catch (error) {
    if (error instanceof Failure) return [error.code];
    throw error;
  }
}

/** The largest difference, with an asterisk where another format stands in for some layers; or what was said instead. */
async function copyOf(model: string, copy: string, format: string, bits: number): Promise<string> {
  let report: Report;
  try {
    const words = [model, "-o", copy, "--bits", String(bits), "--format", format, "--method", "msq", "--overwrite"];
    report = await runWords(...words);
  } catch (error) {
    if (error instanceof Failure) return error.code;
    if (error instanceof UsageError) return "none";
    throw error;
  }
  if (report.layers.length === 0) return "unchanged";
  const other = report.layers.some(layer => layer.format !== format) ? "*" : "";
  const difference = report.runtime?.differenceAlone;
  if (report.runtime === null) return `not run${other}`;
  return `${difference === null || difference === undefined ? "?" : difference.toExponential(0)}${other}`;
}

void main();
