import picomatch from "picomatch";
import { impossible } from "../core/formats/choose";
import type { LayerPlan } from "../core/fitLayer";
import type { Skipped, Layer } from "../core/graph/layers";
import type { GraphIndex } from "../core/graph/uses";
import { float32Values } from "../core/onnx/tensors";
import { Failure } from "../core/failure";
import { alphabetFor, type LayerRule, type QuantizeOptions } from "./options";

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
): { plans: LayerPlan[]; kept: Skipped[] } {
  const rules = options.layers.map(rule => ({ ...rule, matches: matcher(rule.glob) }));
  const plans: LayerPlan[] = [];
  const kept: Skipped[] = [];
  for (const layer of layers) {
    const rule = rules.filter(one => one.matches(layer.name) || one.matches(layer.tensor)).at(-1);
    const weights = float32Values(index.initializers.get(layer.tensor)!);
    const bits = rule?.bits ?? options.bits;
    if (bits === "keep") {
      kept.push({
        tensor: layer.tensor,
        reason: "excluded",
        detail: `Left out by "${rule!.glob}".`,
        bytes: weights.byteLength,
      });
      continue;
    }
    const alphabet = alphabetFor(options.alphabet, bits);
    const obstacle = impossible(options.format === "qdq" ? "qdq" : "packed", alphabet, bits);
    if (obstacle)
      throw new Failure(
        "format-impossible",
        `Layer "${layer.name}": ${obstacle}.`,
        "Change --layer, --alphabet or --format.",
      );
    plans.push({
      layer,
      weights,
      bits,
      method: fit ? (rule?.method ?? options.method) : "msq",
      variant: options.variant === "auto" ? "cell" : options.variant,
      alphabet,
      radius: options.radius === "auto" || !fit ? "mse" : options.radius,
      perTensor: options.perTensor,
    });
  }
  return { plans, kept };
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
