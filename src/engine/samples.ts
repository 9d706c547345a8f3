import { type ModelInput, modelInputs } from "../core/calibration/inputs";
import { type Keep, keepFeed, type KeptFeed } from "../core/calibration/kept";
import { tableRows } from "../core/calibration/tableRows";
import type { Tensor } from "../core/calibration/tensor";
import { Failure } from "../core/failure";
import type { Model } from "../core/onnx/model";
import { activationBytes } from "./activationBytes";
import { constantTensor, inputOf, openData, type Purpose } from "./data/open";
import { elements, MAX_CALL_ELEMENTS } from "./data/source";
import { openStream, type StreamSpec } from "./data/stream";
import type { DataSpec, InputValue } from "./dataFile";
import { type Call, callOf, type Feeder, feeder, isRate, rateSource, requireNamed } from "./feeder";
import { openSession } from "./runtime";

/** Samples of a data set, ready to be fed to a model. */
export interface Samples {
  readonly count: number;
  /** Whether each sample comes after the one before, so that those held out must be the last. */
  readonly stream: boolean;
  /** What has to be said of how they were read. */
  readonly warnings: readonly string[];
  /** Classes that the names of files say; undefined where they do not. */
  readonly classes: readonly number[] | undefined;
  /** What should follow each token of a sample; undefined where samples are no tokens. */
  readonly targets: ((sample: number) => Promise<number[]>) | undefined;
  /**
   * Calls of the model that between them hold the given samples, in order; read one by one, when asked for. Where the model
   * takes so many at a time and no fewer, the last sample is repeated until they are enough.
   */
  calls(samples: Iterable<number>): AsyncIterable<Call>;
}

/** The numbers of so many samples, in order, without a list of them. */
export function* firstSamples(count: number): Generator<number> {
  for (let sample = 0; sample < count; sample++) yield sample;
}

/** Samples in one call where the model leaves that free and the data file does not say. */
const USUAL_BATCH = 16;
/**
 * What is alive in a call takes no more than this where the model leaves it free. It does not follow --memory: that a sample
 * gives the same bits in a call of any size is so where it was tried, and nobody promises it.
 */
const MOST_CALL_BYTES = 2 ** 27;
/** What is alive in a call, in sizes of its inputs, where that cannot be found out. */
const USUAL_GROWTH = 16;

/** The whole of ImageNet is a thirteenth of this. Samples without a number in them take no bytes, so a file may claim any count. */
const MAX_SAMPLES = 2 ** 24;

/**
 * Opens the samples of a data file.
 *
 * @param limit at most so many samples, the first ones.
 * @param file  the path of the model, beside which is looked for what the data file does not say; undefined where it has none.
 * @throws {Failure} `data-missing`, `data-unreadable`, `data-does-not-fit` or, while they are read, `data-not-finite`.
 */
export async function openSamples(
  spec: DataSpec,
  purpose: Purpose,
  model: Model,
  limit: number,
  file?: string,
): Promise<Samples> {
  const path = spec[purpose];
  if (path === undefined) {
    throw new Failure(
      "data-unreadable",
      `${spec.file} names no ${purpose === "data" ? '"data" to evaluate on' : "calibration samples"}.`,
      'Give "calib" for a fit and "data" (and "labels") for a score.',
    );
  }
  const inputs = modelInputs(model);
  const { chunk, context, state } = spec.sound;
  if (spec.kind === "audio" && chunk !== undefined)
    return streamSamples(spec, path, { chunk, context: context ?? 0, state }, model, limit);

  const {
    sources,
    wholeCalls,
    classes,
    targets,
    warnings = [],
  } = await openData(spec, path, purpose, inputs, file);
  requireNamed(inputs, input => sources.has(input.name) || isRate(input, spec));
  const rows = tableRows(model);
  const feeders = inputs.map(input =>
    feeder(input, sources.get(input.name), spec, wholeCalls, rows.get(input.name)),
  );
  const [first] = feeders;
  if (!first) throw new Failure("data-does-not-fit", "The model has no inputs.", "There is nothing to feed.");
  const uneven = feeders.find(one => one.source.count !== first.source.count);
  if (uneven) {
    throw new Failure(
      "data-does-not-fit",
      `${first.source.name} has ${first.source.count} samples and ${uneven.source.name} ${uneven.source.count}.`,
      "Give as many for every input.",
    );
  }
  const count = countOf(path, first.source.count, limit);
  const fixed = feeders.map(one => one.fixedBatch).find(batch => batch !== undefined);
  const alone = wholeCalls || !feeders.every(one => one.hasBatchAxis || one.isConstant);
  const batch = alone ? 1 : (fixed ?? spec.batch ?? (await usualBatch(feeders, model)));
  const held = fixed ?? Math.min(batch, count);
  const most = Math.max(...feeders.map(({ source }) => held * elements(source.dims)));
  if (!alone && most > MAX_CALL_ELEMENTS) {
    throw new Failure(
      "data-does-not-fit",
      `A call with ${held} samples holds ${most} numbers, and ${MAX_CALL_ELEMENTS} are the most.`,
      fixed === undefined ? 'Give a smaller "batch" in the data file.' : "The model cannot be run on this machine.",
    );
  }
  return {
    count,
    stream: false,
    warnings,
    classes,
    targets,
    async *calls(samples) {
      const waiting: number[] = [];
      const next = async (): Promise<Call> => {
        const call = await callOf(feeders, waiting, fixed === undefined || alone ? 0 : batch);
        waiting.splice(0, call.samples.length);
        return call;
      };
      for (const sample of samples) if (waiting.push(sample) === batch) yield await next();
      while (waiting.length > 0) yield await next();
    },
  };
}

/** All the calls of some samples, put away as they are read. */
export async function feedsOf(samples: Samples, some: Iterable<number>, keep: Keep): Promise<KeptFeed[]> {
  const feeds: KeptFeed[] = [];
  for await (const { feed } of samples.calls(some)) feeds.push(await keepFeed(feed, keep));
  return feeds;
}

/** How many samples are used of those that are there. */
function countOf(path: string, there: number, limit: number): number {
  const count = Math.min(limit, there);
  if (count > MAX_SAMPLES) {
    throw new Failure(
      "data-does-not-fit",
      `${path} holds ${there} samples, and ${MAX_SAMPLES} are the most.`,
      "Use the first of them (--samples N).",
    );
  }
  if (count > 0) return count;
  throw new Failure(
    "data-does-not-fit",
    `${path} holds no samples.`,
    "Give an array whose first axis counts samples, a folder with files, or a sound as long as one call.",
  );
}

/** So many samples a call that what is alive in it stays within bounds. */
async function usualBatch(feeders: readonly Feeder[], model: Model): Promise<number> {
  const { feed } = await callOf(feeders, [0], 0);
  const inputBytes = [...feed.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  const bytes = (await activationBytes(model, feed)) ?? USUAL_GROWTH * inputBytes;
  return Math.max(1, Math.min(USUAL_BATCH, Math.floor(MOST_CALL_BYTES / Math.max(1, bytes))));
}

/** A stream is fed in order, by this very model: what it leaves after a call is part of the next. */
async function streamSamples(
  spec: DataSpec,
  path: string,
  stream: StreamSpec,
  model: Model,
  limit: number,
): Promise<Samples> {
  const inputs = modelInputs(model);
  const input = inputOf(spec, inputs);
  const others = inputs.filter(one => one !== input && !stream.state.has(one.name));
  const given = (one: ModelInput): Exclude<InputValue, { kind: "file" }> | undefined => {
    const value = spec.inputs.get(one.name);
    return value?.kind === "file" ? undefined : value;
  };
  requireNamed(others, one => given(one) !== undefined || isRate(one, spec));
  const constants = new Map(
    await Promise.all(
      others.map(async (one): Promise<[string, Tensor]> => {
        const value = given(one);
        return [one.name, value ? constantTensor(value, one) : await rateSource(one, spec).read(0)];
      }),
    ),
  );
  const open = () => openSession(model, { weightsAlone: true, threads: 1 });
  const opened = await openStream(path, stream, input, inputs, constants, open);
  const count = countOf(path, opened.count, limit);
  return {
    count,
    stream: true,
    warnings: [],
    classes: undefined,
    targets: undefined,
    async *calls(samples) {
      for await (const { call, feed } of opened.calls(samples)) yield { samples: [call], held: 1, feed };
    },
  };
}
