import { changed } from "../onnx/build";
import { INITIALIZERS_STAND_ALONE, type Model } from "../onnx/model";

/** With fewer stored tensors than this, that all of them are inputs may well be meant. */
const LEAST_LISTED = 8;

/**
 * Takes stored tensors out of the model's inputs, where it lists every one of them: then a converter did it by habit (PyTorch's
 * keep_initializers_as_inputs), and nobody feeds a hundred weights at each call. Where it lists some, those are meant to be fed.
 *
 * @returns the very model that was given where there is nothing to take out.
 */
export function withoutStoredInputs(model: Model): Model {
  if (model.irVersion < INITIALIZERS_STAND_ALONE) return model;
  const stored = new Set(model.graph.initializer.map(tensor => tensor.name));
  const listed = model.graph.input.filter(input => stored.has(input.name));
  if (listed.length < stored.size || stored.size < LEAST_LISTED) return model;
  const input = model.graph.input.filter(one => !stored.has(one.name));
  return changed(model, { graph: changed(model.graph, { input }) });
}
