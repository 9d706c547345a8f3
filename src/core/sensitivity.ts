import { mostFittedRows } from "./aim";
import { Failure } from "./failure";
import { ALONE, allUsable, startForward, stopsAt } from "./calibration/forward";
import type { KeptFeed } from "./calibration/kept";
import { layerRows, type LayerRows } from "./calibration/rows";
import type { LayerPlan } from "./fitLayer";
import { putBack } from "./formats/copy";
import type { GraphIndex } from "./graph/uses";
import { aimGroups, roundGroups } from "./layerCodes";
import { mostRows } from "./methods/catalog";
import type { Model } from "./onnx/model";
import { type Feeds, NOTHING, type Parts } from "./pipeline";

// What each layer costs the network, at each number of bits: the layer alone is quantized, fitted to what the float network
// feeds it, and the whole network is run on samples no fit has seen. The errors of single layers add up, near enough, to the
// error of all of them together (networks.md section 5); errors of weights say little of a layer's cost.

/** Rows a layer is fitted on here: enough to rank layers and bits by. */
const ROWS = 4000;

/**
 * @param plans for every layer in execution order the ways to quantize it, which differ in bits alone.
 * @param error what quantizing costs the outputs of the model on the held-out feeds.
 * @returns for every layer, the error of each way.
 */
export async function sensitivities<Error>(
  model: Model,
  index: GraphIndex,
  plans: readonly (readonly LayerPlan[])[],
  feeds: Feeds,
  seed: number,
  parts: Parts,
  error: (copy: Model, heldOut: readonly KeptFeed[]) => Promise<Error>,
): Promise<Error[][]> {
  const layers = plans.map(ways => ways[0]!.layer);
  const stops = stopsAt(
    index,
    layers,
    layers.map(() => ALONE),
  );
  const pass = startForward(model, index, feeds.fitted, parts.open, parts.keep);
  const errors: Error[][] = [];
  for (const [k, ways] of plans.entries()) {
    const first = ways[0]!;
    parts.onStart(first);
    let rows: LayerRows | null = null;
    if (first.layer.input !== null) {
      const seen = await pass.activations(stops[k]!, NOTHING);
      if (!allUsable(seen)) {
        throw new Failure(
          "data-not-finite",
          `What ${first.layer.name} is fed on these data holds NaN or infinite values.`,
          "Check the data and their scale, or give the bits of each layer yourself.",
        );
      }
      // Activations of its own for the quantized network, though they are the same: so that the bias takes the mean.
      rows = layerRows(first.layer, seen, { ...seen }, feeds.fitted.length, seed);
    }
    const aimed = await aimGroups(
      first,
      rows?.fitted(Math.min(ROWS, mostFittedRows(first.layer.inputs))) ?? null,
      parts.linalg,
    );
    const found: Error[] = [];
    for (const plan of ways) {
      const most = Math.min(ROWS, mostRows(plan.method, plan.layer.inputs, plan.variant));
      const given = rows?.fitted(most) ?? null;
      const { codes } = await roundGroups(plan, aimed, given, parts.linalg);
      found.push(await error(putBack(model, [codes]), feeds.heldOut));
    }
    errors.push(found);
  }
  pass.end();
  return errors;
}
