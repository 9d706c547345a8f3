import { writeFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import type { ModelInput } from "../../core/calibration/inputs";
import { shortSideOf } from "../../core/calibration/pictures";
import {
  layoutOf,
  likelyPreset,
  pictureSizeOf,
  type PictureSteps,
  type Preset,
  PRESETS,
} from "../../core/calibration/presets";
import { Failure } from "../../core/failure";
import { type DataSpec, readDataFile } from "../dataFile";

// Where nothing says how pictures are prepared, it is guessed and written to a data file beside the model: there the user can
// read and correct it, and there the next run finds it.

/** How pictures are prepared, and what has to be said of it. */
export interface Prepared {
  readonly steps: PictureSteps;
  readonly warnings: readonly string[];
}

/** The data file of a model, and of the copies made of it: `MODEL.data.json` for `MODEL.onnx` and `MODEL.w4.onnx`. */
export function dataFileBeside(model: string): string {
  return join(dirname(model), `${basename(model).replace(/(\.w\d)?\.onnx$/i, "")}.data.json`);
}

/**
 * @param picture size of the first of the pictures.
 * @param model   the path of the model; undefined where it has none, and nothing is written.
 * @throws {Failure} `data-unreadable` for a data file beside the model that is none.
 */
export async function preparedAs(
  spec: DataSpec,
  input: ModelInput,
  picture: { readonly height: number; readonly width: number },
  model: string | undefined,
): Promise<Prepared> {
  if (spec.preprocessing) return { steps: spec.preprocessing, warnings: [] };
  const file = model === undefined ? undefined : dataFileBeside(model);
  const beside = file === undefined ? undefined : await readIfThere(file);
  if (beside?.preprocessing)
    return { steps: beside.preprocessing, warnings: [`Pictures are prepared as ${file} says.`] };
  const preset = likelyPreset(input);
  const steps: PictureSteps = { ...PRESETS[preset], ...placing(input, picture) };
  const where = beside
    ? `say so under "pre" in ${file}`
    : file === undefined
      ? 'say so under "pre" in a data file'
      : await writeGuess(file, spec, input, steps);
  return { steps, warnings: [`${guessed(preset)} If it was trained otherwise, ${where}.`] };
}

/** What a picture of another size than the model's goes through. */
function placing(
  input: ModelInput,
  picture: { readonly height: number; readonly width: number },
): Pick<PictureSteps, "layout" | "resize" | "crop"> {
  const layout = layoutOf(input);
  const { height, width } = pictureSizeOf(input, layout) ?? {};
  const isRight = (height ?? picture.height) === picture.height && (width ?? picture.width) === picture.width;
  if (isRight) return { layout, resize: undefined, crop: undefined };
  const crop = [height ?? picture.height, width ?? picture.width] as const;
  return { layout, resize: shortSideOf(...crop), crop };
}

async function readIfThere(file: string): Promise<DataSpec | undefined> {
  try {
    return await readDataFile(file);
  } catch (error) {
    if (error instanceof Failure && error.code === "data-missing") return undefined;
    throw error;
  }
}

/** @returns where to say what is right; a folder that cannot be written to costs a run nothing. */
async function writeGuess(file: string, spec: DataSpec, input: ModelInput, steps: PictureSteps): Promise<string> {
  const { calibration, data, labels, dims } = spec;
  const from = (path: string | undefined): string | undefined => path && pathFrom(dirname(file), path);
  const { scale, mean, std, layout, bgr, resize, crop } = steps;
  const content = {
    note: "Written by Whittle. What stands under pre was guessed from the shape of the model's input: correct it if the model was trained otherwise. Whittle never writes to this file again.",
    kind: "image",
    input: input.name,
    calib: calibration === data ? undefined : from(calibration),
    data: from(data),
    labels: from(labels),
    dims,
    pre: { resize, crop, scale, mean, std, layout, bgr: Number(bgr) },
  };
  try {
    await writeFile(file, `${JSON.stringify(content, null, 2)}\n`, { flag: "wx" });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return `say so under "pre" in a data file (none could be written to ${file}: ${code})`;
  }
  return `correct ${file}, where this is written now and where the next run looks`;
}

/** As data files name others: relative where that can be, with slashes that every system takes. */
function pathFrom(folder: string, path: string): string {
  const way = relative(folder, path);
  return isAbsolute(way) ? way : way.split(sep).join("/");
}

function guessed(preset: Preset): string {
  const { scale, mean, std } = PRESETS[preset];
  return `Nothing says how pictures are prepared; they were taken as "${preset}" has it, (value * ${Number(scale.toPrecision(3))} - [${mean.join(", ")}]) / [${std.join(", ")}], which fits the model's input best.`;
}
