import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { Keep } from "../core/calibration/kept";
import { costs } from "../core/cost";
import { formatChooser } from "../core/formats/choose";
import { writeCopy } from "../core/formats/copy";
import { predictCopy } from "../core/formats/predict";
import { type FoldedNorm, foldBatchNorms } from "../core/graph/batchNorm";
import { findLayers } from "../core/graph/layers";
import { withoutStoredInputs } from "../core/graph/listedInputs";
import type { FileSource, Source } from "../core/onnx/bytes";
import { type Layout, layOut, type ModelFiles, MOST_MESSAGE_BYTES } from "../core/onnx/external";
import type { Model } from "../core/onnx/model";
import type { LayerDetail } from "../core/report/detail";
import type { LayerReport, Report } from "../core/report/report";
import type { PlannedLayer } from "../protocol/contract";
import { roundingWarnings } from "./againstRounding";
import { calibrationData, notRun } from "./calibrationData";
import { checkCopy, type CheckedCopy } from "./checkCopy";
import { checkTargets, dataFileOf, writePendingCopy } from "./copyFiles";
import { checkTarget, checkWritable } from "./files";
import { fitModel } from "./fitModel";
import {
  formatWarnings,
  layerReport,
  layerWarnings,
  outOfReachWarnings,
  plannedLayer,
  unfitted,
} from "./layerReport";
import { worstError } from "./compare";
import { openModel } from "./modelFile";
import { runChoices } from "./network";
import type { QuantizeOptions } from "./options";
import { planLayers, unfittedLayer, unusedRules } from "./plan";
import { openTensorStore, USUAL_MEMORY } from "./tensorStore";
import { version } from "./version";

/** What a run does beside fitting layers. */
export type Stage = "reading" | "choosing" | "writing" | "checking";

/** What a run says while it works. */
export interface QuantizeEvents {
  /** The layers that will be done, in order, with the bytes they take now and will take. */
  onPlan(layers: readonly PlannedLayer[]): void;
  onLayerStart(name: string): void;
  /** @param detail made when asked for, and only until this returns: it costs a pass over the weights. */
  onLayer(layer: LayerReport, detail: () => LayerDetail): void;
  onStage(stage: Stage): void;
}

export interface QuantizeJob {
  readonly model: string;
  readonly output: string;
  readonly overwrite: boolean;
  /** Sizes only: nothing is fitted, nothing written. */
  readonly dryRun: boolean;
  /** Whether to load the model and the copy in processes of their own, to say what they take in memory. */
  readonly measureMemory?: boolean;
  /** Of the kernels and of the sessions that are timed; the fit gives the same codes on any number. */
  readonly threads: number;
  /** Bytes of samples and live activations in memory at most, the rest goes to a temporary file; undefined: `USUAL_MEMORY`. */
  readonly memory?: number | undefined;
  /** Of the temporary name the copy is written under, for a caller that may end this process by force. */
  readonly pendingId?: string;
  /** Bytes of a message past which a copy becomes two files; undefined: where protobuf ends. */
  readonly mostMessageBytes?: number;
  readonly options: QuantizeOptions;
}

/** The sizes of a run before it: the same report, without errors and without a file. */
function dryRun(job: QuantizeJob, events: QuantizeEvents): Report {
  const { options } = job;
  const clock = stopwatch();
  const { model: original, source, totalBytes, external } = openModel(job.model);
  const { model, folded } = prepared(original, options);
  const { layers, skipped } = findLayers(model);
  const fit = options.data !== undefined || options.inputFiles.size > 0 || options.synthetic;
  const formatOf = formatChooser(model, options.format, options.leastOrt);
  const { plans, kept } = planLayers(layers, options, fit, formatOf);
  const { bytes: bytesAfter, layerBytes } = predictCopy(
    model,
    plans.map(unfittedLayer),
    metadataOf(options, source),
    layoutOf(job, external),
  );
  events.onPlan(plans.map((plan, k) => plannedLayer(plan, layerBytes[k]!)));
  return {
    ...emptyReport(job, totalBytes),
    bytesAfter: plans.length === 0 ? totalBytes : bytesAfter,
    seconds: clock(),
    layers: plans.map((plan, k) => layerReport(unfitted(plan), plan.format, layerBytes[k]!)),
    folded,
    skipped: [...skipped, ...kept],
    warnings: [...unusedRules(options.layers, layers), ...outOfReachWarnings(plans)],
  };
}

/**
 * The main job: reads a model, quantizes its layers, writes the copy and checks it, and gives the account.
 *
 * @throws {Failure} of any code; then no file was written and none was changed.
 */
export async function quantize(job: QuantizeJob, events: QuantizeEvents): Promise<Report> {
  if (job.dryRun) return dryRun(job, events);
  const store = openTensorStore(job.memory ?? USUAL_MEMORY);
  try {
    return await quantizeAndCheck(job, events, store.keep);
  } finally {
    await store.close();
  }
}

async function quantizeAndCheck(job: QuantizeJob, events: QuantizeEvents, keep: Keep): Promise<Report> {
  const { options } = job;
  const clock = stopwatch();
  events.onStage("reading");
  checkTarget(job.output, job.model, job.overwrite);
  const { model: original, source, totalBytes, external, files, unreferenced } = openModel(job.model);
  const layout = layoutOf(job, external);
  const pair = external || totalBytes > layout.mostMessageBytes;
  const checkBoth = (): void => checkTargets(job.output, files, { pair, overwrite: job.overwrite });
  checkBoth();
  checkWritable(job.output, job.pendingId);
  const { model, folded } = prepared(original, options);
  const { index, layers, skipped } = findLayers(model);
  const warnings: string[] = unusedRules(options.layers, layers);
  if (withoutStoredInputs(original) !== original) {
    warnings.push(
      "The model lists all its weights among its inputs, where a caller could feed others; in the copy they are fixed.",
    );
  }

  for (const [file, bytes] of unreferenced) {
    if (bytes > 0) warnings.push(`No tensor has ${bytes} bytes of ${file}; the copy is without them.`);
  }

  const run = runChoices(totalBytes, job.memory ?? USUAL_MEMORY, keep);
  const data = layers.length === 0 ? notRun([]) : await calibrationData(original, job.model, options, keep, run);
  warnings.push(...data.warnings);
  const metadata = metadataOf(options, source);
  const { timed, cost } = costs(clock);
  const { fitted, stored, kept, budget, rounding } = await fitModel(
    job,
    { model, index, layers },
    data,
    { metadata, layout },
    events,
    { clock, timed, keep, run },
  );
  const { copy, layerBytes } = writeCopy(model, stored, metadata);
  // Nothing to quantize: the copy is the file itself, to the byte, unless it needs other files to be whole.
  const copyFiles =
    stored.length === 0 && !external ? asItIs(source) : layOut(stored.length === 0 ? original : copy, layout);
  if (stored.length === 0) {
    const what =
      kept.length > 0
        ? `--layer and --exclude leave every layer of ${job.model} as it is`
        : `Nothing in ${job.model} can be quantized`;
    warnings.push(`${what}; the copy is the same file.`);
  }
  if (options.maxBytes !== undefined && copyFiles.bytes > options.maxBytes)
    warnings.push(`The copy takes ${copyFiles.bytes} bytes, more than the ${options.maxBytes} allowed.`);
  const layerReports = fitted.map((one, k) => layerReport(one, stored[k]!.format, layerBytes[k]!));
  warnings.push(...layerWarnings(fitted, data), ...formatWarnings(stored), ...roundingWarnings(rounding));

  if (copyFiles.bytes > totalBytes) {
    warnings.push(
      "The copy is larger than the model: so few weights do not pay for their scales and nodes. 8 bits may.",
    );
  }
  events.onStage("writing");
  const file = await timed("writing", () =>
    Promise.resolve(writePendingCopy(job.output, copyFiles, job.pendingId)),
  );
  let checked: CheckedCopy | undefined;
  try {
    if (data.feeds && stored.length > 0) {
      events.onStage("checking");
      const on = data.feeds.heldOut.length > 0 ? data.feeds.heldOut : data.feeds.fitted;
      checked = await timed("checking", () =>
        checkCopy(
          { original, model, layers: stored },
          { copy, path: file.temporaryPath, measureMemoryBeside: job.measureMemory ? job.model : null },
          { feeds: on, heldOut: data.calibration.heldOut },
          { threads: job.threads, mostInMemory: run.mostInMemory },
          run.inParts,
        ),
      );
    }
    const error = worstError(checked?.outputs ?? []);
    if (options.maxError !== undefined && error !== null && error > options.maxError) {
      warnings.push(
        `The error of the outputs came out as ${error.toPrecision(3)}, above the ${options.maxError} aimed at${stored.every(one => one.alphabets.bits === 8) ? ", and 8 bits are the most; leave the worst layers as they are (--exclude)" : ""}.`,
      );
    }
    // A target that appeared while the run was under way is not overwritten either.
    checkBoth();
  } catch (error) {
    file.discard();
    throw error;
  }
  file.commit();
  return {
    ...emptyReport(job, totalBytes),
    output: job.output,
    outputData: copyFiles.data && dataFileOf(job.output),
    bytesAfter: copyFiles.bytes,
    seconds: clock(),
    cost,
    calibration: data.calibration,
    layers: layerReports,
    folded,
    skipped: [...skipped, ...kept],
    outputs: checked?.outputs ?? [],
    rounding,
    budget,
    runtime: checked?.runtime ?? null,
    warnings,
  };
}

/** The same function with its weights fixed, and BatchNormalization folded into the layers before it. */
function prepared(
  original: Model,
  { foldBatchNorm }: QuantizeOptions,
): { model: Model; folded: readonly FoldedNorm[] } {
  const model = withoutStoredInputs(original);
  return foldBatchNorm === "auto" ? foldBatchNorms(model) : { model, folded: [] };
}

function layoutOf({ output, mostMessageBytes = MOST_MESSAGE_BYTES }: QuantizeJob, external: boolean) {
  return { location: basename(dataFileOf(output)), external, mostMessageBytes } satisfies Layout;
}

/** A file in one part, which is copied through. */
function asItIs(source: FileSource): ModelFiles {
  const read = (): Uint8Array => source.read(0, source.length);
  return {
    message: [{ length: source.length, read, place: { source, offset: 0 } }],
    data: null,
    bytes: source.length,
  };
}

function emptyReport(job: QuantizeJob, bytesBefore: number): Report {
  return {
    schema: 1,
    model: job.model,
    output: null,
    outputData: null,
    bytesBefore,
    bytesAfter: bytesBefore,
    seconds: 0,
    cost: null,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    options: {
      ...job.options,
      dims: Object.fromEntries(job.options.dims),
      inputFiles: Object.fromEntries(job.options.inputFiles),
    },
    calibration: { samples: 0, heldOut: 0, synthetic: false },
    layers: [],
    folded: [],
    skipped: [],
    outputs: [],
    rounding: null,
    budget: null,
    runtime: null,
    warnings: [],
  };
}

/** What was done, as far as it shapes the codes: not threads, memory, paths or time. */
function metadataOf(options: QuantizeOptions, model: Source): Record<string, string> {
  const { data, inputFiles, ...shaping } = options;
  return {
    "whittle.version": version,
    "whittle.options": JSON.stringify({ ...shaping, dims: Object.fromEntries(options.dims) }),
    "whittle.source.sha256": sha256Of(model),
  };
}

/** Bytes of a file that are read at once where all of it is gone through. */
const AT_ONCE = 2 ** 24;

function sha256Of(source: Source): string {
  const hash = createHash("sha256");
  for (let at = 0; at < source.length; at += AT_ONCE) {
    hash.update(source.read(at, Math.min(AT_ONCE, source.length - at)));
  }
  return hash.digest("hex");
}

function stopwatch(): () => number {
  const started = performance.now();
  return () => (performance.now() - started) / 1000;
}
