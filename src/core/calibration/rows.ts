import { Failure } from "../failure";
import type { SeenRange } from "../graph/cutOffs";
import type { Layer } from "../graph/layers";
import { place, type Window } from "../graph/window";
import type { Matrix } from "../matrix";
import { seeded } from "../random";
import type { LayerActivations } from "./forward";
import type { KeptTensor } from "./kept";

/** Rows a layer is fitted on: enough for the widest layers met so far, see networks.md ("rows a layer"). */
const MOST_ROWS = 20_000;
/** … but never fewer than this many for each input of the layer, where there are that many. */
const ROWS_PER_INPUT = 20;

/** Memory for the rows of the groups of a layer that are gathered in one pass over its activations: one group at least. */
const MOST_BYTES_AT_ONCE = 2 ** 26;

/** Rows of one group of a layer, drawn at the same places of both networks. */
export interface GroupRows {
  /** X, what the float network feeds the layer, [rows, inputs]. */
  readonly float: Matrix<Float32Array>;
  /** X~, what the network quantized so far feeds it; the same object where it is the float one. */
  readonly seen: Matrix<Float32Array>;
  /** What is added to the layer's outputs in both networks; undefined where nothing is. */
  readonly added: AddedRows | undefined;
  /** What is seen of the layer's outputs, and of the sum they enter; null where all of it is. */
  readonly range: SeenRange | null;
}

/** [rows, neurons] each. */
export interface AddedRows {
  /** S~, what the network quantized so far adds. */
  readonly seen: Matrix<Float32Array>;
  /** S - S~. */
  readonly missing: Matrix<Float32Array>;
}

/**
 * Where the rows of a layer come from. They are gathered when asked for, some groups at a time and run by run: a depthwise
 * layer has hundreds of groups, whose patches would not fit in memory all at once, and nor may the activations.
 */
export interface LayerRows {
  /** Rows of the fitted samples, at most `most` of them. */
  fitted(most: number): DrawnRows;
  /** Rows of the samples held out; null where there are none. */
  readonly heldOut: DrawnRows | null;
}

export interface DrawnRows {
  readonly count: number;
  /** The sample each row comes from, [rows]: rows of one sample are not independent of each other. */
  readonly samples: Int32Array;
  /** Groups are asked for in order: gathering goes over the activations once for several of them. */
  group(group: number): Promise<GroupRows>;
}

/**
 * @param float of the float network, first the fitted runs, then those held out.
 * @param seen  of the network quantized so far; the same object where a layer is fitted on what the float network feeds it.
 * @param bytesAtOnce memory for the groups that are gathered together; one group at least.
 */
export function layerRows(
  layer: Layer,
  float: LayerActivations,
  seen: LayerActivations,
  fittedRuns: number,
  seed: number,
  bytesAtOnce = MOST_BYTES_AT_ONCE,
): LayerRows {
  const draw = (from: number, to: number, most: number): DrawnRows => {
    const part = (tensors: readonly KeptTensor[]): readonly KeptTensor[] => tensors.slice(from, to);
    const [floatRuns, seenRuns] = [part(float.inputs), part(seen.inputs)];
    const added = float.addends && seen.addends && { float: part(float.addends), seen: part(seen.addends) };
    // What the model is fed both networks are; a matrix of its own says that it is the quantized one's.
    const isSame = floatRuns.every((run, k) => run === seenRuns[k]);
    const rows = drawRows(
      floatRuns.map(run => rowCount(layer, run.dims)),
      Math.min(most, rowLimit(layer.inputs)),
      seed,
    );
    const bytesOfGroup = 4 * rows.length * (2 * layer.inputs + (2 * layer.neurons) / layer.groups);
    const atOnce = Math.max(1, Math.floor(bytesAtOnce / Math.max(1, bytesOfGroup)));
    const gather = async (groups: Groups): Promise<GroupRows[]> => {
      const ofFloat = await gatherRows(layer, floatRuns, rows, groups);
      const ofSeen =
        seen === float
          ? ofFloat
          : isSame
            ? ofFloat.map(one => ({ ...one }))
            : await gatherRows(layer, seenRuns, rows, groups);
      const sums = added && (await addedSums(layer, floatRuns, added, rows, groups));
      // Of a sum that is not known nobody can tell what is seen.
      const range = added && !sums ? null : float.range;
      return ofFloat.map((one, k) => ({ float: one, seen: ofSeen[k]!, added: sums?.[k], range }));
    };
    // The last ones are asked for again when errors are measured; gathering patches is as dear as the fit.
    let last: { groups: Groups; rows: GroupRows[] } | undefined;
    return {
      count: rows.length,
      samples: samplesOf(layer, floatRuns, rows),
      group: async group => {
        if (!last || group < last.groups.from || group >= last.groups.to) {
          const from = group - (group % atOnce);
          const groups = { from, to: Math.min(from + atOnce, layer.groups) };
          last = { groups, rows: await gather(groups) };
        }
        return last.rows[group - last.groups.from]!;
      },
    };
  };
  return {
    fitted: most => draw(0, fittedRuns, most),
    heldOut: fittedRuns < float.inputs.length ? draw(fittedRuns, float.inputs.length, Infinity) : null,
  };
}

/** The first axis of an activation counts the samples of its run. */
function samplesOf(layer: Layer, runs: readonly KeptTensor[], rows: readonly Row[]): Int32Array {
  let before = 0;
  const starts = runs.map(({ dims }) => {
    const start = before;
    before += dims[0] ?? 1;
    return start;
  });
  const perSample = runs.map(({ dims }) => rowCount(layer, dims) / Math.max(1, dims[0] ?? 1));
  return Int32Array.from(rows, ({ run, position }) => starts[run]! + Math.floor(position / perSample[run]!));
}

/** How many rows to draw for a layer of `inputs` inputs. */
function rowLimit(inputs: number): number {
  return Math.max(MOST_ROWS, ROWS_PER_INPUT * inputs);
}

/** Where a drawn row comes from: the run it was in, and its place there. */
export interface Row {
  readonly run: number;
  readonly position: number;
}

/**
 * Draws rows evenly over all runs and positions: one from each of `limit` equal stretches, by a seeded generator. All of
 * them, in order, where there are no more than `limit`.
 *
 * @param rowsOfRuns how many rows each run has.
 */
export function drawRows(rowsOfRuns: readonly number[], limit: number, seed: number): Row[] {
  const total = rowsOfRuns.reduce((sum, rows) => sum + rows, 0);
  const count = Math.min(total, limit);
  const random = seeded(seed);
  const rows: Row[] = [];
  let run = 0;
  let before = 0;
  for (let k = 0; k < count; k++) {
    const from = Math.floor((k * total) / count);
    const to = Math.floor(((k + 1) * total) / count);
    const at = total === count ? k : from + Math.floor(random() * (to - from));
    while (at >= before + rowsOfRuns[run]!) before += rowsOfRuns[run++]!;
    rows.push({ run, position: at - before });
  }
  return rows;
}

/** Rows (one for every output position) that a layer sees in an activation of the given dimensions. */
function rowCount(layer: Layer, dims: readonly number[]): number {
  checkActivation(layer, dims);
  if (layer.window) {
    const { outputHeight, outputWidth } = place(layer.window, dims[2]!, dims[3]!);
    return dims[0]! * Math.max(0, outputHeight) * Math.max(0, outputWidth);
  }
  return dims.slice(0, -1).reduce((product, dim) => product * dim, 1);
}

/** Some groups of a layer that follow each other: from the first to before the last. */
interface Groups {
  readonly from: number;
  readonly to: number;
}

/** The rows of each run, which follow each other: drawn rows are in the order of the runs. */
function runsOf(rows: readonly Row[]): { run: number; from: number; to: number }[] {
  const runs: { run: number; from: number; to: number }[] = [];
  rows.forEach(({ run }, r) => {
    const last = runs.at(-1);
    if (last?.run === run) last.to = r + 1;
    else runs.push({ run, from: r, to: r + 1 });
  });
  return runs;
}

function emptyMatrices({ from, to }: Groups, rows: number, columns: number): Matrix<Float32Array>[] {
  return Array.from({ length: to - from }, () => ({ rows, columns, data: new Float32Array(rows * columns) }));
}

/** The inputs of each group of a layer at the drawn rows, X [rows, inputs]; patches (im2col) for Conv. */
async function gatherRows(
  layer: Layer,
  activations: readonly KeptTensor[],
  rows: readonly Row[],
  groups: Groups,
): Promise<Matrix<Float32Array>[]> {
  const gathered = emptyMatrices(groups, rows.length, layer.inputs);
  for (const { run, from, to } of runsOf(rows)) {
    const { dims, data } = await activations[run]!.read();
    const values = data as Float32Array;
    for (let r = from; r < to; r++) {
      const { position } = rows[r]!;
      gathered.forEach(({ data }, k) => {
        const out = data.subarray(r * layer.inputs, (r + 1) * layer.inputs);
        if (layer.window) copyPatch(layer.window, dims, values, position, groups.from + k, out);
        else out.set(values.subarray(position * layer.inputs, (position + 1) * layer.inputs));
      });
    }
  }
  return gathered;
}

/**
 * S - S~ and S~ at the drawn rows, for each group [rows, neurons of the group]; undefined where what is added has another shape
 * than the layer's outputs, and so does not add to each of them what is only its own.
 */
async function addedSums(
  layer: Layer,
  inputs: readonly KeptTensor[],
  added: { float: readonly KeptTensor[]; seen: readonly KeptTensor[] },
  rows: readonly Row[],
  groups: Groups,
): Promise<AddedRows[] | undefined> {
  if (!inputs.every(({ dims }, run) => sameDims(outputDims(layer, dims), added.float[run]!.dims))) return undefined;
  const neurons = layer.neurons / layer.groups;
  const gathered = emptyMatrices(groups, rows.length, neurons).map(missing => ({
    missing,
    seen: { ...missing, data: new Float32Array(missing.data.length) },
  }));
  for (const { run, from, to } of runsOf(rows)) {
    const { dims, data: float } = await added.float[run]!.read();
    const { data: seen } = await added.seen[run]!.read();
    // Outputs of a convolution are planes, [samples, neurons, height, width]; others have their neurons side by side.
    const plane = layer.window ? dims[2]! * dims[3]! : 1;
    for (let r = from; r < to; r++) {
      const { position } = rows[r]!;
      gathered.forEach((one, k) => {
        const neuron = Math.floor(position / plane) * layer.neurons + (groups.from + k) * neurons;
        for (let j = 0; j < neurons; j++) {
          const at = (neuron + j) * plane + (position % plane);
          one.seen.data[r * neurons + j] = seen[at] as number;
          one.missing.data[r * neurons + j] = (float[at] as number) - (seen[at] as number);
        }
      });
    }
  }
  return gathered;
}

function outputDims(layer: Layer, dims: readonly number[]): number[] {
  if (!layer.window) return [...dims.slice(0, -1), layer.neurons];
  const { outputHeight, outputWidth } = place(layer.window, dims[2]!, dims[3]!);
  return [dims[0]!, layer.neurons, outputHeight, outputWidth];
}

function sameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** One row of im2col: the part of one group's channels that the window sees at one output position; zero in the padding. */
function copyPatch(
  window: Window,
  dims: readonly number[],
  values: Float32Array,
  position: number,
  group: number,
  out: Float32Array,
): void {
  const [, channels, height, width] = dims as [number, number, number, number];
  const { top, left, outputHeight, outputWidth } = place(window, height, width);
  const sample = Math.floor(position / (outputHeight * outputWidth));
  const y = Math.floor(position / outputWidth) % outputHeight;
  const x = position % outputWidth;
  const perGroup = channels / window.groups;
  const [kernelHeight, kernelWidth] = window.kernel;
  const firstRow = y * window.strides[0] - top;
  const firstColumn = x * window.strides[1] - left;
  let at = 0;
  for (let c = 0; c < perGroup; c++) {
    const plane = (sample * channels + group * perGroup + c) * height;
    for (let ky = 0; ky < kernelHeight; ky++) {
      const row = firstRow + ky * window.dilations[0];
      for (let kx = 0; kx < kernelWidth; kx++) {
        const column = firstColumn + kx * window.dilations[1];
        const inside = row >= 0 && row < height && column >= 0 && column < width;
        out[at++] = inside ? values[(plane + row) * width + column]! : 0;
      }
    }
  }
}

function checkActivation(layer: Layer, dims: readonly number[]): void {
  const fits = layer.window
    ? dims.length === 4 &&
      dims[1]! * (layer.inputs / (layer.window.kernel[0] * layer.window.kernel[1])) > 0 &&
      dims[1] === (layer.inputs / (layer.window.kernel[0] * layer.window.kernel[1])) * layer.groups
    : dims.at(-1) === layer.inputs;
  if (fits) return;
  throw new Failure(
    "model-invalid",
    `Layer "${layer.name}" wants ${layer.inputs} inputs and is fed a tensor of [${dims.join(", ")}].`,
    "The model contradicts itself; export it again.",
  );
}
