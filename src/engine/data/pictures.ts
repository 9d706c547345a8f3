import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import picomatch from "picomatch";
import { describeInput, type ModelInput } from "../../core/calibration/inputs";
import {
  type ImagePreprocessing,
  type Picture,
  type PictureSize,
  pictureTensor,
} from "../../core/calibration/pictures";
import { layoutOf, pictureSizeOf, type PictureSteps } from "../../core/calibration/presets";
import type { Tensor } from "../../core/calibration/tensor";
import { Failure } from "../../core/failure";
import { failureOf, unreadable } from "./bytes";
import { PICTURE_FILES, readPicture } from "./pictureFile";
import type { Source } from "./source";

/** As picomatch reads globs over layers, too: `[` in a folder's name is no surprise, since only names below it are matched. */
const GLOB = /[*?{[]/;

/** Each may stand for any part of a name, and a name that fits none of them tries all ways to part it: seconds for six. */
const MAX_WILDCARDS = 4;

/**
 * The files a path stands for, sorted by name: a folder's pictures, at any depth, a glob's, or the one file.
 *
 * @throws {Failure} `data-missing` or `data-unreadable`.
 */
export async function filesOf(path: string, wanted = PICTURE_FILES): Promise<string[]> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isFile()) return [path];
  if (!info && !GLOB.test(path)) throw failureOf(path, Object.assign(new Error(), { code: "ENOENT" }));
  let folder = path;
  while (!info && GLOB.test(folder)) folder = dirname(folder);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw failureOf(folder, error);
  });
  const names = entries
    .filter(entry => !entry.isDirectory())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
  const glob = info ? "**" : relative(folder, path).split(sep).join("/");
  if (glob.split("/").some(name => (name.match(/\*|[?+@!](?=\()/g) ?? []).length > MAX_WILDCARDS))
    throw unreadable(path, `is a glob with more than ${MAX_WILDCARDS} wildcards in a name`, "Use fewer.");
  const matches = picomatch(glob, { dot: true });
  const found = names.filter(name => matches(name) && (!info || wanted.test(name))).sort();
  if (found.length === 0) {
    throw unreadable(
      path,
      info ? "holds no pictures (JPEG, PNG, WebP, BMP), and no test_data_set_* with inputs" : "matches no file",
      "Name the folder or the files.",
    );
  }
  return found.map(name => join(folder, name));
}

/** The classes that files named `CLASS_….jpg` say they are of; undefined where one does not. */
export function classesOf(files: readonly string[]): number[] | undefined {
  const classes = files.map(file => /^(\d+)_/.exec(basename(file))?.[1]);
  return classes.every(name => name !== undefined) ? classes.map(Number) : undefined;
}

/** Pictures read one by one from files. */
export function pictureFiles(files: readonly string[], input: ModelInput, steps: PictureSteps): Promise<Source> {
  return pictureSource(files[0]!, files.length, sample => readPicture(files[sample]!), input, steps);
}

/**
 * Pictures of a uint8 array [N, height, width, channels], or [N, height, width] of grey ones.
 *
 * @throws {Failure} `data-does-not-fit`.
 */
export function pictureArray(array: Source, input: ModelInput, steps: PictureSteps): Promise<Source> {
  const [height, width, channels = 1] = array.dims;
  const isPictures =
    array.type === "uint8" &&
    array.dims.length >= 2 &&
    array.dims.length <= 3 &&
    (channels === 1 || channels === 3);
  if (!isPictures || !height || !width) {
    throw new Failure(
      "data-does-not-fit",
      `${array.name} holds ${describeInput({ type: array.type, dims: [array.count, ...array.dims] })}, and pictures are uint8 [N, height, width, 1 or 3 channels].`,
      'Save them so, or set "kind": "tensor".',
    );
  }
  const read = async (sample: number): Promise<Picture> => {
    const { data } = await array.read(sample);
    return { width, height, channels, data: data as Uint8Array };
  };
  return pictureSource(array.name, array.count, read, input, steps);
}

async function pictureSource(
  name: string,
  count: number,
  read: (sample: number) => Promise<Picture>,
  input: ModelInput,
  steps: PictureSteps,
): Promise<Source> {
  const pre: ImagePreprocessing = { ...steps, layout: steps.layout ?? layoutOf(input) };
  // An input that is no picture (a vector, say) takes the pixels as they come; "dims" brings them to its shape.
  const first = count > 0 ? await read(0) : undefined;
  const size: PictureSize = pictureSizeOf(input, pre.layout) ?? {
    height: undefined,
    width: undefined,
    channels: first && first.width * first.height === sizeOf(input) ? 1 : (first?.channels ?? 3),
  };
  const make = (picture: Picture): Tensor => inType(pictureTensor(picture, pre, size), input.type);
  const { type, dims } = first ? make(first) : { type: "float32" as const, dims: [] };
  return { name, count, type, dims, read: async sample => make(await read(sample)) };
}

/** Models with their preprocessing inside take whole numbers; whoever scales to fractions for them has it wrong. */
function inType(tensor: Tensor, wanted: ModelInput["type"]): Tensor {
  if (wanted !== "uint8") return tensor;
  return { ...tensor, type: "uint8", data: rounded(tensor.data as Float32Array) };
}

function rounded(data: Float32Array): Uint8Array {
  return new Uint8Array(Uint8ClampedArray.from(data).buffer);
}

/** Numbers in one sample of an input, as far as they are fixed. */
function sizeOf({ dims }: ModelInput): number {
  return (dims ?? []).slice(1).reduce<number>((product, dim) => product * (typeof dim === "number" ? dim : 1), 1);
}
