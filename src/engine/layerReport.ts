import type { CalibrationData } from "./calibrationData";
import type { FittedLayer, LayerPlan } from "../core/fitLayer";
import { weightCount } from "../core/graph/layers";
import { alphabetAt } from "../core/formats/codes";
import type { Format, StoredLayer } from "../core/formats/copy";
import { gridHistogram, type LayerDetail } from "../core/report/detail";
import { MOST_METRIC_INPUTS, MOST_WALKED_WEIGHTS } from "../core/methods/catalog";
import { errorToDb } from "../core/report/measure";
import type { LayerReport } from "../core/report/report";
import type { PlannedLayer } from "../protocol/contract";

/** A layer before its fit: sizes, and no errors. */
export function unfitted(plan: LayerPlan): Omit<FittedLayer, "codes"> {
  return {
    plan,
    rows: 0,
    rank: null,
    interior: null,
    residual: null,
    weightError: null,
    layerError: null,
    layerErrorHeldOut: null,
    propagatedError: null,
    passedOnError: null,
    neuronErrors: null,
    bound: null,
    limit: null,
    dominatedInputs: 0,
    alignment: null,
    damping: null,
    seconds: 0,
  };
}

export function plannedLayer({ layer, bits }: LayerPlan, bytesAfter: number): PlannedLayer {
  return { name: layer.name, bits, bytesBefore: layer.bytes, bytesAfter };
}

export function layerDetail({ plan, codes, neuronErrors }: FittedLayer): LayerDetail {
  const at = alphabetAt(plan.layer, codes.alphabets);
  const histogram = gridHistogram(plan.weights(), codes.levels(), codes.alphabets, at);
  return { name: plan.layer.name, histogram, neuronErrors };
}

export function layerReport(fitted: Omit<FittedLayer, "codes">, format: Format, bytesAfter: number): LayerReport {
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
    variant: plan.method === "maly-saab" ? (plan.variant ?? null) : null,
    rank: fitted.rank,
    alphabet: plan.alphabet,
    format,
    bytesBefore: layer.bytes,
    bytesAfter,
    weightError: fitted.weightError,
    layerError: fitted.layerError,
    layerErrorHeldOut: fitted.layerErrorHeldOut,
    propagatedError: fitted.propagatedError,
    passedOnError: fitted.passedOnError,
    sqnrDb: errorToDb(fitted.layerErrorHeldOut ?? fitted.layerError),
    bound: fitted.bound,
    limit: fitted.limit,
    interior: fitted.interior,
    residual: fitted.residual,
    rows: fitted.rows,
    alignment: fitted.alignment,
    damping: fitted.damping,
    seconds: fitted.seconds,
  };
}

/** So many layers a sentence names; more would not be read. */
const MOST_NAMED = 3;

/** At 1 bit midrise has no zero: a neuron with more exact zeros than this share is told. */
const MANY_ZEROS = 0.05;

/** What the layers of a run want said beside their numbers. */
export function layerWarnings(
  fitted: readonly FittedLayer[],
  data: Pick<CalibrationData, "feeds" | "fit" | "calibration">,
): string[] {
  return [
    ...(data.fit ? unfittedWarnings(fitted) : []),
    ...outOfReachWarnings(fitted.map(one => one.plan)),
    ...zeroWarnings(fitted),
    ...(data.feeds ? overflowWarnings(fitted) : []),
    // What made-up inputs say of single inputs means nothing.
    ...(data.calibration.synthetic ? [] : dominanceWarnings(fitted)),
  ];
}

/** What is known to be slow in a format before anything is timed. */
export function formatWarnings(stored: readonly StoredLayer[]): string[] {
  const slow = stored.filter(({ format, alphabets }) => format === "nbits" && alphabets.kind === "midrise");
  if (slow.length === 0) return [];
  return [
    `onnxruntime unpacks weights of MatMulNBits with half zero points (midrise) at every run, which is slow: ${listed(slow.map(({ layer }) => layer.name))}. The alphabet affine has whole ones.`,
  ];
}

/** Tables are meant to be rounded; of other layers a user would expect that their data were used. */
function unfittedWarnings(fitted: readonly FittedLayer[]): string[] {
  const rounded = fitted.filter(({ plan }) => plan.layer.input === null && plan.layer.op !== "Gather");
  const told = (layers: readonly FittedLayer[], why: string): string[] => {
    const names = listed(layers.map(({ plan }) => `${plan.layer.name} (${plan.layer.op})`));
    return layers.length > 0 ? [`Rounded without looking at the data, since ${why}: ${names}.`] : [];
  };
  const where = (nested: boolean, shared: boolean): FittedLayer[] =>
    rounded.filter(({ plan: { layer } }) => layer.nested === nested && (nested || layer.readers > 1 === shared));
  return [
    ...told(where(false, false), "Whittle does not fit such layers yet"),
    ...told(where(false, true), "several places use the same weights, which are stored once"),
    ...told(
      where(true, true),
      "they are used inside If, Loop, Scan or a function, where their inputs are not seen",
    ),
  ];
}

/** Layers that are rounded since they are too large for the method asked for. */
export function outOfReachWarnings(plans: readonly LayerPlan[]): string[] {
  const names = plans.filter(plan => plan.outOfReach).map(plan => plan.layer.name);
  if (names.length === 0) return [];
  return [
    `Rounded, with a radius that suits the data, since a fit takes layers of up to ${MOST_METRIC_INPUTS} inputs and ${MOST_WALKED_WEIGHTS} weights: ${listed(names)}.`,
  ];
}

function overflowWarnings(fitted: readonly FittedLayer[]): string[] {
  const names = fitted
    .filter(one => one.plan.layer.input !== null && one.rows === 0)
    .map(({ plan }) => plan.layer.name);
  if (names.length === 0) return [];
  return [
    `The inputs of ${listed(names)} hold no rows, or NaN and infinite values, on these data: rounded without them, and not measured.`,
  ];
}

function listed(names: readonly string[]): string {
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more layers` : "";
  return `${names.slice(0, MOST_NAMED).join(", ")}${more}`;
}

function dominanceWarnings(fitted: readonly FittedLayer[]): string[] {
  const dominated = fitted
    .filter(one => one.dominatedInputs > 0)
    .map(({ plan, dominatedInputs }) => `${plan.layer.name} (${dominatedInputs} of ${plan.layer.inputs})`);
  if (dominated.length === 0) return [];
  return [
    `One sample alone carries most of the energy of some inputs of ${listed(dominated)}; on other data the error may be larger. More samples help.`,
  ];
}

function zeroWarnings(fitted: readonly FittedLayer[]): string[] {
  return fitted.flatMap(({ plan }) => {
    if (plan.alphabet !== "midrise" || plan.bits !== 1) return [];
    const zeros = plan.weights().reduce((count, weight) => count + (weight === 0 ? 1 : 0), 0);
    if (zeros <= MANY_ZEROS * weightCount(plan.layer)) return [];
    const percent = Math.round((100 * zeros) / weightCount(plan.layer));
    return [
      `${plan.layer.name}: ${percent} % of the weights are exactly zero, and 1 bit has no zero; 2 bits would keep them.`,
    ];
  });
}
