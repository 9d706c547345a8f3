import { modelInputs, modelOutputs } from "../core/calibration/inputs";
import { type Keep, keepFeed, type KeptFeed, readFeed } from "../core/calibration/kept";
import { syntheticFeeds } from "../core/calibration/synthetic";
import { tableRows } from "../core/calibration/tableRows";
import type { Feed } from "../core/calibration/tensor";
import { Failure } from "../core/failure";
import type { Model } from "../core/onnx/model";
import { alternatingRunsMs, compareRuns, median, spread } from "./compare";
import type { Comparison, Difference, CompareJob } from "./compareModels";
import { readDataFile } from "./dataFile";
import type { ModelFile } from "./modelFile";
import { type Network, openNetwork, runChoices } from "./network";
import { openSession } from "./runtime";
import { feedsOf, firstSamples, openSamples } from "./samples";
import { openTensorStore, USUAL_MEMORY } from "./tensorStore";

/** What two models answer to the same inputs. */
export interface ComparedRuns extends Pick<Comparison, "data" | "outputs" | "warnings"> {
  /** Null where they were not run as a whole. */
  readonly times: readonly [CallTimes, CallTimes] | null;
}

interface CallTimes {
  readonly msMedian: number;
  readonly msSpread: number;
}

/** Made-up inputs where there are no data. */
const SYNTHETIC_SAMPLES = 10;

/**
 * Runs both models on the samples of a data file, or on made-up inputs, with the weights alone quantized; the time is that of a
 * default session.
 *
 * @param inputs in what the inputs of the models differ.
 * @throws {Failure} `data-…`; on data also `model-does-not-run`.
 */
export async function compareOutputs(
  job: CompareJob,
  a: ModelFile,
  b: ModelFile,
  inputs: readonly Difference[],
): Promise<ComparedRuns> {
  const nothing = (why: string): ComparedRuns => ({
    data: { samples: 0, synthetic: job.data === undefined },
    outputs: [],
    times: null,
    warnings: [`The outputs were not compared: ${why}`],
  });
  const alone = inputs.find(one => one.a === null || one.b === null);
  if (alone) return nothing(`only ${alone.a === null ? "B" : "A"} has an input "${alone.name}".`);
  const memory = job.memory ?? USUAL_MEMORY;
  const store = openTensorStore(memory);
  const run = { ...runChoices(Math.max(a.totalBytes, b.totalBytes), memory, store.keep), threads: 1 };
  const opened: Network[] = [];
  try {
    const { feeds, samples, warnings } = await feedsFor(job, a.model, store.keep);
    if (feeds.length === 0) return nothing("an input is of a kind or a size that cannot be made up; give --data.");
    const { inParts, ...choices } = run;
    for (const { model } of [a, b])
      opened.push(await openNetwork(model, { ...choices, weightsAlone: true }, inParts));
    const [left, right] = opened as [Network, Network];
    const odd = new Map<string, string>();
    const outputs = await compareRuns(both(left.outputs(feeds), b.model), right.outputs(feeds), (name, pair) => {
      const [wanted, found] = [pair.wanted.length, pair.found.length];
      if (wanted !== found)
        odd.set(name, `Output "${name}" was not compared: ${wanted} numbers in A and ${found} in B.`);
    });
    const times = inParts ? null : await timed(a.model, b.model, feeds[0]!, job.threads);
    return {
      data: { samples, synthetic: job.data === undefined },
      outputs: outputs.filter(({ name }) => !odd.has(name)),
      times,
      warnings: [...warnings, ...odd.values()],
    };
  } catch (error) {
    if (job.data !== undefined || !(error instanceof Failure) || error.code !== "model-does-not-run") throw error;
    return nothing(`${error.happened} Give --data.`);
  } finally {
    await Promise.all(opened.map(one => one.release()));
    await store.close();
  }
}

/** Of what A gives, the outputs that B has, too. */
async function* both(outputs: AsyncIterable<Feed>, b: Model): AsyncGenerator<Feed> {
  const names = new Set(modelOutputs(b).map(({ name }) => name));
  for await (const feed of outputs) yield new Map([...feed].filter(([name]) => names.has(name)));
}

async function feedsFor(
  job: CompareJob,
  model: Model,
  keep: Keep,
): Promise<{ feeds: KeptFeed[]; samples: number; warnings: readonly string[] }> {
  if (job.data === undefined) {
    const feeds: KeptFeed[] = [];
    const count = job.samples ?? SYNTHETIC_SAMPLES;
    const known = { sizes: job.dims, rows: tableRows(model) };
    for (const feed of syntheticFeeds(modelInputs(model), count, 0, known)) feeds.push(await keepFeed(feed, keep));
    return { feeds, samples: feeds.length, warnings: [] };
  }
  const spec = await readDataFile(job.data);
  // A data file for quantize alone has samples, too.
  const purpose = spec.data === undefined ? "calibration" : "data";
  const samples = await openSamples(spec, purpose, model, job.samples ?? Infinity, job.a);
  const feeds = await feedsOf(samples, firstSamples(samples.count), keep);
  return { feeds, samples: samples.count, warnings: samples.warnings };
}

async function timed(a: Model, b: Model, kept: KeptFeed, threads: number): Promise<[CallTimes, CallTimes]> {
  const choices = { weightsAlone: false, threads };
  const first = await openSession(a, choices);
  try {
    const second = await openSession(b, choices);
    try {
      const ms = await alternatingRunsMs(first, second, await readFeed(kept));
      return ms.map(each => ({ msMedian: median(each), msSpread: spread(each) })) as [CallTimes, CallTimes];
    } finally {
      await second.release();
    }
  } finally {
    await first.release();
  }
}
