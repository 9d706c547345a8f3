import type { LayerReport, Report } from "../../src/core/report/report";
import { errorPercent, times, took, whole } from "../shared/format";
import { t } from "../shared/text";
import type { Measure } from "./rows";

// Sentences worked out of numbers. Nothing here knows of the page.

/** Inputs → neurons, and the kernel of a Conv. */
export function shapeInWords({ op, shape, inputs, neurons }: LayerReport): string {
  if (op !== "Conv" || shape.length < 3) return `${inputs} → ${neurons}`;
  return `${shape[1]} → ${shape[0]}, ${shape.slice(2).join("×")}`;
}

/** What the column of errors is, for its tooltip. */
export function measureInWords(measure: Measure): string {
  switch (measure) {
    case "held-out":
      return t("What rounding this layer changed in its output, on samples the fit has not seen");
    case "fitted":
      return t("What rounding this layer changed in its output, on the fitted samples: none were held out");
    case "weights":
      return t("How far the weights themselves moved: nothing was measured on data");
    default:
      return measure satisfies never;
  }
}

/** Above this many times the fitted error a fit does not hold on new samples. */
const TOO_CLOSE = 2;
/** A fit this exact has no error to compare with. */
const EXACT = 1e-6;

export function generalization({ layerError, layerErrorHeldOut, rows }: LayerReport): string {
  if (layerErrorHeldOut === null) {
    return rows > 0 || layerError !== null
      ? t("Too few samples to hold any out.")
      : t("Nothing was measured on data.");
  }
  if (layerError === null) return "";
  if (layerError < EXACT) {
    return layerErrorHeldOut < EXACT
      ? t("Exact on all samples.")
      : t(
          "Fitted too closely: exact on its samples, {0} off on new ones. More samples help.",
          errorPercent(layerErrorHeldOut),
        );
  }
  const ratio = layerErrorHeldOut / layerError;
  return ratio <= TOO_CLOSE
    ? t("Holds on samples it has not seen: {0} times the fitted error.", times(ratio))
    : t("Fitted too closely: the error on new samples is {0} times as large. More samples help.", times(ratio));
}

/** Response of a layer moved by less than this is told as not moved. */
const UNMOVED = 0.001;

/** What the method did, in a few sentences. */
export function methodInWords(layer: LayerReport): string {
  return [spanInWords(layer), stepsInWords(layer), limitInWords(layer)].filter(Boolean).join(" ");
}

function spanInWords({ method, rank, inputs }: LayerReport): string {
  if (method === "msq" || rank === null) return "";
  return rank >= inputs
    ? t("The samples span all {0} directions.", whole(inputs))
    : t("The samples span {0} of {1} directions.", whole(rank), whole(inputs));
}

function stepsInWords({ method, variant, rank, residual }: LayerReport): string {
  switch (method) {
    case "msq":
      return t("Every weight went to the nearest value of its grid; no data were needed for that.");
    case "gptq":
      return t("Weights were rounded one by one; each rounding error was spread over those still free.");
    case "gpfq":
      return t("Weights were rounded one by one, each to what kept the layer’s output nearest to the float one.");
  }
  if (method !== "maly-saab") return t("{0} rounded this layer.", method);
  if (variant === "walk" || variant === null || rank === null) {
    return t("Weights went onto the grid one by one; those still free followed where the data sees least.");
  }
  const moved = errorPercent(residual ?? 0);
  return (residual ?? 0) < UNMOVED
    ? t("Moving along the others changed nothing ({0}); then maly-saab rounded.", moved)
    : t("Moving along the others changed the response by {0}; then maly-saab rounded.", moved);
}

/** What nothing could do better; left out where these weights, being untypical, came below it. */
function limitInWords({ limit, layerError }: LayerReport): string {
  if (limit === null || layerError === null || limit > layerError) return "";
  return t("No quantizer of these bits could get below about {0}.", errorPercent(limit));
}

/** Names and values below that, as far as the method has them. */
export function methodFigures(layer: LayerReport): readonly (readonly [string, string])[] {
  const figures: (readonly [string, string])[] = [];
  if (layer.interior !== null) {
    figures.push([
      t("Off the grid before rounding"),
      t("at most {0} of {1}", whole(layer.interior), whole(layer.inputs)),
    ]);
  }
  if (layer.residual !== null) figures.push([t("Response moved by then"), errorPercent(layer.residual)]);
  if (layer.layerErrorHeldOut ?? layer.layerError) {
    figures.push([t("Rounding added"), errorPercent(layer.layerErrorHeldOut ?? layer.layerError)]);
  }
  if (layer.bound !== null) figures.push([t("Could not be worse than"), errorPercent(layer.bound)]);
  if (layer.alignment !== null) figures.push([t("Aimed at"), t("the float response")]);
  const received = layer.passedOnError ?? layer.propagatedError;
  if (received !== null) figures.push([t("The next layer receives"), t("{0} error", errorPercent(received))]);
  if (layer.weightError !== null) figures.push([t("Weights moved by"), errorPercent(layer.weightError)]);
  if (layer.rows > 0) figures.push([t("Rows fitted"), whole(layer.rows)]);
  figures.push([t("Took"), took(layer.seconds)]);
  return figures;
}

/** How many times as fast the copy is as the model; null where the clock cannot tell them apart. */
export function speedOf(
  runtime: NonNullable<Report["runtime"]>,
): { readonly factor: number; readonly slower: boolean } | null {
  if (runtime.msFloat === null || runtime.msQuantized === null) return null;
  const ratio = runtime.msQuantized / runtime.msFloat;
  if (!Number.isFinite(ratio) || ratio <= 0 || (ratio < 1.1 && ratio > 1 / 1.1)) return null;
  return { factor: ratio > 1 ? ratio : 1 / ratio, slower: ratio > 1 };
}
