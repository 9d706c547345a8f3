import { type FittedLayer, type LayerPlan, withoutData } from "../core/fitLayer";
import { putBack } from "../core/formats/copy";
import type { LayerCodes } from "../core/formats/codes";
import type { GraphIndex } from "../core/graph/uses";
import type { Model } from "../core/onnx/model";
import { type Feeds, type Parts, type PipelineSettings, quantizeLayers } from "../core/pipeline";
import type { RoundingReport } from "../core/report/report";
import type { CalibrationData } from "./calibrationData";
import { compareNetworks, worstError } from "./compare";
import type { OpenNetwork } from "./network";

// A fit to few samples, or to strange ones, can leave the network farther from the float one than plain rounding does. Whether
// it has is measured on samples it has not seen; where too few were given to hold any out, by two fits to half of them each.

/** What is needed to quantize a model again. */
export interface Again {
  readonly model: Model;
  readonly index: GraphIndex;
  readonly plans: readonly LayerPlan[];
  readonly settings: PipelineSettings;
  readonly parts: Parts;
  readonly network: OpenNetwork;
}

/** Every weight to the nearest of the values of its layer's alphabet, which spans the largest: no data, no bias changed. */
export function plainRounding(plan: LayerPlan): LayerPlan {
  return { ...withoutData(plan), radius: "max" };
}

/**
 * Errors of the outputs against the float model, on samples not fitted to: those of a fit and those of plain rounding.
 *
 * @param fitted what the fit made of the layers.
 * @returns null where nothing was fitted to data, or there is nothing to judge on.
 */
export async function againstRounding(
  again: Again,
  fitted: readonly FittedLayer[],
  { feeds, folds, fit }: CalibrationData,
): Promise<RoundingReport | null> {
  const fits = again.plans.some(plan => plan.method !== "msq" || plan.radius !== "max" || plan.target === "float");
  if (!feeds || !fit || !fits) return null;
  const judged = feeds.heldOut.length > 0 ? [feeds] : folds;
  if (judged.length === 0) return null;
  const rounded = await quantized({ ...again, plans: again.plans.map(plainRounding) }, null);
  const errors = { fitted: 0, rounded: 0 };
  for (const feeds of judged) {
    const ofRounding = await outputError(again, rounded, feeds);
    const ofFit = await outputError(
      again,
      judged === folds ? await quantized(again, feeds) : codesOf(fitted),
      feeds,
    );
    if (ofRounding === null || ofFit === null) return null;
    errors.rounded += ofRounding ** 2 / judged.length;
    errors.fitted += ofFit ** 2 / judged.length;
  }
  return {
    relativeError: Math.sqrt(errors.rounded),
    fittedRelativeError: Math.sqrt(errors.fitted),
    crossValidated: judged === folds,
  };
}

async function quantized(
  { model, index, plans, settings, parts }: Again,
  feeds: Feeds | null,
): Promise<LayerCodes[]> {
  const silent = { ...parts, onStart: () => {}, onLayer: () => {} };
  return codesOf(await quantizeLayers(model, index, plans, feeds, settings, silent));
}

function codesOf(fitted: readonly FittedLayer[]): LayerCodes[] {
  return fitted.map(one => one.codes);
}

async function outputError(
  { model, network }: Again,
  layers: readonly LayerCodes[],
  { heldOut }: Feeds,
): Promise<number | null> {
  const [float, copy] = [await network(model), await network(putBack(model, layers))];
  try {
    return worstError(await compareNetworks(float, copy, heldOut));
  } finally {
    await Promise.all([float.release(), copy.release()]);
  }
}

/** What to say where the fit did worse than rounding. */
export function roundingWarnings(rounding: RoundingReport | null): string[] {
  if (!rounding || rounding.fittedRelativeError <= rounding.relativeError) return [];
  const percent = (error: number): string => `${(100 * error).toPrecision(3)} %`;
  const where = rounding.crossValidated
    ? "Fitted to half of the samples and judged on the other"
    : "On samples it has not seen";
  return [
    `${where}, the fit is farther from the float model than plain rounding (an error of ${percent(rounding.fittedRelativeError)} against ${percent(rounding.relativeError)}): the samples are too few or too strange. Take plain rounding (--method msq --radius max --target quantized), or give more samples.`,
  ];
}
