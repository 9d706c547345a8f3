import { stat } from "node:fs/promises";
import { convertTo, numbersOf } from "../../core/calibration/convert";
import type { ModelInput } from "../../core/calibration/inputs";
import { isBesideTokens, isTokens, usualValue } from "../../core/calibration/decoder";
import { type Tensor, tensorTypeOf } from "../../core/calibration/tensor";
import { Failure } from "../../core/failure";
import type { DataSpec, InputValue } from "../dataFile";
import { arraySource, wholeArray } from "./arrays";
import { openBytes } from "./bytes";
import { csvSource } from "./csv";
import { npzSources } from "./npz";
import { testSets, testSetSources } from "./pb";
import { classesOf, filesOf, pictureArray, pictureFiles } from "./pictures";
import { PICTURE_FILES, readPicture } from "./pictureFile";
import { preparedAs } from "./pictureSteps";
import { windows } from "./sound";
import { elements, type Source } from "./source";
import { tokensOf } from "./tokens";

/** What a data file, or a path alone, gives a model: a source for each input, and what is known of the answers. */
export interface Opened {
  readonly sources: Map<string, Source>;
  /** Whether a sample is a whole call, first axis and all. */
  readonly wholeCalls: boolean;
  /** What has to be said of how they are read. */
  readonly warnings?: readonly string[] | undefined;
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
 * @param model the path of the model; undefined where it has none.
 * @throws {Failure} `data-…`.
 */
export async function openData(
  spec: DataSpec,
  path: string,
  purpose: Purpose,
  inputs: readonly ModelInput[],
  model: string | undefined,
): Promise<Opened> {
  const found = await openMain(spec, path, inputs, model);
  const count = Math.max(0, ...[...found.sources.values()].map(source => source.count));
  for (const [name, value] of spec.inputs) {
    const input = inputs.find(one => one.name === name);
    if (!input) throw noInput(spec, name, inputs);
    found.sources.set(name, await furtherSource(value, input, purpose, count, found.wholeCalls));
  }
  if (!found.wholeCalls) fillBesideTokens(found.sources, inputs);
  return found;
}

/** A text alone says what a decoder is fed beside it: a mask of ones, positions that count up, an empty past. */
function fillBesideTokens(sources: Map<string, Source>, inputs: readonly ModelInput[]): void {
  const tokens = inputs.filter(isTokens).find(input => sources.get(input.name)?.dims.length === 1);
  const text = tokens && sources.get(tokens.name);
  if (!text) return;
  for (const input of inputs) {
    const value = sources.has(input.name) ? undefined : usualValue(input, text.dims[0]!);
    if (!value) continue;
    const tensor = constantTensor(value, input);
    const { type, dims } = tensor;
    sources.set(input.name, {
      name: input.name,
      count: text.count,
      type,
      dims,
      read: () => Promise.resolve(tensor),
    });
  }
}

async function openMain(
  spec: DataSpec,
  path: string,
  inputs: readonly ModelInput[],
  model: string | undefined,
): Promise<Opened> {
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
    const { steps, warnings } = await preparedAs(spec, input, await readPicture(files[0]!), model);
    return one(await pictureFiles(files, input, steps), { classes: classesOf(files), warnings });
  }
  const array = await arraySource(await openBytes(path));
  switch (spec.kind) {
    case "image": {
      const [height = 1, width = 1] = array.dims;
      const { steps, warnings } = await preparedAs(spec, input, { height, width }, model);
      return one(await pictureArray(array, input, steps), { warnings });
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

/** The input the data are for. */
export function inputOf(spec: DataSpec, inputs: readonly ModelInput[]): ModelInput {
  const open = inputs.filter(input => !spec.inputs.has(input.name) && !spec.sound.state.has(input.name));
  if (spec.input === undefined && open.length === 1) return open[0]!;
  const found = inputs.find(input => input.name === spec.input);
  if (found) return found;
  const texts = open.filter(isTokens);
  if (spec.input === undefined && texts.length === 1 && open.some(isBesideTokens)) return texts[0]!;
  if (spec.input !== undefined) throw noInput(spec, spec.input, inputs);
  if (open.length === 0) {
    throw new Failure(
      "data-does-not-fit",
      `${spec.file} fills every input of the model under "inputs" or "state", so that its data are for none.`,
      'Take the one that the data are for out of "inputs".',
    );
  }
  throw new Failure(
    "data-does-not-fit",
    `The model has ${open.length} inputs (${open.map(input => input.name).join(", ")}).`,
    'Say in a data file which one the data are for ("input") and what the others get ("inputs"), or give an .npz file with an array for each.',
  );
}

function noInput(spec: DataSpec, name: string, inputs: readonly ModelInput[]): Failure {
  return new Failure(
    "data-does-not-fit",
    `${spec.file} is for an input "${name}", and the model has ${quoted(inputs.map(input => input.name)) || "none"}.`,
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
    `The arrays ${quoted([...arrays.keys()])} of ${spec.file} have other names than the inputs ${quoted(inputs.map(input => input.name))}.`,
    "Name them like the inputs: numpy.savez(FILE, NAME=array).",
  );
}

function quoted(names: readonly string[]): string {
  return names.map(name => `"${name}"`).join(", ");
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

/** What is the same in every call is a mask, positions, or an empty past; the largest met are a few megabytes. */
export const MAX_CONSTANT_ELEMENTS = 2 ** 24;

/** One number throughout, or numbers that count up along the last axis. Free sides are 1 where no shape says otherwise. */
export function constantTensor(
  { kind, value, shape }: Extract<InputValue, { kind: "fill" | "range" }>,
  input: ModelInput,
): Tensor {
  const dims = (shape ?? input.dims ?? []).map(dim => (typeof dim === "number" ? dim : 1));
  const last = dims.at(-1) ?? 1;
  const number = (at: number): number => (kind === "range" ? value + (at % last) : value);
  const type = tensorTypeOf(input.type);
  if (!type) {
    throw new Failure(
      "data-does-not-fit",
      `Input "${input.name}" wants ${input.type}, which a number cannot fill.`,
      "Give it an array.",
    );
  }
  const count = elements(dims);
  if (!(count <= MAX_CONSTANT_ELEMENTS)) {
    throw new Failure(
      "data-does-not-fit",
      `Input "${input.name}" should be filled with [${dims.join(", ")}] numbers, and ${MAX_CONSTANT_ELEMENTS} are the most.`,
      'Correct its "shape" in the data file, or give it an array.',
    );
  }
  const data = Float64Array.from({ length: count }, (_, at) => number(at));
  return {
    type,
    dims,
    data: convertTo(type, { type: "float64", data: type.startsWith("float") ? data : data.map(Math.trunc) }),
  };
}

/**
 * Labels of an array, one a sample, eight bytes each.
 *
 * @throws {Failure} `data-does-not-fit` for an array of more, or `data-…`.
 */
export async function readLabels(path: string): Promise<ArrayLike<number>> {
  const array = await wholeArray(await openBytes(path));
  if (elements(array.dims.slice(1)) !== 1) {
    throw new Failure(
      "data-does-not-fit",
      `${path} holds [${array.dims.join(", ")}] numbers, and labels are one a sample.`,
      "Save the number of each sample's class.",
    );
  }
  return numbersOf(array);
}
