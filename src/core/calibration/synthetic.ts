import { normal, seeded } from "../random";
import type { ModelInput } from "./inputs";
import { convertTo } from "./convert";
import { isBesideTokens, isTokens, type UsualValue, usualValue } from "./decoder";
import { type Feed, type Tensor, tensorTypeOf, type TensorType } from "./tensor";

/** A free dimension that is not the first: long enough for windows and sequences, short enough to run at once. */
const USUAL_DIMENSION = 8;
/** Elements of one made-up input: a picture of 1,920 by 1,080 in colour. What a network makes of more takes gigabytes. */
const MAX_ELEMENTS = 3 * 1920 * 1080;
/** Elements of the inputs of a call: a picture of 640 by 640 in colour. One call of larger ones has rows enough to measure on. */
const LARGE = 3 * 640 * 640;
/** Elements of the inputs of all calls. What is alive in a run is ten times as much. */
const MAX_TOGETHER = 10 * LARGE;
/** Numbers drawn for one input. Longer ones repeat them: an error over a million numbers does not tell the difference. */
const MOST_DRAWN = 2 ** 20;

/** Of so many samples those that can be made up and run in a moment: at least ten, or one of inputs that are large. */
export function affordableSamples(
  inputs: readonly ModelInput[],
  count: number,
  sizes: ReadonlyMap<string, number>,
): number {
  const ofOne = inputs.reduce((sum, input) => sum + elementsOf(dimsOf(input, sizes)), 0);
  return ofOne > LARGE ? 1 : Math.min(count, Math.floor(MAX_TOGETHER / Math.max(1, ofOne)));
}

/** What is known of a model beside its inputs. */
export interface MadeUpAs {
  /** Sizes of free dimensions, by their names. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Rows of the table that an input looks rows up in, by the input's name. */
  readonly rows: ReadonlyMap<string, number>;
}

/**
 * Made-up inputs, for a user without data: floats standard normal, integers 0 or 1, booleans false. Free dimensions are 1
 * where they come first, else 8, unless `sizes` names them. A model that takes a mask, positions or a past beside its tokens is
 * fed a text: tokens of its table, and beside them what a text is read with from its beginning.
 *
 * @yields one call of the model a sample, made when asked for; nothing where an input is of a kind or a size that cannot be
 * made up.
 */
export function* syntheticFeeds(
  inputs: readonly ModelInput[],
  count: number,
  seed: number,
  { sizes, rows }: MadeUpAs,
): Generator<Feed, void> {
  const random = seeded(seed);
  const tokens = inputs.some(isBesideTokens) ? inputs.find(isTokens) : undefined;
  const length = tokens?.dims && dimsOf(tokens, sizes).at(-1);
  const tensorFor = (input: ModelInput): Tensor | null => {
    const dims = dimsOf(input, sizes);
    if (length === undefined) return madeUp(input.type, dims, random, 2);
    if (input === tokens) return madeUp(input.type, dims, random, rows.get(input.name) ?? 2);
    const usual = usualValue(input, length);
    return usual ? ofText(input, usual, sizes) : madeUp(input.type, dims, random, 2);
  };
  for (let sample = 0; sample < count; sample++) {
    const feed = new Map<string, Tensor>();
    for (const input of inputs) {
      const tensor = tensorFor(input);
      if (!tensor) return;
      feed.set(input.name, tensor);
    }
    yield feed;
  }
}

/** What goes beside one text; sides that have a number, or are given one, keep it. */
function ofText(
  { type, dims: declared }: ModelInput,
  { kind, value, shape }: UsualValue,
  sizes: ReadonlyMap<string, number>,
): Tensor | null {
  const own = declared?.length === shape.length + 1 ? [1, ...shape] : shape;
  const dims = own.map((side, axis) => {
    const dim = declared?.[axis] ?? side;
    return typeof dim === "number" ? dim : (sizes.get(dim) ?? side);
  });
  const to = tensorTypeOf(type);
  if (!to || !(elementsOf(dims) <= MAX_ELEMENTS)) return null;
  const last = dims.at(-1) ?? 1;
  const data = Float64Array.from({ length: elementsOf(dims) }, (_, at) =>
    kind === "range" ? value + (at % last) : value,
  );
  return { type: to, dims, data: convertTo(to, { type: "float64", data }) };
}

function dimsOf({ dims }: ModelInput, sizes: ReadonlyMap<string, number>): number[] {
  return (dims ?? []).map((dim, axis) =>
    typeof dim === "number" ? dim : (sizes.get(dim) ?? (axis === 0 ? 1 : USUAL_DIMENSION)),
  );
}

function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** @param below integers are from 0 to before this. */
function madeUp(type: ModelInput["type"], dims: number[], random: () => number, below: number): Tensor | null {
  const count = elementsOf(dims);
  if (!(count <= MAX_ELEMENTS)) return null;
  switch (type) {
    case "float16":
    case "float32":
    case "float64": {
      const numbers = type === "float32" ? new Float32Array(count) : new Float64Array(count);
      for (let at = 0; at < Math.min(count, MOST_DRAWN); at++) numbers[at] = normal(random);
      for (let at = MOST_DRAWN; at < count; at += MOST_DRAWN)
        numbers.copyWithin(at, 0, Math.min(MOST_DRAWN, count - at));
      return {
        type,
        dims,
        data: type === "float16" ? convertTo(type, { type: "float64", data: numbers }) : numbers,
      };
    }
    case "bool":
      return { type, dims, data: new Uint8Array(count) };
    case "int8":
    case "uint8":
    case "int16":
    case "uint16":
    case "int32":
    case "uint32":
    case "int64":
    case "uint64": {
      const numbers = new Float64Array(count);
      for (let at = 0; at < count; at++) numbers[at] = Math.floor(below * random());
      return { type, dims, data: convertTo(type satisfies TensorType, { type: "float64", data: numbers }) };
    }
    default:
      return null;
  }
}
