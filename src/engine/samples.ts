import { basename } from "node:path";
import { convertible, convertTo, numbersOf } from "../core/calibration/convert";
import { describeInput, type ModelInput, modelInputs } from "../core/calibration/inputs";
import { type NpyArray, readNpy } from "../core/calibration/npy";
import type { Feed, Tensor, TensorType } from "../core/calibration/tensor";
import { Failure } from "../core/failure";
import type { Model } from "../core/onnx/model";
import type { DataSpec, ImagePreprocessing } from "./dataFile";
import { readWhole } from "./files";

/** Samples of a data set, ready to be fed to a model. */
export interface Samples {
  readonly count: number;
  /** Samples in one call; the last call may have fewer. */
  readonly batch: number;
  /** Calls of the model that between them hold the given samples, in order. */
  feeds(samples: readonly number[]): Feed[];
}

/** Samples in one call where the model leaves that free and the data file does not say. */
const USUAL_BATCH = 16;

/**
 * Opens the samples of a data file.
 *
 * @param path  the array: `calibration` or `data` of the data file.
 * @param limit at most so many samples, the first ones.
 * @throws {Failure} `data-missing`, `data-unreadable`, `data-does-not-fit` or `data-not-finite`.
 */
export async function openSamples(spec: DataSpec, path: string, model: Model, limit: number): Promise<Samples> {
  if (!path.endsWith(".npy")) {
    throw new Failure(
      "data-unreadable",
      `${path} is not a .npy array.`,
      "Only arrays are handled yet; save the samples with numpy.save.",
    );
  }
  const array = readNpy(await readWhole(path, "data"), path);
  const input = inputOf(spec, model);
  const available = array.dims[0] ?? 0;
  const count = Math.min(limit, available);
  if (count === 0)
    throw new Failure(
      "data-does-not-fit",
      `${path} holds no samples.`,
      "Give an array whose first axis counts samples.",
    );
  const whole = spec.kind === "image" ? imageTensor(array, spec.preprocessing, path) : array;
  const sampleDims = spec.dims ?? whole.dims.slice(1);
  const tensor = fitted({ ...whole, dims: [available, ...sampleDims] }, input, path);
  checkFinite(tensor, count, path);

  const { batch, hasBatchAxis } = batchOf(input, sampleDims.length, spec.batch);
  const size = tensor.data.length / available;
  return {
    count,
    batch,
    feeds: samples => {
      const feeds: Feed[] = [];
      for (let start = 0; start < samples.length; start += batch) {
        const some = samples.slice(start, start + batch);
        const data = tensor.data.slice(0, some.length * size);
        some.forEach((sample, place) =>
          data.set(tensor.data.subarray(sample * size, (sample + 1) * size) as never, place * size),
        );
        feeds.push(
          new Map([
            [
              input.name,
              { type: tensor.type, dims: hasBatchAxis ? [some.length, ...sampleDims] : sampleDims, data },
            ],
          ]),
        );
      }
      return feeds;
    },
  };
}

function inputOf(spec: DataSpec, model: Model): ModelInput {
  const inputs = modelInputs(model);
  const names = inputs.map(input => input.name).join(", ");
  if (spec.input === undefined) {
    if (inputs.length === 1) return inputs[0]!;
    throw new Failure(
      "data-does-not-fit",
      `The model has ${inputs.length} inputs (${names}).`,
      'Name the one the data is for as "input" in a data file; several inputs are not handled yet.',
    );
  }
  const found = inputs.find(input => input.name === spec.input);
  if (found && inputs.length === 1) return found;
  if (found)
    throw new Failure(
      "data-does-not-fit",
      `The model has further inputs beside "${spec.input}" (${names}).`,
      "Models with several inputs are not handled yet.",
    );
  throw new Failure(
    "data-does-not-fit",
    `${spec.file} is for an input "${spec.input}", and the model has ${names || "none"}.`,
    'Correct "input" in the data file.',
  );
}

/** uint8 pictures [N, H, W, C] to float32 in the layout of the model. */
function imageTensor(array: NpyArray, pre: ImagePreprocessing, path: string): NpyArray {
  const { dims } = array;
  if (array.type !== "uint8" || dims.length !== 4) {
    throw new Failure(
      "data-does-not-fit",
      `${path} holds ${describeInput(array)}, and pictures are uint8 [N, height, width, channels].`,
      'Save them so, or set "kind": "tensor".',
    );
  }
  const [count, height, width, channels] = dims as [number, number, number, number];
  const pixels = array.data as Uint8Array;
  const plane = height * width;
  const out = new Float32Array(pixels.length);
  for (let at = 0; at < pixels.length; at++) {
    const stored = at % channels;
    const channel = pre.bgr ? channels - 1 - stored : stored;
    const pixel = Math.floor(at / channels);
    const to =
      pre.layout === "NCHW"
        ? (Math.floor(pixel / plane) * channels + channel) * plane + (pixel % plane)
        : pixel * channels + channel;
    out[to] = (pixels[at]! * pre.scale - pre.mean[channel % pre.mean.length]!) / pre.std[channel % pre.std.length]!;
  }
  return {
    type: "float32",
    dims: pre.layout === "NCHW" ? [count, channels, height, width] : [count, height, width, channels],
    data: out,
  };
}

/** The samples in the type the model wants, their shape checked against what it says. */
function fitted(tensor: NpyArray, input: ModelInput, path: string): Tensor {
  const wanted = input.type;
  const sample = tensor.dims.slice(1);
  const given = input.dims?.length === sample.length ? sample : tensor.dims;
  const fits =
    wanted !== "unknown" &&
    convertible(tensor.type, wanted as TensorType) &&
    tensor.data.length === tensor.dims.reduce((product, dim) => product * dim, 1) &&
    (input.dims === undefined ||
      (input.dims.length === given.length &&
        input.dims.every(
          (dim, axis) => typeof dim === "string" || dim === given[axis] || (axis === 0 && given === tensor.dims),
        )));
  if (!fits) {
    throw new Failure(
      "data-does-not-fit",
      `Input "${input.name}" wants ${describeInput(input)}; ${basename(path)} gives ${describeInput(tensor)}.`,
      "Reshape the array, or say in a data file how samples become inputs.",
    );
  }
  return { type: wanted as TensorType, dims: tensor.dims, data: convertTo(wanted as TensorType, tensor) };
}

function checkFinite(tensor: Tensor, count: number, path: string): void {
  if (!tensor.type.startsWith("float")) return;
  const size = tensor.data.length / tensor.dims[0]!;
  const values = numbersOf({ type: tensor.type, data: tensor.data.subarray(0, count * size) });
  for (let at = 0; at < values.length; at++) {
    if (Number.isFinite(values[at]!)) continue;
    throw new Failure(
      "data-not-finite",
      `${basename(path)} holds ${values[at]} in sample ${Math.floor(at / size)}.`,
      "Errors measured on it would mean nothing; remove the sample, or mend it.",
    );
  }
}

/** How many samples go into one call: what the model fixes, else what the data file says. */
function batchOf(
  input: ModelInput,
  sampleRank: number,
  wanted: number | undefined,
): { batch: number; hasBatchAxis: boolean } {
  if (input.dims && input.dims.length === sampleRank) return { batch: 1, hasBatchAxis: false };
  const first = input.dims?.[0];
  return { batch: typeof first === "number" ? first : (wanted ?? USUAL_BATCH), hasBatchAxis: true };
}
