import { normal, seeded } from "../random";
import type { ModelInput } from "./inputs";
import { convertTo } from "./convert";
import type { Feed, Tensor, TensorType } from "./tensor";

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
  const ofOne = inputs.reduce((sum, input) => sum + elements(dimsOf(input, sizes)), 0);
  return ofOne > LARGE ? 1 : Math.min(count, Math.floor(MAX_TOGETHER / Math.max(1, ofOne)));
}

/**
 * Made-up inputs, for a user without data: floats standard normal, integers 0 or 1, booleans false. Free dimensions are 1
 * where they come first, else 8, unless `sizes` names them.
 *
 * @yields one call of the model a sample, made when asked for; nothing where an input is of a kind or a size that cannot be
 * made up.
 */
export function* syntheticFeeds(
  inputs: readonly ModelInput[],
  count: number,
  seed: number,
  sizes: ReadonlyMap<string, number>,
): Generator<Feed, void> {
  const random = seeded(seed);
  for (let sample = 0; sample < count; sample++) {
    const feed = new Map<string, Tensor>();
    for (const input of inputs) {
      const tensor = syntheticTensor(input, random, sizes);
      if (!tensor) return;
      feed.set(input.name, tensor);
    }
    yield feed;
  }
}

function syntheticTensor(
  input: ModelInput,
  random: () => number,
  sizes: ReadonlyMap<string, number>,
): Tensor | null {
  const { type } = input;
  const dims = dimsOf(input, sizes);
  const count = elements(dims);
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
      const zeroOrOne = new Uint8Array(count);
      for (let at = 0; at < count; at++) zeroOrOne[at] = random() < 0.5 ? 0 : 1;
      return { type, dims, data: convertTo(type satisfies TensorType, { type: "uint8", data: zeroOrOne }) };
    }
    default:
      return null;
  }
}

function dimsOf({ dims }: ModelInput, sizes: ReadonlyMap<string, number>): number[] {
  return (dims ?? []).map((dim, axis) =>
    typeof dim === "number" ? dim : (sizes.get(dim) ?? (axis === 0 ? 1 : USUAL_DIMENSION)),
  );
}

function elements(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
