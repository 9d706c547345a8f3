import picomatch from "picomatch";
import type { FormatOf } from "../core/formats/choose";
import { Failure, type FailureCode } from "../core/failure";
import type { Grid } from "../core/formats/codes";
import type { Format } from "../core/formats/copy";
import type { Bits } from "../core/grid/alphabet";
import type { UnfittedLayer } from "../core/formats/predict";
import { type LayerPlan, withinReach, withoutData } from "../core/fitLayer";
import type { Layer } from "../core/graph/layers";
import type { Skipped } from "../core/graph/skipped";
import { valuesOf } from "../core/graph/storedValues";
import { alphabetFor, type LayerRule, type QuantizeOptions } from "./options";

/** How a layer is quantized, and how it is stored. */
export interface StoredPlan extends LayerPlan {
  readonly format: Format;
}

/** Rows of a table are met one by one, with no sum over them to make an error small. */
const TABLE_BITS = 8;

/** How the codes of a layer are stored. */
export type Storage = Grid & Pick<StoredPlan, "format">;

/**
 * @param bits what a rule says of the layer; undefined: the usual bits.
 * @throws {Failure} `format-impossible` or `opset-too-old`.
 */
export function storageOf(
  layer: Layer,
  bits: Bits | undefined,
  options: Pick<QuantizeOptions, "bits" | "alphabet" | "group" | "perTensor">,
  formatOf: FormatOf,
): Storage {
  const isTable = layer.op === "Gather";
  const group = isTable ? undefined : options.group;
  const own = bits ?? (isTable ? TABLE_BITS : options.bits);
  // One alphabet for several groups of a convolution is chosen for all their inputs at once.
  const isGrouped = group !== undefined && group < layer.inputs && !(options.perTensor && layer.groups > 1);
  const grid: Grid = {
    bits: own,
    alphabet: alphabetFor(isTable ? "auto" : options.alphabet, own),
    groupInputs: isGrouped ? group : undefined,
    perTensor: options.perTensor && !isTable,
  };
  return { ...grid, format: formatOf(layer, grid) };
}

/** What `make` gives; undefined where a layer cannot be stored so. */
export function ifStorable<Result>(make: () => Result): Result | undefined {
  try {
    return make();
  } catch (error) {
    const codes: readonly FailureCode[] = ["format-impossible", "opset-too-old"];
    if (error instanceof Failure && codes.includes(error.code)) return undefined;
    throw error;
  }
}

/**
 * Says for every layer how it is quantized, or that the user keeps it.
 *
 * @param fit whether there is data to fit to; without, weights are rounded to the radius of least squared error.
 * @throws {Failure} `format-impossible` where a rule asks for a width its alphabet or format does not have.
 */
export function planLayers(
  layers: readonly Layer[],
  options: QuantizeOptions,
  fit: boolean,
  formatOf: FormatOf,
): { plans: StoredPlan[]; kept: Skipped[] } {
  const rules = options.layers.map(rule => ({ ...rule, matches: matcher(rule.glob) }));
  const plans: StoredPlan[] = [];
  const kept: Skipped[] = [];
  for (const layer of layers) {
    const rule = rules.filter(one => one.matches(layer.name) || one.matches(layer.tensor)).at(-1);
    if (rule?.bits === "keep") {
      kept.push({
        tensor: layer.tensor,
        reason: "excluded",
        detail: `Left out by "${rule.glob}".`,
        bytes: layer.bytes,
      });
      continue;
    }
    const storage = storageOf(layer, rule?.bits, options, formatOf);
    const plan: StoredPlan = {
      layer,
      weights: () => valuesOf(layer.value),
      ...storage,
      method: rule?.method ?? options.method,
      variant: options.variant === "auto" ? "walk" : options.variant,
      radius: options.radius === "auto" ? "data" : options.radius,
      halfSteps: storage.format === "packed",
      // Where the layers before are not quantized for a fit, a layer can only match itself.
      target: options.inputs === "quantized" ? options.target : "quantized",
      oneSided: options.oneSided === "auto",
      centre: options.biasCorrection === "auto" && layer.biasAt !== null,
      refine: options.refine,
      damping: options.damping === "auto" ? undefined : options.damping,
      paths: options.paths === "auto" ? undefined : options.paths,
    };
    plans.push(fit && layer.input !== null ? withinReach(plan) : withoutData(plan));
  }
  return { plans, kept };
}

/** A planned layer as far as its size goes. */
export function unfittedLayer(plan: StoredPlan): UnfittedLayer {
  return { ...plan, newBias: plan.centre && plan.target === "float" };
}

/** `*` crosses `/`, since layer names are paths of modules and users mean "any of these". */
function matcher(glob: string): (name: string) => boolean {
  const matches = picomatch(glob, { bash: true, dot: true, nonegate: true, noextglob: true });
  return name => matches(name);
}

/** Rules that no layer matched: most likely a misspelt name. */
export function unusedRules(rules: readonly LayerRule[], layers: readonly Layer[]): string[] {
  return rules
    .filter(rule => !layers.some(layer => matcher(rule.glob)(layer.name) || matcher(rule.glob)(layer.tensor)))
    .map(rule => `No layer is called "${rule.glob}"; whittle inspect lists the names.`);
}
