// Mutates models and data and sees that Whittle ends each in a result or a Failure: `npm run fuzz -- [COUNT] [SEED] [FIRST]`.
// Linux only: resident memory is read from /proc. The mutants that broke something are kept in the folder it names.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { allTensors, readModel, writeModel } from "../../src/core/onnx/model";
import { seeded } from "../../src/core/random";
import { endChild, judge, type Verdict } from "./judge";
import { dice, mutant } from "./mutate";
import { type Seed, seedsIn } from "./seeds";

/** One mutant in so many is a file of data, one model in so many a real one. */
const DATA_EVERY = 4;
const REAL_EVERY = 8;
/** What a failure of these says accuses a copy, not a mutant: each is kept and looked at. */
const LOOKED_AT = /copy-differs|copy-does-not-load/;

const [count, seed, first] = [2, 3, 4].map((place, k) => Number(process.argv[place] ?? [1000, 1, 0][k]));
const work = mkdtempSync(join(tmpdir(), "whittle-fuzz-"));
const kept = join(tmpdir(), `whittle-fuzz-${seed}`);
const seeds = seedsIn(work);

/** Mutant number k of the seed: the same again, whatever came before it. */
function draw(k: number): { from: Seed; what: string; bytes: Uint8Array } {
  const draws = dice(seeded(seed! * 1_000_003 + k));
  const isData = k % DATA_EVERY === DATA_EVERY - 1;
  const group = isData ? seeds.data : draws.below(REAL_EVERY) === 0 ? seeds.real : seeds.models;
  const from = draws.of(group);
  return { from, ...mutant(from, group, draws) };
}

/** What a mutant that gave a result is different in. */
function difference(from: Seed, bytes: Uint8Array): string {
  if (Buffer.compare(from.bytes, bytes) === 0) return ", the file as it was";
  if (from.kind === "data") return "";
  return Buffer.compare(withoutNumbers(from.bytes), withoutNumbers(bytes)) === 0 ? ", other weights alone" : "";
}

function withoutNumbers(bytes: Uint8Array): Uint8Array {
  const model = readModel(bytes, "mutant");
  for (const one of allTensors(model)) Object.assign(one, { rawData: new Uint8Array(0), floatData: [] });
  return writeModel(model);
}

function keep(k: number, { from, what, bytes }: ReturnType<typeof draw>, { word, detail }: Verdict): string {
  mkdirSync(kept, { recursive: true });
  const name = `${k}_${word.replaceAll(/\W+/g, "-")}_${basename(from.name)}`;
  writeFileSync(join(kept, name), bytes);
  const line = `${name}: ${what}\n${detail ?? ""}`;
  writeFileSync(join(kept, `${name}.txt`), line);
  process.stderr.write(`${line.slice(0, 600)}\n`);
  return line;
}

async function main(): Promise<void> {
  rmSync(kept, { recursive: true, force: true });
  const tally = new Map<string, number>();
  let [slowest, largest, broke, looked] = [0, 0, 0, 0];
  for (let k = first!; k < first! + count!; k++) {
    const drawn = draw(k);
    const { from, bytes } = drawn;
    writeFileSync(join(work, from.file), bytes);
    const verdict = await judge({
      model: join(work, from.kind === "data" ? "mnist_mlp.onnx" : from.file),
      data: from.reference && join(work, from.reference),
      copy: join(work, "copy.onnx"),
      copied: from.copied,
    });
    const asWhat = /quantize result/.test(verdict.word) ? difference(from, bytes) : "";
    const line = `${from.kind}${from.copied ? "" : ", not copied"}: ${verdict.word}${asWhat}`;
    tally.set(line, (tally.get(line) ?? 0) + 1);
    if (verdict.broke || LOOKED_AT.test(verdict.word)) keep(k, drawn, verdict);
    if (verdict.broke) broke++;
    else if (LOOKED_AT.test(verdict.word)) looked++;
    if (verdict.broke) continue;
    slowest = Math.max(slowest, verdict.cpuSeconds);
    largest = Math.max(largest, verdict.peakBytes);
  }
  endChild();
  rmSync(work, { recursive: true, force: true });
  const lines = [...tally].sort().map(([word, times]) => `${String(times).padStart(6)}  ${word}`);
  process.stdout.write(
    `Mutants ${first} to ${first! + count! - 1} of seed ${seed}: ${seeds.models.length} awkward models, ${seeds.real.length} real ones, ${seeds.data.length} data files\n` +
      `${lines.join("\n")}\n` +
      `slowest ${slowest.toFixed(2)} s of the processor, largest ${Math.round(largest / 2 ** 20)} MB resident, ${broke} broke something` +
      `${broke + looked > 0 ? ` (kept in ${kept})` : ""}\n`,
  );
  process.exitCode = broke > 0 ? 1 : 0;
}

void main();
