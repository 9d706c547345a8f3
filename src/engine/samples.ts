import { basename } from "node:path";
import { convertible, convertTo, firstOutside, numbersOf } from "../core/calibration/convert";
import { describeInput, type ModelInput, modelInputs } from "../core/calibration/inputs";
import { type Keep, keepFeed, type KeptFeed } from "../core/calibration/kept";
import type { Feed, Tensor, TensorData, TensorType } from "../core/calibration/tensor";
import { Failure } from "../core/failure";
import type { Model } from "../core/onnx/model";
import { constantTensor, inputOf, openData, type Purpose } from "./data/open";
import { elements, type Source } from "./data/source";
import { openStream, type StreamSpec } from "./data/stream";
import type { DataSpec } from "./dataFile";
import { openSession } from "./runtime";

/** One call of a model, with the samples in it. */
export interface Call {
  readonly samples: readonly number[];
  /** How many samples the tensors hold: more than `samples` where the last was repeated. */
  readonly held: number;
  readonly feed: Feed;
}

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
  calls(samples: readonly number[]): AsyncIterable<Call>;
}

/** Samples in one call where the model leaves that free and the data file does not say. */
const USUAL_BATCH = 16;
/**
 * Inputs of a call take no more than this where the model leaves it free: what is alive in a call is tens of times as much.
 * It does not follow --memory, since onnxruntime adds up in another order for another number of rows, and the codes would differ.
 */
const MOST_CALL_BYTES = 2 ** 24;

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
  const feeders = inputs.map(input => feeder(input, sources.get(input.name), spec, wholeCalls));
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
  const count = Math.min(limit, first.source.count);
  if (count === 0) throw noSamples(path);
  const fixed = feeders.map(one => one.fixedBatch).find(batch => batch !== undefined);
  const alone = wholeCalls || !feeders.every(one => one.hasBatchAxis || one.isConstant);
  const batch = alone ? 1 : (fixed ?? spec.batch ?? usualBatch(feeders));
  return {
    count,
    stream: false,
    warnings,
    classes,
    targets,
    async *calls(samples) {
      for (let start = 0; start < samples.length;) {
        const call = await callOf(
          feeders,
          samples.slice(start, start + batch),
          fixed === undefined || alone ? 0 : batch,
        );
        start += call.samples.length;
        yield call;
      }
    },
  };
}

/** All the calls of some samples, put away as they are read. */
export async function feedsOf(samples: Samples, some: readonly number[], keep: Keep): Promise<KeptFeed[]> {
  const feeds: KeptFeed[] = [];
  for await (const { feed } of samples.calls(some)) feeds.push(await keepFeed(feed, keep));
  return feeds;
}

function noSamples(path: string): Failure {
  return new Failure(
    "data-does-not-fit",
    `${path} holds no samples.`,
    "Give an array whose first axis counts samples, a folder with files, or a sound as long as one call.",
  );
}

/** So many samples a call that its inputs stay small. */
function usualBatch(feeders: readonly Feeder[]): number {
  const bytes = feeders.reduce(
    (sum, { source }) => sum + Float32Array.BYTES_PER_ELEMENT * elements(source.dims),
    0,
  );
  return Math.max(1, Math.min(USUAL_BATCH, Math.floor(MOST_CALL_BYTES / Math.max(1, bytes))));
}

/** One input of a model and where its samples come from. */
interface Feeder {
  readonly input: ModelInput;
  readonly source: Source;
  /** Whether samples are laid side by side along a first axis of the input. */
  readonly hasBatchAxis: boolean;
  /** Whether the input is fed the same in every call, whatever the number of samples in it. */
  readonly isConstant: boolean;
  readonly fixedBatch: number | undefined;
  /** @throws {Failure} `data-not-finite`. */
  read(sample: number): Promise<Tensor>;
}

function feeder(input: ModelInput, given: Source | undefined, spec: DataSpec, wholeCalls: boolean): Feeder {
  const source = given ?? rateSource(input, spec);
  const isMain = spec.input === undefined || spec.input === input.name;
  const dims = (isMain && spec.dims) || source.dims;
  const own = input.dims;
  const hasBatchAxis = !wholeCalls && (own === undefined || own.length === dims.length + 1);
  const wanted = own && (hasBatchAxis ? own.slice(1) : own);
  const type = input.type as TensorType;
  const fits =
    input.type !== "unknown" &&
    convertible(source.type, type) &&
    elements(dims) === elements(source.dims) &&
    (!wanted ||
      (wanted.length === dims.length &&
        wanted.every((dim, axis) => typeof dim === "string" || dim === dims[axis])));
  if (!fits) {
    const shown = elements(dims) === elements(source.dims) ? dims : source.dims;
    const shape = hasBatchAxis || own?.length !== dims.length ? [source.count, ...shown] : shown;
    throw new Failure(
      "data-does-not-fit",
      `Input "${input.name}" wants ${describeInput(input)}; ${basename(source.name)} gives ${describeInput({ type: source.type, dims: shape })}.`,
      "Reshape the array, or say in a data file how samples become inputs.",
    );
  }
  const first = own?.[0];
  return {
    input,
    source,
    hasBatchAxis,
    isConstant: own?.length === 0,
    fixedBatch: hasBatchAxis && typeof first === "number" ? first : undefined,
    async read(sample) {
      const tensor = await source.read(sample);
      // Pictures of an input without a size of its own differ in theirs.
      const shape = isMain && spec.dims ? spec.dims : tensor.dims;
      checkFinite(tensor, sample, source.name);
      const odd = firstOutside(type, tensor);
      if (odd !== undefined) {
        throw new Failure(
          "data-does-not-fit",
          `${source.name} holds ${odd} in sample ${sample}, and input "${input.name}" takes ${type}.`,
          "Correct the sample, or feed the model what it was trained on.",
        );
      }
      return { type, dims: shape, data: convertTo(type, tensor) };
    },
  };
}

/** Models of sound ask for its rate as a number beside it. */
function rateSource(input: ModelInput, spec: DataSpec): Source {
  if (spec.kind === "audio" && spec.sound.rate !== undefined && input.dims?.length === 0) {
    const tensor = constantTensor({ kind: "fill", value: spec.sound.rate, shape: [] }, input);
    return { name: "rate", count: Infinity, type: tensor.type, dims: [], read: () => Promise.resolve(tensor) };
  }
  throw new Failure(
    "data-does-not-fit",
    `Nothing says what input "${input.name}" (${describeInput(input)}) is fed.`,
    'Name it under "inputs" in a data file: a file, a number, or {"value": 0, "shape": […]}.',
  );
}

/** @param fill the samples a call must have; 0 where the model does not care. */
async function callOf(feeders: readonly Feeder[], wanted: readonly number[], fill: number): Promise<Call> {
  const read = await Promise.all(feeders.map(one => Promise.all(wanted.map(sample => one.read(sample)))));
  // Samples of one call have one size; those that differ wait for the next.
  const sameAs = (place: number): boolean =>
    read.every(tensors => tensors[place]!.dims.every((dim, axis) => dim === tensors[0]!.dims[axis]));
  const until = wanted.findIndex((_, place) => !sameAs(place));
  const samples = until < 0 ? wanted : wanted.slice(0, until);
  const feed = new Map(
    feeders.map(({ input, hasBatchAxis }, k): [string, Tensor] => {
      const tensors = read[k]!.slice(0, samples.length);
      if (!hasBatchAxis) return [input.name, tensors[0]!];
      while (tensors.length < fill) tensors.push(tensors.at(-1)!);
      return [input.name, stacked(tensors)];
    }),
  );
  return { samples, held: Math.max(samples.length, fill), feed };
}

function stacked(tensors: readonly Tensor[]): Tensor {
  const { type, dims, data: first } = tensors[0]!;
  const data = new (first.constructor as new (length: number) => TensorData)(tensors.length * first.length);
  tensors.forEach((tensor, place) => data.set(tensor.data as never, place * first.length));
  return { type, dims: [tensors.length, ...dims], data };
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
  const constants = new Map(
    await Promise.all(
      others.map(async (one): Promise<[string, Tensor]> => {
        const value = spec.inputs.get(one.name);
        if (value && value.kind !== "file") return [one.name, constantTensor(value, one)];
        return [one.name, await rateSource(one, spec).read(0)];
      }),
    ),
  );
  const open = () => openSession(model, { weightsAlone: true, threads: 1 });
  const opened = await openStream(path, stream, input, inputs, constants, open);
  const count = Math.min(limit, opened.count);
  if (count === 0) throw noSamples(path);
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

function checkFinite(tensor: Tensor, sample: number, name: string): void {
  if (!tensor.type.startsWith("float")) return;
  const values = numbersOf(tensor);
  for (let at = 0; at < values.length; at++) {
    if (Number.isFinite(values[at]!)) continue;
    throw new Failure(
      "data-not-finite",
      `${name} holds ${values[at]} in sample ${sample}.`,
      "Errors measured on it would mean nothing; remove the sample, or mend it.",
    );
  }
}
