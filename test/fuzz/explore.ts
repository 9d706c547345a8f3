import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../src/core/failure";
import { seeded } from "../../src/core/random";
import { dice, mutatedBytes, OF_ANY } from "./mutate";
import { seedsIn } from "./seeds";
import { TARGETS } from "./targets";

// Shows one reader mutants for some seconds; mutants that reach what none has reached before are mutated further. What V8 has run
// it says itself, block by block. Run by nightly.ts.

const [name, seconds, seed, folder] = process.argv.slice(2) as [string, string, string, string];
const target = TARGETS[name]!;
/** Of the processor, as in judge.ts. */
const CPU_SECONDS = 2;
/** Larger ones take long and reach no more. */
const MAX_BYTES = 100_000;

/** What a run of an explorer found, sent to its parent at the end. */
export interface Explored {
  readonly runs: number;
  readonly corpus: number;
  readonly blocks: number;
  readonly results: number;
  readonly finds: readonly string[];
}

/** Once, a few times, often: how often a block runs tells loops apart, but not each of their lengths. */
const oftenness = (count: number): number => (count < 3 ? count : count < 10 ? 3 : 4);

async function main(): Promise<void> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  const seen = new Set<string>();
  /** Blocks reached since it was asked last that were never reached before. */
  const reached = async (): Promise<number> => {
    const before = seen.size;
    const { result } = await session.post("Profiler.takePreciseCoverage");
    const own = result.find(({ url }) => url.endsWith("explore.js"));
    for (const { ranges } of own?.functions ?? [])
      for (const { startOffset, endOffset, count } of ranges)
        if (count > 0) seen.add(`${startOffset}-${endOffset}-${oftenness(count)}`);
    return seen.size - before;
  };

  const finds = new Map<string, string>();
  let results = 0;
  const file = join(folder, target.file);
  const show = async (bytes: Uint8Array, what: string): Promise<boolean> => {
    writeFileSync(file, bytes);
    const before = process.cpuUsage();
    let find: string | undefined;
    try {
      await target.read(file, bytes);
      results++;
    } catch (error) {
      if (!(error instanceof Failure))
        find = error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    const { user, system } = process.cpuUsage(before);
    if (user + system > 1e6 * CPU_SECONDS) find ??= `slow: ${((user + system) / 1e6).toFixed(1)} s`;
    if (find !== undefined) {
      // One of a kind: the place in the code is the kind.
      const kind = find.split("\n").slice(0, 2).join(" ");
      if (!finds.has(kind)) {
        const kept = join(folder, "finds", `${name}_${finds.size}`);
        mkdirSync(join(folder, "finds"), { recursive: true });
        writeFileSync(kept, bytes);
        writeFileSync(`${kept}.txt`, `${what}\n${find}\n`);
      }
      finds.set(kind, find);
    }
    return (await reached()) > 0;
  };

  const { models, real, data } = seedsIn(mkdtempSync(join(tmpdir(), "whittle-seeds-")));
  const corpus = [...models, ...real, ...data].filter(target.seeds).map(one => one.bytes);
  for (const bytes of corpus) await show(bytes, "a seed");
  const draws = dice(seeded(Number(seed)));
  const end = performance.now() + 1000 * Number(seconds);
  let runs = 0;
  for (; performance.now() < end; runs++) {
    // The newest ones have reached the farthest.
    const from = draws.below(2) ? draws.of(corpus) : draws.of(corpus.slice(-20));
    const { bytes, what } = mutatedBytes(from, corpus, OF_ANY, draws);
    if (bytes.length > MAX_BYTES) continue;
    if (await show(bytes, what)) corpus.push(bytes);
  }
  const explored: Explored = {
    runs,
    corpus: corpus.length,
    blocks: seen.size,
    results,
    finds: [...finds.values()],
  };
  process.send!(explored, () => process.exit(0));
}

void main();
