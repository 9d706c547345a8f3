import picomatch from "picomatch";
import type { FormatOf } from "../core/formats/choose";
import { neuronAxis } from "../core/formats/codes";
import type { Format } from "../core/formats/copy";
import type { UnfittedLayer } from "../core/formats/predict";
import type { LayerPlan } from "../core/fitLayer";
import { Failure } from "../core/failure";
import type { Skipped, Layer } from "../core/graph/layers";
import type { GraphIndex } from "../core/graph/uses";
import { float32Values } from "../core/onnx/tensors";
import { alphabetFor, type LayerRule, type QuantizeOptions } from "./options";

/** How a layer is quantized, and how it is stored. */
export interface StoredPlan extends LayerPlan {
  readonly format: Format;
}

/** Rows of a table are met one by one, with no sum over them to make an error small. */
export const TABLE_BITS = 8;

/** Tables are packed, so that only the rows looked up become floats; so is what DequantizeLinear has no axis for. */
export function formatFor(layer: Layer, wanted: Format | "auto", otherwise: () => Format): Format {
  if (layer.op === "Gather" && wanted === "auto") return "packed";
  if (neuronAxis(layer) !== null) return otherwise();
  if (wanted !== "qdq") return "packed";
  throw new Failure(
    "format-impossible",
    `${layer.name} counts its neurons along two axes of [${layer.shape.join(", ")}], and qdq has one.`,
    `Use --format auto or packed, or --exclude '${layer.name}'.`,
  );
}

function withoutData(radius: QuantizeOptions["radius"]): "max" | "mse" {
  return radius === "max" ? "max" : "mse";
}

/**
 * Says for every layer how it is quantized, or that the user keeps it.
 *
 * @param fit whether there is data to fit to; without, weights are rounded to the radius of least squared error.
 * @throws {Failure} `format-impossible` where a rule asks for a width its alphabet or format does not have.
 */
export function planLayers(
  layers: readonly Layer[],
  index: GraphIndex,
  options: QuantizeOptions,
  fit: boolean,
  formatOf: FormatOf,
): { plans: StoredPlan[]; kept: Skipped[] } {
  const rules = options.layers.map(rule => ({ ...rule, matches: matcher(rule.glob) }));
  const plans: StoredPlan[] = [];
  const kept: Skipped[] = [];
  for (const layer of layers) {
    const rule = rules.filter(one => one.matches(layer.name) || one.matches(layer.tensor)).at(-1);
    const weights = float32Values(index.initializers.get(layer.tensor)!);
    const isTable = layer.op === "Gather";
    const group = isTable ? undefined : options.group;
    const bits = rule?.bits ?? (isTable ? TABLE_BITS : options.bits);
    if (bits === "keep") {
      kept.push({
        tensor: layer.tensor,
        reason: "excluded",
        detail: `Left out by "${rule!.glob}".`,
        bytes: weights.byteLength,
      });
      continue;
    }
    const alphabet = alphabetFor(isTable ? "auto" : options.alphabet, bits);
    const isFitted = fit && layer.input !== null;
    const format = formatFor(layer, options.format, () => formatOf(alphabet, bits, group !== undefined));
    plans.push({
      layer,
      weights,
      bits,
      format,
      alphabet,
      method: isFitted ? (rule?.method ?? options.method) : "msq",
      variant: options.variant === "auto" ? "walk" : options.variant,
      radius: isFitted ? (options.radius === "auto" ? "data" : options.radius) : withoutData(options.radius),
      perTensor: options.perTensor,
      groupInputs: group !== undefined && group < layer.inputs ? group : undefined,
      halfSteps: format === "packed",
      // Where the layers before are not quantized for a fit, or nothing is fitted, a layer can only match itself.
      target: isFitted && options.inputs === "quantized" ? options.target : "quantized",
      centre: isFitted && options.biasCorrection === "auto" && layer.biasAt !== null,
      refine: options.refine && isFitted,
      damping: options.damping === "auto" ? undefined : options.damping,
      paths: options.paths === "auto" ? undefined : options.paths,
    });
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
