import { modelInputs } from "../core/calibration/inputs";
import { type Keep, keepFeed, type KeptFeed, keptInMemory } from "../core/calibration/kept";
import { LEAST_TO_HOLD_OUT, type Split, splitSamples } from "../core/calibration/samples";
import { affordableSamples, syntheticFeeds } from "../core/calibration/synthetic";
import { tableRows } from "../core/calibration/tableRows";
import type { Feed } from "../core/calibration/tensor";
import { Failure } from "../core/failure";
import type { Model } from "../core/onnx/model";
import type { Feeds } from "../core/pipeline";
import type { Calibration } from "../core/report/report";
import { readDataOf } from "./dataFile";
import type { QuantizeOptions } from "./options";
import { openNetwork, type RunChoices } from "./network";
import { openSession } from "./runtime";
import { feedsOf, openSamples, type Samples } from "./samples";

/** Made-up samples where the user has none: the least of which a fifth is held out, or more where they are fitted to. */
const SYNTHETIC_SAMPLES = { measured: 10, fitted: 40 };

export interface CalibrationData {
  /** Null where the model cannot be run here: nothing is fitted to data and nothing measured on it. */
  readonly feeds: Feeds | null;
  /** Where no samples are held out: fitted to one half and held out the other, and the other way round. */
  readonly folds: readonly Feeds[];
  readonly calibration: Calibration;
  /** Whether the data say of which class each sample is, or what follows each token: then the first output is logits. */
  readonly classes: boolean;
  /** Whether a fit may use the feeds, or only the measuring. */
  readonly fit: boolean;
  readonly warnings: readonly string[];
}

/**
 * Opens the calibration data of a run, or makes inputs up where there are none.
 *
 * @param file the path of the model.
 * @param keep where the samples go.
 * @param run  how the model is run where that has to be tried.
 * @throws {Failure} `data-…` for data that cannot be used, `model-does-not-run` for a model onnxruntime refuses.
 */
export async function calibrationData(
  model: Model,
  file: string,
  options: QuantizeOptions,
  keep: Keep,
  run: RunChoices,
): Promise<CalibrationData> {
  const unknownOperator = await refusedOperator(model, run);
  if (unknownOperator !== undefined) {
    return notRun([
      `onnxruntime does not know an operator of this model, so the copy was checked by its structure and not run (${unknownOperator}).`,
    ]);
  }
  if (options.data !== undefined || options.inputFiles.size > 0) return fromData(model, file, options, keep);
  return synthetic(model, options, keep, run);
}

async function fromData(
  model: Model,
  file: string,
  options: QuantizeOptions,
  keep: Keep,
): Promise<CalibrationData> {
  const spec = await readDataOf(options.data, options.inputFiles);
  const samples = await openSamples(spec, "calibration", model, options.samples ?? Infinity, file);
  const { fitted, heldOut } = splitSamples(samples.count, samples.stream);
  const folds = heldOut.length > 0 ? [] : halves(fitted);
  return {
    feeds: await splitFeeds(samples, { fitted, heldOut }, keep),
    folds: await Promise.all(folds.map(half => splitFeeds(samples, half, keep))),
    calibration: { samples: samples.count, heldOut: heldOut.length, synthetic: false },
    classes: spec.labels !== undefined || samples.classes !== undefined || samples.targets !== undefined,
    fit: true,
    warnings: [...samples.warnings, ...fewSamples(samples.count)],
  };
}

async function splitFeeds(samples: Samples, { fitted, heldOut }: Split, keep: Keep): Promise<Feeds> {
  return { fitted: await feedsOf(samples, fitted, keep), heldOut: await feedsOf(samples, heldOut, keep) };
}

/** Fitted to fewer samples than this, a network still gains from more. */
const FEW_SAMPLES = 50;

/** From 5 to 20 to 80 pictures: SqueezeNet at 4 bits 22.9, 26.0, 27.4 dB; MobileNet from 20 to 80 11.9, 13.3 (networks.md). */
const WHAT_MORE_BUYS =
  "Four times as many usually make the error of the outputs 15 to 30 % smaller, most where there are fewest.";

function fewSamples(count: number): string[] {
  if (count >= FEW_SAMPLES) return [];
  const heldOut =
    count < LEAST_TO_HOLD_OUT ? " Too few to hold any out: with ten or more, every fifth checks the fit." : "";
  return [`Only ${count} ${count === 1 ? "sample" : "samples"} to fit to.${heldOut} ${WHAT_MORE_BUYS}`];
}

/** Every second sample to one half; none where there is no second. */
function halves(samples: readonly number[]): Split[] {
  const [first, second] = [0, 1].map(parity => samples.filter((_, place) => place % 2 === parity));
  if (!first || !second || second.length === 0) return [];
  return [
    { fitted: first, heldOut: second },
    { fitted: second, heldOut: first },
  ];
}

async function synthetic(
  model: Model,
  options: QuantizeOptions,
  keep: Keep,
  run: RunChoices,
): Promise<CalibrationData> {
  const inputs = modelInputs(model);
  const usual = SYNTHETIC_SAMPLES[options.synthetic ? "fitted" : "measured"];
  const count = options.samples ?? affordableSamples(inputs, usual, options.dims);
  const known = { sizes: options.dims, rows: tableRows(model) };
  const madeUp = () => syntheticFeeds(inputs, count, options.seed, known);
  const [first] = madeUp();
  const obstacle = first ? await runsOn(model, first, run) : "an input of a kind or a size that cannot be made up";
  if (obstacle !== undefined) {
    return notRun([
      `The model cannot be run on made-up inputs (${obstacle}), so nothing was measured on data; give calibration data.`,
    ]);
  }
  const heldOut = new Set(splitSamples(count).heldOut);
  const feeds = { fitted: [] as KeptFeed[], heldOut: [] as KeptFeed[] };
  let sample = 0;
  for (const feed of madeUp()) feeds[heldOut.has(sample++) ? "heldOut" : "fitted"].push(await keepFeed(feed, keep));
  return {
    feeds,
    calibration: { samples: count, heldOut: heldOut.size, synthetic: true },
    folds: [],
    classes: false,
    fit: options.synthetic,
    warnings: [
      ...(options.samples === undefined && count < usual
        ? [`The inputs are so large that only ${count} ${count === 1 ? "was" : "were"} made up.`]
        : []),
      "Measured on made-up inputs: the errors rank layers at best; on your data they can be several times larger.",
    ],
  };
}

/** No data: nothing is fitted to any, and nothing is measured on any. */
export function notRun(warnings: readonly string[]): CalibrationData {
  return {
    feeds: null,
    folds: [],
    calibration: { samples: 0, heldOut: 0, synthetic: false },
    classes: false,
    fit: false,
    warnings,
  };
}

/** How onnxruntime says that it does not know an operator or its type, rather than that the model is wrong. */
const UNKNOWN_OPERATOR = /is not a registered function\/op|Could not find an implementation|No Op registered/i;

/** @throws {Failure} `model-does-not-run` for every other refusal. */
async function refusedOperator(model: Model, { inParts, ...choices }: RunChoices): Promise<string | undefined> {
  try {
    // A large model is not made ready to run only to see whether it could.
    const probe = inParts !== null;
    await (await openSession(model, { ...choices, weightsAlone: true, threads: 1, probe })).release();
    return undefined;
  } catch (error) {
    if (error instanceof Failure && UNKNOWN_OPERATOR.test(error.happened)) return error.happened;
    throw error;
  }
}

async function runsOn(model: Model, feed: Feed, { inParts, ...choices }: RunChoices): Promise<string | undefined> {
  const network = await openNetwork(model, { ...choices, weightsAlone: true, threads: 1 }, inParts);
  const kept = await keepFeed(feed, tensor => Promise.resolve(keptInMemory(tensor)));
  try {
    for await (const outputs of network.outputs([kept])) if (outputs.size === 0) break;
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error.happened;
    throw error;
  } finally {
    await network.release();
  }
}
