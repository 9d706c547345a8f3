// The models of the developers' pack that have stored outputs and no labels, quantized with `--data` and `--bits` alone: how far
// the first output of a copy is from the stored one, `npm run bench:fidelity -- [ENTRY…] [--bits 8,4]`.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { evaluate } from "../../src/engine/evaluate";
import { runWords } from "../engine/run";

const PACK = "../shared/data";

interface Entry {
  readonly id: string;
  readonly model: string;
  readonly golden_files?: readonly string[];
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { bits: { type: "string", default: "8,4" } },
  });
  const { entries } = JSON.parse(readFileSync(`${PACK}/manifest.json`, "utf8")) as { entries: Entry[] };
  const wanted = entries.filter(
    ({ id, golden_files: golden }) => golden && (positionals.length === 0 || positionals.includes(id)),
  );
  const folder = mkdtempSync(join(tmpdir(), "whittle-fidelity-"));
  const row = (cells: readonly (string | number)[]): void =>
    console.log(cells.map((cell, k) => (k === 0 ? String(cell).padEnd(22) : String(cell).padStart(9))).join(" "));
  row(["model", "bits", "layers", "rounded", "size %", "dB", "agree %", "s"]);
  try {
    for (const { id, model } of wanted) {
      for (const bits of values.bits.split(",")) {
        const [path, output, data] = [
          `${PACK}/models/${model}`,
          join(folder, "copy.onnx"),
          `${PACK}/manifest.json#${id}`,
        ];
        const report = await runWords(path, "-o", output, "--data", data, "--bits", bits, "--overwrite");
        const job = { model: output, against: undefined, data, asRun: false, threads: availableParallelism() };
        const found = await evaluate({ ...job, samples: undefined });
        row([
          id,
          bits,
          report.layers.length,
          report.layers.filter(layer => layer.rows === 0).length,
          ((100 * report.bytesAfter) / report.bytesBefore).toFixed(1),
          found.sqnrDb?.toFixed(1) ?? "exact",
          found.agreement === null || found.agreement === undefined ? "-" : (100 * found.agreement).toFixed(1),
          report.seconds.toFixed(1),
        ]);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

void main();
