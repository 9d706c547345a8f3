import { changed } from "../onnx/build";
import { DataType } from "../onnx/dataTypes";
import { isOnnxDomain, type Model } from "../onnx/model";
import type { NodeProto, TensorProto } from "../onnx/onnx_pb";
import { elementCount } from "../onnx/tensors";
import { isWeightAt } from "./storedWeights";
import { indexGraph } from "./uses";

/** Smaller ones are shapes, axes and factors; nothing is won by moving them. */
const LEAST_ELEMENTS = 32;
/** Before this IR version a stored tensor is an input that a caller may replace; a Constant node is none. */
const INITIALIZERS_STAND_ALONE = 4n;

/**
 * Stores the weights that Constant nodes of the graph hold as initializers of the same names: the same model, in the form everything else here looks for weights in.
 *
 * @returns the very model that was given where there is nothing to store.
 */
function storeConstants(model: Model): Model {
  if (model.irVersion < INITIALIZERS_STAND_ALONE) return model;
  const { outputs, uses } = indexGraph(model.graph);
  const stored = new Map<NodeProto, TensorProto>();
  for (const node of model.graph.node) {
    const value = node.attribute.find(one => one.name === "value")?.t;
    const name = node.output[0];
    if (node.opType !== "Constant" || !isOnnxDomain(node) || !value || !name || outputs.has(name)) continue;
    if (value.dataType !== DataType.float32 || elementCount(value) < LEAST_ELEMENTS) continue;
    const isWeight = uses.get(name)?.some(use => isWeightAt(use, value.dims.length)) ?? false;
    if (isWeight) stored.set(node, changed(value, { name }));
  }
  if (stored.size === 0) return model;
  const graph = changed(model.graph, {
    node: model.graph.node.filter(node => !stored.has(node)),
    initializer: [...model.graph.initializer, ...stored.values()],
  });
  return changed(model, { graph });
}

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

/** The same function with every weight where it is looked for: among the initializers, and nowhere else. */
export function withStoredWeights(model: Model): Model {
  return storeConstants(withoutStoredInputs(model));
}
