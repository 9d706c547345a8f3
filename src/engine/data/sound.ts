import { numbersOf } from "../../core/calibration/convert";
import type { ModelInput } from "../../core/calibration/inputs";
import type { Tensor } from "../../core/calibration/tensor";
import { Failure } from "../../core/failure";
import type { SoundSpec } from "../dataFile";
import { openArray, wholeArray } from "./arrays";
import { openBytes } from "./bytes";
import type { Source } from "./source";
import { openWav } from "./wav";

/** Full scale of 16-bit sound. */
const FULL_SCALE = 32_768;

/** A sound as numbers -1..1, read in stretches: an hour of it is no more in memory than a second. */
export interface Sound {
  readonly length: number;
  read(from: number, count: number): Promise<Float32Array>;
}

/**
 * Opens a `.wav` file, or an array of int16 or of floats.
 *
 * @throws {Failure} `data-unreadable` or `data-does-not-fit`.
 */
export async function openSound(path: string): Promise<Sound> {
  if (/\.wav$/i.test(path)) return openWav(await openBytes(path));
  const array = await openArray(await openBytes(path));
  const { type, dims } = array;
  const [length] = dims;
  if (length === undefined || dims.length !== 1 || !/^(int16|float32)$/.test(type)) {
    throw new Failure(
      "data-does-not-fit",
      `${path} holds ${type} [${dims.join(", ")}], and a sound is int16 or float32 [samples].`,
      "Save one channel, or give a .wav file.",
    );
  }
  const scale = type === "int16" ? FULL_SCALE : 1;
  return {
    length,
    read: async (from, count) =>
      Float32Array.from(numbersOf({ type, data: await array.read(from, count) }), value => value / scale),
  };
}

/**
 * Windows of a sound: those that begin where an array says, or one after the other.
 *
 * @throws {Failure} `data-does-not-fit` where a window would reach past the end, or nothing says how long they are.
 */
export async function windows(path: string, spec: SoundSpec, input: ModelInput): Promise<Source> {
  const sound = await openSound(path);
  const fixed = input.dims?.at(-1);
  const length = spec.window ?? (typeof fixed === "number" ? fixed : undefined);
  if (length === undefined) {
    throw new Failure(
      "data-does-not-fit",
      `Nothing says how long a window for input "${input.name}" is.`,
      'Give "window" in the data file, or "chunk" and "state" for a stream.',
    );
  }
  const starts = spec.starts ? numbersOf(await wholeArray(await openBytes(spec.starts))) : undefined;
  const count = starts?.length ?? Math.floor(sound.length / length);
  const startOf = (sample: number): number => starts?.[sample] ?? sample * length;
  for (let sample = 0; sample < count; sample++) {
    const start = startOf(sample);
    if (Number.isSafeInteger(start) && start >= 0 && start + length <= sound.length) continue;
    throw new Failure(
      "data-does-not-fit",
      `A window of ${length} samples at ${start} is not within the ${sound.length} of ${path}.`,
      'Correct "starts" or "window" in the data file.',
    );
  }
  const read = async (sample: number): Promise<Tensor> => ({
    type: "float32",
    dims: [length],
    data: await sound.read(startOf(sample), length),
  });
  return { name: path, count, type: "float32", dims: [length], read };
}
