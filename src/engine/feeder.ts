import { basename } from "node:path";
import { convertible, convertTo, firstOutside, numbersOf } from "../core/calibration/convert";
import { describeInput, type ModelInput } from "../core/calibration/inputs";
import type { Feed, Tensor, TensorData, TensorType } from "../core/calibration/tensor";
import { Failure } from "../core/failure";
import { constantTensor } from "./data/open";
import { elements, type Source } from "./data/source";
import type { DataSpec } from "./dataFile";

/** One call of a model, with the samples in it. */
export interface Call {
  readonly samples: readonly number[];
  /** How many samples the tensors hold: more than `samples` where the last was repeated. */
  readonly held: number;
  readonly feed: Feed;
}

/** One input of a model and where its samples come from. */
export interface Feeder {
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

/** @param rows of the table that the input looks rows up in; undefined where it is none of these. */
export function feeder(
  input: ModelInput,
  given: Source | undefined,
  spec: DataSpec,
  wholeCalls: boolean,
  rows: number | undefined,
): Feeder {
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
  if (!fits) throw unfit(input, source, { dims, fromSpec: isMain && spec.dims !== undefined, hasBatchAxis }, spec);
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
      if (rows !== undefined) checkRows(tensor, rows, source.name, sample, input.name);
      return { type, dims: shape, data: convertTo(type, tensor) };
    },
  };
}

/** What an input wants, what it is given, and what of it does not fit. */
function unfit(
  input: ModelInput,
  { name, count, type, dims: own }: Source,
  { dims, fromSpec, hasBatchAxis }: { dims: readonly number[]; fromSpec: boolean; hasBatchAxis: boolean },
  { file }: DataSpec,
): Failure {
  if (fromSpec && elements(dims) !== elements(own)) {
    return new Failure(
      "data-does-not-fit",
      `${file} brings samples to [${dims.join(", ")}], and those of ${basename(name)} are of [${own.join(", ")}].`,
      'Correct "dims" in the data file.',
    );
  }
  const ofSamples = !hasBatchAxis && input.dims?.length === dims.length;
  const given = ofSamples
    ? `${count} samples of ${describeInput({ type, dims })}`
    : describeInput({ type, dims: [count, ...dims] });
  const isOfType = input.type !== "unknown" && convertible(type, input.type as TensorType);
  return new Failure(
    "data-does-not-fit",
    `Input "${input.name}" wants ${describeInput(input)}; ${basename(name)} gives ${given}.`,
    isOfType
      ? "Reshape the array, or say in a data file how samples become inputs."
      : `Save the array as ${input.type}, or say in a data file how samples become inputs ("kind": "image" of bytes).`,
  );
}

/** Models of sound ask for its rate as a number beside it. */
export function isRate(input: ModelInput, { kind, sound }: DataSpec): boolean {
  return kind === "audio" && sound.rate !== undefined && input.dims?.length === 0;
}

export function rateSource(input: ModelInput, { sound }: DataSpec): Source {
  const tensor = constantTensor({ kind: "fill", value: sound.rate!, shape: [] }, input);
  return { name: "rate", count: Infinity, type: tensor.type, dims: [], read: () => Promise.resolve(tensor) };
}

/** So many inputs a sentence names. */
const MOST_NAMED = 4;

/** @throws {Failure} `data-does-not-fit`, with the inputs that nothing is said of and what to write. */
export function requireNamed(inputs: readonly ModelInput[], isNamed: (input: ModelInput) => boolean): void {
  const unnamed = inputs.filter(input => !isNamed(input));
  const [first] = unnamed;
  if (!first) return;
  const named = unnamed.slice(0, MOST_NAMED).map(input => `"${input.name}" (${describeInput(input)})`);
  const more = unnamed.length > MOST_NAMED ? ` and ${unnamed.length - MOST_NAMED} more` : "";
  throw new Failure(
    "data-does-not-fit",
    `Nothing says what ${unnamed.length === 1 ? "input" : "inputs"} ${named.join(", ")}${more} ${unnamed.length === 1 ? "is" : "are"} fed.`,
    `Name each under "inputs" in a data file, a file or one number throughout, with numbers for the names of sides (0 for a past that is empty): "inputs": {${JSON.stringify(first.name)}: {"value": 0, "shape": ${JSON.stringify(first.dims ?? []).replaceAll(",", ", ")}}}.`,
  );
}

/** @param fill the samples a call must have; 0 where the model does not care. */
export async function callOf(feeders: readonly Feeder[], wanted: readonly number[], fill: number): Promise<Call> {
  const read = await Promise.all(feeders.map(one => Promise.all(wanted.map(sample => one.read(sample)))));
  // Samples of one call have one size; those that differ wait for the next.
  const sameAs = (place: number): boolean =>
    read.every(tensors => tensors[place]!.dims.every((dim, axis) => dim === tensors[0]!.dims[axis]));
  const until = wanted.findIndex((_, place) => !sameAs(place));
  const samples = wanted.slice(0, until < 0 ? undefined : until);
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

/** A row from the end has a negative number. */
function checkRows({ data }: Tensor, rows: number, file: string, sample: number, name: string): void {
  for (const value of data) {
    if (value >= -rows && value < rows) continue;
    throw new Failure(
      "data-does-not-fit",
      `${file} holds ${value} in sample ${sample}, and input "${name}" looks up rows of a table of ${rows}.`,
      "Give tokens of the vocabulary that the model was trained with.",
    );
  }
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
