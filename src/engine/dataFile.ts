import { dirname, resolve } from "node:path";
import { isPreset, type PictureSteps, PRESETS } from "../core/calibration/presets";
import { Failure } from "../core/failure";
import { readWhole } from "./files";

export const KINDS = ["image", "tensor", "tokens", "audio", "u8"] as const;
export type Kind = (typeof KINDS)[number];
/** The developers' pack's names. */
const OTHER_NAMES: ReadonlyMap<string, Kind> = new Map([
  ["vad", "audio"],
  ["audio_windows", "audio"],
]);
/** How Silero VAD is fed, as its authors' code does it; `vad` stands for that. */
const VAD = { chunk: 512, context: 64, state: { state: "stateN" }, rate: 16_000 };

/** What a further input is fed: samples of its own, or the same in every call. */
export type InputValue =
  | { readonly kind: "file"; readonly calibration: string | undefined; readonly data: string | undefined }
  /** One number throughout, or numbers that count up along the last axis from `value`. */
  | {
      readonly kind: "fill" | "range";
      readonly value: number;
      readonly shape: readonly (number | string)[] | undefined;
    };

/** Where the samples of a sound begin and how long they are. */
export interface SoundSpec {
  /** An array of the places where windows begin. */
  readonly starts: string | undefined;
  readonly window: number | undefined;
  /** New values of each call of a stream, and how many old ones come before them. */
  readonly chunk: number | undefined;
  readonly context: number | undefined;
  /** Inputs by the outputs of the call before that they get; they begin as zeros. */
  readonly state: ReadonlyMap<string, string>;
  readonly rate: number | undefined;
}

/** A data file (or one entry of it), checked. Paths are absolute. */
export interface DataSpec {
  readonly file: string;
  /** Undefined: what the data look like. */
  readonly kind: Kind | undefined;
  /** Name of the model's input; undefined where the data say it, or the model has only one. */
  readonly input: string | undefined;
  /** What a fit uses. */
  readonly calibration: string | undefined;
  /** What `evaluate` uses. */
  readonly data: string | undefined;
  readonly labels: string | undefined;
  /** Undefined: guessed from the model. */
  readonly preprocessing: PictureSteps | undefined;
  /** Shape a sample is brought to. */
  readonly dims: readonly number[] | undefined;
  readonly batch: number | undefined;
  readonly labelOffset: number;
  readonly inputs: ReadonlyMap<string, InputValue>;
  /** Outputs of the float model, arrays in the order of its outputs. */
  readonly golden: readonly string[];
  readonly sound: SoundSpec;
}

/** Data given on the command line without a data file: an array, an archive of them, a folder. */
function plainSpec(path: string): DataSpec {
  return { ...specOf({}, path), calibration: resolve(path), data: resolve(path) };
}

/**
 * Reads `FILE.json` or `FILE.json#ID`, or takes a path to the data themselves.
 *
 * @throws {Failure} `data-missing` or `data-unreadable`, naming the field.
 */
export async function readDataFile(reference: string): Promise<DataSpec> {
  // A "#" may be in the name of a folder, too.
  const found = /^(.*\.json)(?:#(.*))?$/s.exec(reference);
  if (!found) return plainSpec(reference);
  const [, file = reference, entry] = found;
  const text = new TextDecoder().decode(await readWhole(file));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw bad(file, `is not JSON (${(error as Error).message})`);
  }
  return specOf(entry === undefined ? json : entryOf(json, entry, file), file);
}

/**
 * What the command line says of the data: a reference as `readDataFile` takes it, and arrays for single inputs. Without a
 * reference the first of those is what the others go with.
 */
export async function readDataOf(
  reference: string | undefined,
  inputFiles: ReadonlyMap<string, string>,
): Promise<DataSpec> {
  const files = [...inputFiles].map(([name, file]): [string, InputValue] => {
    const path = resolve(file);
    return [name, { kind: "file", calibration: path, data: path }];
  });
  if (reference !== undefined) {
    const spec = await readDataFile(reference);
    return { ...spec, inputs: new Map([...spec.inputs, ...files]) };
  }
  const [[name, first], ...others] = [...inputFiles] as [[string, string], ...[string, string][]];
  const spec = { ...plainSpec(first), input: name };
  return { ...spec, inputs: new Map(files.filter(([other]) => others.some(([one]) => one === other))) };
}

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function entryOf(json: unknown, id: string, file: string): unknown {
  const entries = isFields(json) && Array.isArray(json.entries) ? json.entries.filter(isFields) : [];
  const found = entries.find(entry => entry.id === id);
  if (!found) {
    throw bad(
      file,
      `has no entry "${id}"${entries.length > 0 ? ` (it has ${entries.map(entry => String(entry.id)).join(", ")})` : ""}`,
    );
  }
  return found;
}

function specOf(given: unknown, file: string): DataSpec {
  if (!isFields(given)) throw bad(file, "does not hold an object");
  const fields = given.kind === "vad" ? { ...VAD, ...given } : given;
  const { text, path, count, list, wrong } = readers(fields, file);
  const named = text("kind");
  const kind = named === undefined ? undefined : (OTHER_NAMES.get(named) ?? KINDS.find(one => one === named));
  if (named !== undefined && !kind) throw bad(file, `is of kind "${named}"; there are ${KINDS.join(", ")}`);
  const golden = fields.golden_files ?? [];
  if (!Array.isArray(golden) || !golden.every(name => typeof name === "string"))
    throw wrong("golden_files", "a list of files");
  return {
    file,
    kind,
    input: text("input"),
    calibration: path("calib") ?? path("data"),
    data: path("data"),
    labels: path("labels"),
    preprocessing: fields.pre === undefined ? undefined : stepsOf(fields.pre, file),
    dims: fields.dims === undefined ? undefined : list(fields, "dims"),
    batch: count("batch"),
    labelOffset: count("label_offset", -MAX_COUNT) ?? 0,
    inputs: inputsOf(fields.inputs, file),
    golden: golden.map(name => resolve(dirname(file), name)),
    sound: {
      starts: path("starts"),
      window: count("window"),
      chunk: count("chunk"),
      context: count("context", 0),
      state: stateOf(fields.state, file),
      rate: count("rate"),
    },
  };
}

/** Samples of a call, and numbers of a window of sound: more than an hour of it at 16 kHz. */
const MAX_COUNT = 2 ** 26;

/** What reads one field of an object and says which is wrong. */
function readers(fields: Fields, file: string) {
  const wrong = (name: string, wanted: string): Failure => bad(file, `has a "${name}" that is not ${wanted}`);
  const text = (name: string): string | undefined => {
    const value = fields[name];
    if (value === undefined || typeof value === "string") return value;
    throw wrong(name, "a text");
  };
  return {
    wrong,
    text,
    path: (name: string): string | undefined => {
      const value = text(name);
      return value === undefined ? undefined : resolve(dirname(file), value.replace(/ \(sorted\)$/, ""));
    },
    count: (name: string, least = 1, most = MAX_COUNT): number | undefined => {
      const value = fields[name];
      if (value === undefined) return undefined;
      if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most)
        return value as number;
      throw wrong(name, `a whole number from ${least} to ${most}`);
    },
    list: (from: Fields, name: string, otherwise?: readonly number[]): readonly number[] => {
      const value = from[name] ?? otherwise;
      if (Array.isArray(value) && value.length > 0 && value.every(Number.isFinite)) return value as number[];
      throw wrong(name, "a list of numbers");
    },
  };
}

function stepsOf(pre: unknown, file: string): PictureSteps {
  const fields = typeof pre === "string" ? { preset: pre } : pre;
  if (!isFields(fields)) throw bad(file, 'has a "pre" that is not an object or the name of a preset');
  const { text, list, wrong } = readers(fields, file);
  const preset = text("preset") ?? "raw";
  if (!isPreset(preset)) throw wrong("preset", `one of ${Object.keys(PRESETS).join(", ")}`);
  const { scale = PRESETS[preset].scale, layout } = fields;
  if (typeof scale !== "number" || !Number.isFinite(scale)) throw wrong("scale", "a number");
  if (layout !== undefined && layout !== "NCHW" && layout !== "NHWC") throw wrong("layout", "NCHW or NHWC");
  const std = list(fields, "std", PRESETS[preset].std);
  if (std.includes(0)) throw wrong("std", "free of zeros");
  return {
    scale,
    mean: list(fields, "mean", PRESETS[preset].mean),
    std,
    bgr: fields.bgr === undefined ? PRESETS[preset].bgr : Boolean(fields.bgr),
    layout,
    resize: sizeOf(fields.resize, "resize", wrong),
    crop: pairOf(sizeOf(fields.crop, "crop", wrong)),
  };
}

/** Larger than any input of a model that is met; a forged number would be gigabytes a picture. */
const MAX_SIDE = 16_384;

function sizeOf(value: unknown, name: string, wrong: (name: string, wanted: string) => Failure) {
  const isSide = (side: unknown): side is number =>
    Number.isSafeInteger(side) && (side as number) > 0 && (side as number) <= MAX_SIDE;
  if (value === undefined || isSide(value)) return value;
  if (Array.isArray(value) && value.length === 2 && value.every(isSide)) return [value[0]!, value[1]!] as const;
  throw wrong(name, "a number of pixels, or [height, width]");
}

function pairOf(size: number | readonly [number, number] | undefined): readonly [number, number] | undefined {
  return typeof size === "number" ? [size, size] : size;
}

function inputsOf(inputs: unknown, file: string): Map<string, InputValue> {
  if (inputs === undefined) return new Map();
  if (!isFields(inputs)) throw bad(file, 'has an "inputs" that is not an object');
  return new Map(Object.entries(inputs).map(([name, value]) => [name, inputValue(name, value, file)]));
}

function inputValue(name: string, value: unknown, file: string): InputValue {
  const at = (path: unknown): string | undefined =>
    typeof path === "string" ? resolve(dirname(file), path) : undefined;
  if (typeof value === "number") return { kind: "fill", value, shape: undefined };
  if (typeof value === "boolean") return { kind: "fill", value: Number(value), shape: undefined };
  if (typeof value === "string") return { kind: "file", calibration: at(value), data: at(value) };
  if (isFields(value)) {
    const { shape } = value;
    const isShape = (dims: unknown): dims is (number | string)[] =>
      Array.isArray(dims) && dims.every(dim => typeof dim === "string" || (Number.isSafeInteger(dim) && dim >= 0));
    const number = value.range ?? value.value;
    if (typeof number === "number" && (shape === undefined || isShape(shape)))
      return { kind: value.range === undefined ? "fill" : "range", value: number, shape };
    const [calibration, data] = [at(value.calib ?? value.data), at(value.data)];
    if (calibration !== undefined) return { kind: "file", calibration, data };
  }
  throw bad(
    file,
    `has an input "${name}" that is no file, no number, no {"value": …, "shape": […]} and no {"range": …}`,
  );
}

function stateOf(state: unknown, file: string): Map<string, string> {
  if (state === undefined) return new Map();
  const isNames = (value: unknown): value is Record<string, string> =>
    isFields(value) && Object.values(value).every(name => typeof name === "string");
  if (!isNames(state)) throw bad(file, 'has a "state" that is not {"input": "output"}');
  return new Map(Object.entries(state));
}

function bad(file: string, why: string): Failure {
  return new Failure("data-unreadable", `${file} ${why}.`, "The README says what a data file holds.");
}
