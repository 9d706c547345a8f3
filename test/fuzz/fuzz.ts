// Mutates models and data and sees that Whittle ends each in a result or a Failure: `npm run fuzz -- [COUNT] [SEED]`.
// Linux only: resident memory is read from /proc. The mutants that broke something are kept in the folder it names.
import { type ChildProcess, fork } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { seeded } from "../../src/core/random";
import type { Ended, Job } from "./child";
import { dice, type Kind, mutant } from "./mutate";

/** Of the processor: on a machine with other work the clock would tell of that. A mutant that waits ends by the clock. */
const CPU_SECONDS = 2;
const WAIT_SECONDS = 20;
const MAX_RSS_BYTES = 512 * 2 ** 20;
/** A process takes so many mutants one after the other; what one leaves in memory must not be told of the next. */
const BATCH = 200;
/** One in so many is a file of data, for the sample model; the others are models. */
const DATA_EVERY = 8;

const [count, seed] = [Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 1)];
const work = mkdtempSync(join(tmpdir(), "whittle-fuzz-"));
const kept = join(tmpdir(), `whittle-fuzz-broke-${seed}`);

interface Seed {
  readonly kind: Kind;
  readonly file: string;
  readonly bytes: Uint8Array;
}

function seedsIn(folder: string, ending: RegExp, kind: Kind): Seed[] {
  return readdirSync(folder)
    .filter(file => ending.test(file) && !file.startsWith("broken_"))
    .sort()
    .map(file => ({ kind, file, bytes: new Uint8Array(readFileSync(join(folder, file))) }));
}

const awkward = "test/data/awkward";
// The large sample is drawn as often as each of the small ones.
const models = [...seedsIn(awkward, /\.onnx$/, "model"), ...seedsIn("samples", /\.onnx$/, "model")].filter(
  ({ file }) =>
    !file.startsWith("external_missing") && !file.startsWith("external_p") && !file.startsWith("external_a"),
);
const data = seedsIn("samples", /mnist\.json$|calibration\.npy$/, "data");

cpSync(awkward, work, { recursive: true, filter: path => !/\.(onnx|npy)$/.test(path) });
cpSync("samples", work, { recursive: true });
// A mutated array is read through a data file that is whole.
const ofArrays = JSON.parse(readFileSync("samples/mnist.json", "utf8")) as object;
writeFileSync(join(work, "arrays.json"), JSON.stringify({ ...ofArrays, calib: "mutant_mnist_calibration.npy" }));

interface Verdict {
  readonly word: string;
  readonly detail: string | undefined;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

let child: ChildProcess | undefined;
let taken = 0;

function childFor(): ChildProcess {
  if (child && taken < BATCH) return child;
  child?.kill("SIGKILL");
  taken = 0;
  return (child = fork(join(__dirname, "child.js"), {
    execArgv: ["--max-old-space-size=512", "--enable-source-maps"],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  }));
}

/** Resident memory and processor time so far; of no more than a moment ago where the process has just ended. */
function usageOf(pid: number): { bytes: number; cpuSeconds: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]!.split(" ");
    // proc(5): utime and stime are fields 14 and 15 in ticks of 1/100 s, rss is field 24 in pages of 4 KB.
    return { bytes: Number(fields[21]) * 4096, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100 };
  } catch {
    return undefined;
  }
}

function judge(job: Job): Promise<Verdict> {
  const fresh = child === undefined || taken >= BATCH;
  const at = childFor();
  taken++;
  return new Promise(resolve => {
    const started = performance.now();
    let peakBytes = 0;
    const before = fresh ? 0 : (usageOf(at.pid!)?.cpuSeconds ?? 0);
    let cpuSeconds = 0;
    const look = (): void => {
      const usage = usageOf(at.pid!);
      if (!usage) return;
      peakBytes = Math.max(peakBytes, usage.bytes);
      cpuSeconds = usage.cpuSeconds - before;
    };
    const end = (word: string, detail?: string): void => {
      clearInterval(watch);
      at.removeAllListeners();
      resolve({ word, detail, cpuSeconds, peakBytes });
    };
    const stop = (word: string): void => {
      at.removeAllListeners("exit");
      at.kill("SIGKILL");
      child = undefined;
      end(word);
    };
    // A process that has just been started has to load first, which is no mutant's doing.
    const limit = fresh ? CPU_SECONDS + 2 : CPU_SECONDS;
    const watch = setInterval(() => {
      look();
      if (peakBytes > MAX_RSS_BYTES) stop("memory");
      else if (cpuSeconds > limit) stop("slow");
      else if (performance.now() - started > 1000 * WAIT_SECONDS) stop("hang");
    }, 10);
    at.once("message", (ended: Ended) => {
      look();
      if (ended.bug !== undefined) end("bug", ended.bug);
      else end(`inspect ${ended.inspected}, quantize ${ended.quantized}`);
    });
    at.once("exit", (code, signal) => {
      child = undefined;
      end("crash", `exit ${code}, signal ${signal}`);
    });
    at.send(job);
  });
}

const BROKE = new Set(["bug", "slow", "hang", "memory", "crash"]);

async function main(): Promise<void> {
  rmSync(kept, { recursive: true, force: true });
  const tally = new Map<string, number>();
  const broke: string[] = [];
  let [slowest, largest] = [0, 0];
  for (let k = 0; k < count; k++) {
    // A generator a mutant: number k of a seed can be made again alone.
    const draws = dice(seeded(seed * 1_000_003 + k));
    const from = k % DATA_EVERY === DATA_EVERY - 1 ? draws.of(data) : draws.of(models);
    const others = (from.kind === "model" ? models : data).map(one => one.bytes);
    const { what, bytes } = mutant(from.kind, from.bytes, others, draws);
    const isModel = from.kind === "model";
    const file = isModel ? "mutant.onnx" : `mutant_${from.file}`;
    writeFileSync(join(work, file), bytes);
    const verdict = await judge({
      model: join(work, isModel ? file : "mnist_mlp.onnx"),
      data: isModel ? undefined : join(work, file.endsWith(".npy") ? "arrays.json" : file),
      copy: join(work, "copy.onnx"),
    });
    const broken = BROKE.has(verdict.word);
    tally.set(`${from.kind}: ${verdict.word}`, (tally.get(`${from.kind}: ${verdict.word}`) ?? 0) + 1);
    if (!broken) {
      slowest = Math.max(slowest, verdict.cpuSeconds);
      largest = Math.max(largest, verdict.peakBytes);
      continue;
    }
    mkdirSync(kept, { recursive: true });
    const name = `${k}_${verdict.word}_${basename(from.file)}`;
    writeFileSync(join(kept, name), bytes);
    const line = `${name}: ${what}\n${verdict.detail ?? ""}`;
    writeFileSync(join(kept, `${name}.txt`), line);
    broke.push(line);
    process.stderr.write(`${line.slice(0, 600)}\n`);
  }
  child?.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
  const lines = [...tally].sort().map(([word, times]) => `${String(times).padStart(6)}  ${word}`);
  process.stdout.write(
    `${count} mutants of ${models.length} models and ${data.length} data files, seed ${seed}\n${lines.join("\n")}\n` +
      `slowest ${slowest.toFixed(2)} s of the processor, largest ${Math.round(largest / 2 ** 20)} MB resident, ${broke.length} broke something` +
      `${broke.length > 0 ? ` (kept in ${kept})` : ""}\n`,
  );
  process.exitCode = broke.length > 0 ? 1 : 0;
}

void main();
