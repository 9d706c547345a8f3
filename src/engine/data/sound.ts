import { numbersOf } from "../../core/calibration/convert";
import type { ModelInput } from "../../core/calibration/inputs";
import type { Feed, Session, Tensor } from "../../core/calibration/tensor";
import { Failure } from "../../core/failure";
import type { SoundSpec } from "../dataFile";
import { wholeArray } from "./arrays";
import { openBytes } from "./bytes";
import type { Source } from "./source";
import { readWav } from "./wav";

/** Full scale of 16-bit sound. */
const FULL_SCALE = 32_768;

/**
 * A sound as numbers -1..1: a `.wav` file, or an array of int16 or of floats.
 *
 * @throws {Failure} `data-unreadable` or `data-does-not-fit`.
 */
export async function readSound(path: string): Promise<Float32Array> {
  if (/\.wav$/i.test(path)) return (await readWav(path)).samples;
  const array = await wholeArray(await openBytes(path));
  if (array.dims.length !== 1 || !/^(int16|float32)$/.test(array.type)) {
    throw new Failure(
      "data-does-not-fit",
      `${path} holds ${array.type} [${array.dims.join(", ")}], and a sound is int16 or float32 [samples].`,
      "Save one channel, or give a .wav file.",
    );
  }
  const scale = array.type === "int16" ? FULL_SCALE : 1;
  return Float32Array.from(numbersOf(array), value => value / scale);
}

/**
 * Windows of a sound: those that begin where an array says, or one after the other.
 *
 * @throws {Failure} `data-does-not-fit` where a window would reach past the end, or nothing says how long they are.
 */
export async function windows(path: string, sound: SoundSpec, input: ModelInput): Promise<Source> {
  const all = await readSound(path);
  const fixed = input.dims?.at(-1);
  const length = sound.window ?? (typeof fixed === "number" ? fixed : undefined);
  if (length === undefined) {
    throw new Failure(
      "data-does-not-fit",
      `Nothing says how long a window for input "${input.name}" is.`,
      'Give "window" in the data file, or "chunk" and "state" for a stream.',
    );
  }
  const starts = sound.starts
    ? Array.from(numbersOf(await wholeArray(await openBytes(sound.starts))))
    : Array.from({ length: Math.floor(all.length / length) }, (_, k) => k * length);
  const beyond = starts.find(start => !(start >= 0 && start + length <= all.length));
  if (beyond !== undefined) {
    throw new Failure(
      "data-does-not-fit",
      `A window of ${length} samples at ${beyond} reaches past the ${all.length} of ${path}.`,
      'Correct "starts" or "window" in the data file.',
    );
  }
  const read = (sample: number): Promise<Tensor> => {
    const start = starts[sample]!;
    return Promise.resolve({ type: "float32", dims: [length], data: all.slice(start, start + length) });
  };
  return { name: path, count: starts.length, type: "float32", dims: [length], read };
}

/** How a stream is fed: chunks of new samples after some old ones, and outputs that become inputs of the next call. */
export interface Stream {
  readonly chunk: number;
  readonly context: number;
  readonly state: ReadonlyMap<string, string>;
}

/**
 * The calls of a stream, in order, each with the state that this model left after the call before.
 *
 * @param constants what further inputs are fed in every call.
 */
export async function streamFeeds(
  path: string,
  { chunk, context, state }: Stream,
  input: ModelInput,
  inputs: readonly ModelInput[],
  constants: Feed,
  session: Session,
  limit: number,
): Promise<Feed[]> {
  const sound = await readSound(path);
  const padded = new Float32Array(context + sound.length);
  padded.set(sound, context);
  const zeros = (name: string): Tensor => {
    const dims = (inputs.find(one => one.name === name)?.dims ?? []).map(dim =>
      typeof dim === "number" ? dim : 1,
    );
    const size = dims.reduce((product, dim) => product * dim, 1);
    return { type: "float32", dims, data: new Float32Array(size) };
  };
  let now = new Map([...state.keys()].map(name => [name, zeros(name)]));
  const feeds: Feed[] = [];
  const calls = Math.min(limit, Math.floor(sound.length / chunk));
  for (let k = 0; k < calls; k++) {
    const data = padded.slice(k * chunk, k * chunk + context + chunk);
    const feed: Feed = new Map([
      ...constants,
      ...now,
      [input.name, { type: "float32", dims: [1, data.length], data } satisfies Tensor],
    ]);
    const outputs = await session.run(feed);
    now = new Map(
      [...state].map(([name, output]) => {
        const left = outputs.get(output);
        if (left) return [name, left];
        throw new Failure(
          "data-does-not-fit",
          `Input "${name}" should get output "${output}" of the call before, and the model has no such output.`,
          'Correct "state" in the data file.',
        );
      }),
    );
    feeds.push(feed);
  }
  return feeds;
}
