import { stat } from "node:fs/promises";
import { convertTo } from "../../core/calibration/convert";
import type { ModelInput } from "../../core/calibration/inputs";
import { likelyPreset, type PictureSteps, type Preset, PRESETS } from "../../core/calibration/presets";
import type { Tensor, TensorType } from "../../core/calibration/tensor";
import { Failure } from "../../core/failure";
import type { DataSpec, InputValue } from "../dataFile";
import { arraySource, wholeArray } from "./arrays";
import { openBytes } from "./bytes";
import { csvSource } from "./csv";
import { npzSources } from "./npz";
import { testSets, testSetSources } from "./pb";
import { classesOf, filesOf, pictureArray, pictureFiles } from "./pictures";
import { PICTURE_FILES } from "./pictureFile";
import { windows } from "./sound";
import { elements, type Source } from "./source";
import { tokensOf } from "./tokens";

/** What a data file, or a path alone, gives a model: a source for each input, and what is known of the answers. */
export interface Opened {
  readonly sources: Map<string, Source>;
  /** Whether a sample is a whole call, first axis and all. */
  readonly wholeCalls: boolean;
  /** How pictures were prepared where nothing was said about it; undefined otherwise. */
  readonly guessed?: Preset | undefined;
  /** Classes that the names of files say; undefined where they do not. */
  readonly classes?: readonly number[] | undefined;
  /** What should follow each token of a sample. */
  readonly targets?: ((sample: number) => Promise<number[]>) | undefined;
}

/** The parts of a spec that name the same data for a fit and for a score. */
export type Purpose = "calibration" | "data";

/**
 * Opens the samples that a path names, whatever they are: an array, an archive of arrays, a table, a folder of test data sets
 * or of pictures, a sound.
 *
 * @throws {Failure} `data-…`.
 */
export async function openData(
  spec: DataSpec,
  path: string,
  purpose: Purpose,
  inputs: readonly ModelInput[],
): Promise<Opened> {
  const found = await openMain(spec, path, inputs);
  const count = Math.max(0, ...[...found.sources.values()].map(source => source.count));
  for (const [name, value] of spec.inputs) {
    const input = inputs.find(one => one.name === name);
    if (!input) throw noInput(spec, name, inputs);
    found.sources.set(name, await furtherSource(value, input, purpose, count, found.wholeCalls));
  }
  return found;
}

async function openMain(spec: DataSpec, path: string, inputs: readonly ModelInput[]): Promise<Opened> {
  const one = (source: Source, more: Partial<Opened> = {}): Opened => ({
    sources: new Map([[inputOf(spec, inputs).name, source]]),
    wholeCalls: false,
    ...more,
  });
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  if (isFolder) {
    const sets = await testSets(path);
    if (sets.length > 0) return { sources: await testSetSources(sets, inputs), wholeCalls: true };
  }
  if (/\.npz$/i.test(path))
    return { sources: named(await npzSources(await openBytes(path)), spec, inputs), wholeCalls: false };
  if (/\.csv$/i.test(path)) return one(await csvSource(path));
  if (/\.wav$/i.test(path) || spec.kind === "audio")
    return one(await windows(path, spec.sound, inputOf(spec, inputs)));
  const input = inputOf(spec, inputs);
  if (!/\.npy$/i.test(path)) {
    if (!isFolder && !/[*?{[]/.test(path) && !PICTURE_FILES.test(path)) await openBytes(path);
    const files = await filesOf(path);
    if (!files.every(file => PICTURE_FILES.test(file))) throw unknownKind(path);
    const { steps, guessed } = stepsOf(spec, input);
    return one(await pictureFiles(files, input, steps), { classes: classesOf(files), guessed });
  }
  const array = await arraySource(await openBytes(path));
  switch (spec.kind) {
    case "image": {
      const { steps, guessed } = stepsOf(spec, input);
      return one(await pictureArray(array, input, steps), { guessed });
    }
    case "tokens": {
      const { fed, targets } = tokensOf(array);
      return one(fed, { targets });
    }
    case "tensor":
    case "u8":
    case undefined:
      return one(array);
    default:
      return spec.kind satisfies never;
  }
}

function stepsOf({ preprocessing }: DataSpec, input: ModelInput): { steps: PictureSteps; guessed?: Preset } {
  if (preprocessing) return { steps: preprocessing };
  const guessed = likelyPreset(input);
  return { steps: { ...PRESETS[guessed], resize: undefined, crop: undefined, layout: undefined }, guessed };
}

/** The input the data are for. */
export function inputOf(spec: DataSpec, inputs: readonly ModelInput[]): ModelInput {
  const open = inputs.filter(input => !spec.inputs.has(input.name) && !spec.sound.state.has(input.name));
  if (spec.input === undefined && open.length === 1) return open[0]!;
  const found = inputs.find(input => input.name === spec.input);
  if (found) return found;
  if (spec.input !== undefined) throw noInput(spec, spec.input, inputs);
  throw new Failure(
    "data-does-not-fit",
    `The model has ${open.length} inputs (${open.map(input => input.name).join(", ")}).`,
    'Say in a data file which one the data are for ("input") and what the others get ("inputs"), or give an .npz file with an array for each.',
  );
}

function noInput(spec: DataSpec, name: string, inputs: readonly ModelInput[]): Failure {
  return new Failure(
    "data-does-not-fit",
    `${spec.file} is for an input "${name}", and the model has ${inputs.map(input => input.name).join(", ") || "none"}.`,
    "Correct the name in the data file.",
  );
}

function unknownKind(path: string): Failure {
  return new Failure(
    "data-unreadable",
    `${path} is no kind of data that can be read.`,
    "Give .npy, .npz, .csv or .wav, a folder or a glob of pictures (JPEG, PNG, WebP, BMP), or a folder with test_data_set_*.",
  );
}

/** Arrays of an archive by the inputs whose names they have; a single one is for the only input. */
function named(arrays: Map<string, Source>, spec: DataSpec, inputs: readonly ModelInput[]): Map<string, Source> {
  const ours = new Map([...arrays].filter(([name]) => inputs.some(input => input.name === name)));
  if (ours.size > 0) return ours;
  const [only] = arrays.values();
  if (arrays.size === 1 && only) return new Map([[inputOf(spec, inputs).name, only]]);
  throw new Failure(
    "data-does-not-fit",
    `The arrays ${[...arrays.keys()].join(", ")} have other names than the inputs ${inputs.map(input => input.name).join(", ")}.`,
    "Name them like the inputs: numpy.savez(FILE, NAME=array).",
  );
}

async function furtherSource(
  value: InputValue,
  input: ModelInput,
  purpose: Purpose,
  count: number,
  wholeCalls: boolean,
): Promise<Source> {
  if (value.kind === "file") {
    const path = purpose === "calibration" ? (value.calibration ?? value.data) : (value.data ?? value.calibration);
    return arraySource(await openBytes(path!));
  }
  const tensor = constantTensor(value, input);
  // What has no axis of samples, such as a sampling rate, is the same whole tensor in every call.
  const dims = wholeCalls || input.dims?.length === 0 ? tensor.dims : tensor.dims.slice(1);
  const sample = { ...tensor, dims, data: tensor.data.slice(0, elements(dims)) };
  return { name: input.name, count, type: tensor.type, dims, read: () => Promise.resolve(sample) };
}

/** One number throughout, or numbers that count up along the last axis. Free sides are 1 where no shape says otherwise. */
export function constantTensor(
  { kind, value, shape }: Extract<InputValue, { kind: "fill" | "range" }>,
  input: ModelInput,
): Tensor {
  const dims = (shape ?? input.dims ?? []).map(dim => (typeof dim === "number" ? dim : 1));
  const last = dims.at(-1) ?? 1;
  const number = (at: number): number => (kind === "range" ? value + (at % last) : value);
  const size = elements(dims);
  const type = input.type as TensorType;
  switch (type) {
    case "int64":
      return { type, dims, data: BigInt64Array.from({ length: size }, (_, at) => BigInt(Math.trunc(number(at)))) };
    case "int32":
      return { type, dims, data: Int32Array.from({ length: size }, (_, at) => number(at)) };
    case "bool":
    case "uint8":
      return { type, dims, data: Uint8Array.from({ length: size }, (_, at) => number(at)) };
    case "float16":
    case "float32":
    case "float64": {
      const data = Float64Array.from({ length: size }, (_, at) => number(at));
      return { type, dims, data: convertTo(type, { type: "float64", data }) };
    }
    default:
      throw new Failure(
        "data-does-not-fit",
        `Input "${input.name}" wants ${input.type}, which a number cannot fill.`,
        "Give it an array.",
      );
  }
}

/** Labels of an array. */
export async function readLabels(path: string): Promise<number[]> {
  const { data } = await wholeArray(await openBytes(path));
  return Array.from(data as ArrayLike<number | bigint>, Number);
}
