import { createHash } from "node:crypto";
import type { FittedLayer } from "../core/fitLayer";
import { formatChooser } from "../core/formats/choose";
import { type StoredLayer, writeCopy } from "../core/formats/copy";
import { findLayers } from "../core/graph/layers";
import { plainLinalg } from "../core/linalg/plain";
import { readModel, writeModel } from "../core/onnx/model";
import { quantizeLayers } from "../core/pipeline";
import { errorToDb } from "../core/report/measure";
import type { LayerReport, Report } from "../core/report/report";
import { calibrationData, type CalibrationData } from "./calibrationData";
import { checkCopy } from "./checkCopy";
import { checkTarget, checkWritable, type PendingFile, readWhole, writePending } from "./files";
import type { QuantizeOptions } from "./options";
import { planLayers, unusedRules } from "./plan";
import { openSession } from "./runtime";
import { version } from "./version";

/** What a run says while it works. */
export interface QuantizeEvents {
  /** The layers that will be done, in order, with the bytes they take now. */
  onPlan(layers: readonly { name: string; bytesBefore: number }[]): void;
  onLayerStart(name: string): void;
  onLayer(layer: LayerReport): void;
  onStage(stage: "reading" | "writing" | "checking"): void;
}

export interface QuantizeJob {
  readonly model: string;
  readonly output: string;
  readonly overwrite: boolean;
  /** Sizes only: nothing is fitted, nothing written. */
  readonly dryRun: boolean;
  /** Threads of the sessions that are timed; the fit gives the same codes on any number. */
  readonly threads: number;
  readonly options: QuantizeOptions;
}

/**
 * The main job: reads a model, quantizes its layers, writes the copy and checks it, and gives the account.
 *
 * @throws {Failure} of any code; then no file was written and none was changed.
 */
export async function quantize(job: QuantizeJob, events: QuantizeEvents): Promise<Report> {
  const { options } = job;
  const clock = stopwatch();
  events.onStage("reading");
  if (!job.dryRun) {
    checkTarget(job.output, job.model, job.overwrite);
  }
  const bytes = await readWhole(job.model, "model");
  if (!job.dryRun) checkWritable(job.output);
  const model = readModel(bytes, job.model);
  const { index, layers, skipped } = findLayers(model);
  const warnings: string[] = unusedRules(options.layers, layers);

  const data = job.dryRun || layers.length === 0 ? noData() : await calibrationData(model, options);
  warnings.push(...data.warnings);
  const { plans, kept } = planLayers(layers, index, options, data.fit);
  const formatOf = formatChooser(model, options.format);
  const store = (fitted: FittedLayer): StoredLayer => ({
    ...fitted.codes,
    format: formatOf(fitted.plan.alphabet, fitted.plan.bits),
  });

  events.onPlan(plans.map(plan => ({ name: plan.layer.name, bytesBefore: plan.weights.byteLength })));
  const fitted = await quantizeLayers(
    model,
    index,
    plans,
    data.feeds,
    { inputs: options.inputs, seed: options.seed },
    {
      open: part => openSession(part, { weightsAlone: true, threads: 1 }),
      linalg: plainLinalg(breathe),
      clock,
      onStart: plan => events.onLayerStart(plan.layer.name),
      onLayer: one => {
        const stored = store(one);
        events.onLayer(layerReport(one, stored, writeCopy(model, [stored], {}).layerBytes[0]!));
      },
    },
  );

  const stored = fitted.map(store);
  const metadata = metadataOf(options, bytes);
  const { copy, layerBytes } = writeCopy(model, stored, metadata);
  // Nothing to quantize: the copy is the file itself, to the byte.
  const copyBytes = stored.length === 0 ? bytes : writeModel(copy);
  if (stored.length === 0) warnings.push(`Nothing in ${job.model} can be quantized; the copy is the same file.`);
  const layerReports = fitted.map((one, k) => layerReport(one, stored[k]!, layerBytes[k]!));
  warnings.push(...layerWarnings(fitted));

  let checked: Awaited<ReturnType<typeof checkCopy>> | undefined;
  if (!job.dryRun) {
    events.onStage("writing");
    const file = writePending(job.output, copyBytes);
    try {
      if (data.feeds && stored.length > 0) {
        events.onStage("checking");
        const on = data.feeds.heldOut.length > 0 ? data.feeds.heldOut : data.feeds.fitted;
        checked = await checkCopy(model, copy, file.temporaryPath, stored, on, data.calibration.heldOut, job.threads);
      }
    } catch (error) {
      file.discard();
      throw error;
    }
    commit(file, job);
  }
  return {
    schema: 1,
    model: job.model,
    output: job.dryRun ? null : job.output,
    bytesBefore: bytes.length,
    bytesAfter: copyBytes.length,
    seconds: clock(),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    options: { ...options, dims: Object.fromEntries(options.dims) },
    calibration: data.calibration,
    layers: layerReports,
    skipped: [...skipped, ...kept],
    outputs: checked?.outputs ?? [],
    runtime: checked?.runtime ?? null,
    warnings,
  };
}

/** A target that appeared while the run was under way is not overwritten either. */
function commit(file: PendingFile, job: QuantizeJob): void {
  try {
    checkTarget(job.output, job.model, job.overwrite);
  } catch (error) {
    file.discard();
    throw error;
  }
  file.commit();
}

function noData(): CalibrationData {
  return { feeds: null, calibration: { samples: 0, heldOut: 0, synthetic: false }, fit: false, warnings: [] };
}

function layerReport(fitted: FittedLayer, stored: StoredLayer, bytesAfter: number): LayerReport {
  const { plan } = fitted;
  const { layer } = plan;
  return {
    name: layer.name,
    op: layer.op,
    tensor: layer.tensor,
    shape: layer.shape,
    inputs: layer.inputs,
    neurons: layer.neurons,
    bits: plan.bits,
    method: plan.method,
    variant: plan.method === "maly-saab" ? plan.variant : null,
    rank: fitted.rank,
    alphabet: plan.alphabet,
    format: stored.format,
    bytesBefore: plan.weights.byteLength,
    bytesAfter,
    weightError: fitted.weightError,
    layerError: fitted.layerError,
    layerErrorHeldOut: fitted.layerErrorHeldOut,
    propagatedError: fitted.propagatedError,
    sqnrDb: errorToDb(fitted.layerErrorHeldOut ?? fitted.layerError),
    bound: null,
    interior: fitted.interior,
    residual: fitted.residual,
    rows: fitted.rows,
    alignment: null,
    damping: null,
    seconds: fitted.seconds,
  };
}

/** At 1 bit midrise has no zero: a neuron with more exact zeros than this share is told. */
const MANY_ZEROS = 0.05;

function layerWarnings(fitted: readonly FittedLayer[]): string[] {
  return fitted.flatMap(({ plan }) => {
    if (plan.alphabet !== "midrise" || plan.bits !== 1) return [];
    const zeros = plan.weights.reduce((count, weight) => count + (weight === 0 ? 1 : 0), 0);
    if (zeros <= MANY_ZEROS * plan.weights.length) return [];
    const percent = Math.round((100 * zeros) / plan.weights.length);
    return [`${plan.layer.name}: ${percent} % of the weights are exactly zero, and 1 bit has no zero; 2 bits would keep them.`];
  });
}

/** What was done, as far as it shapes the codes: not threads, paths or time. */
function metadataOf(options: QuantizeOptions, model: Uint8Array): Record<string, string> {
  const { data: _path, ...shaping } = options;
  return {
    "whittle.version": version,
    "whittle.options": JSON.stringify({ ...shaping, dims: Object.fromEntries(options.dims) }),
    "whittle.source.sha256": createHash("sha256").update(model).digest("hex"),
  };
}

function stopwatch(): () => number {
  const started = performance.now();
  return () => (performance.now() - started) / 1000;
}

/** Lets the event loop turn, at most every few milliseconds: Ctrl-C and messages are seen between two neurons. */
const BREATH_MS = 25;
let lastBreath = 0;
async function breathe(): Promise<void> {
  if (performance.now() - lastBreath < BREATH_MS) return;
  await new Promise(resolve => setImmediate(resolve));
  lastBreath = performance.now();
}

