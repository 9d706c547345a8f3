import picomatch from "picomatch";
import type { FormatOf } from "../core/formats/choose";
import { neuronAxis } from "../core/formats/codes";
import type { Bits } from "../core/grid/alphabet";
import type { Format } from "../core/formats/copy";
import type { UnfittedLayer } from "../core/formats/predict";
import { type LayerPlan, withoutData } from "../core/fitLayer";
import { Failure } from "../core/failure";
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
export type Storage = Pick<StoredPlan, "bits" | "alphabet" | "format" | "groupInputs">;

/**
 * @param bits what a rule says of the layer; undefined: the usual bits.
 * @throws {Failure} `format-impossible`.
 */
export function storageOf(
  layer: Layer,
  bits: Bits | undefined,
  options: Pick<QuantizeOptions, "bits" | "alphabet" | "format" | "group">,
  formatOf: FormatOf,
): Storage {
  const isTable = layer.op === "Gather";
  const group = isTable ? undefined : options.group;
  const own = bits ?? (isTable ? TABLE_BITS : options.bits);
  const alphabet = alphabetFor(isTable ? "auto" : options.alphabet, own);
  return {
    bits: own,
    alphabet,
    format: formatFor(layer, options.format, () => formatOf(alphabet, own, group !== undefined)),
    groupInputs: group !== undefined && group < layer.inputs ? group : undefined,
  };
}

/**
 * Tables are packed, so that only the rows looked up become floats, and so is what several nodes read: onnxruntime would run
 * DequantizeLinear at every inference there, and before 1.27 with wrong numbers (onnx.md, trap 3). It would before a Cast to
 * another type, too, where packed codes become floats once, when the model is loaded. So is what DequantizeLinear has no axis for.
 */
function formatFor(layer: Layer, wanted: Format | "auto", otherwise: () => Format): Format {
  if (layer.shared) return "packed";
  if ((layer.op === "Gather" || layer.type !== "float32") && wanted === "auto") return "packed";
  if (neuronAxis(layer) !== null) return otherwise();
  if (wanted !== "qdq") return "packed";
  throw new Failure(
    "format-impossible",
    `${layer.name} counts its neurons along two axes of [${layer.shape.join(", ")}], and qdq has one.`,
    `Use --format auto or packed, or --exclude '${layer.name}'.`,
  );
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
      perTensor: options.perTensor,
      halfSteps: storage.format === "packed",
      // Where the layers before are not quantized for a fit, a layer can only match itself.
      target: options.inputs === "quantized" ? options.target : "quantized",
      centre: options.biasCorrection === "auto" && layer.biasAt !== null,
      refine: options.refine,
      damping: options.damping === "auto" ? undefined : options.damping,
      paths: options.paths === "auto" ? undefined : options.paths,
    };
    plans.push(fit && layer.input !== null ? plan : withoutData(plan));
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
