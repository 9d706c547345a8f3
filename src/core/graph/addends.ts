import { isOnnxDomain } from "../onnx/model";
import type { Layer } from "./layers";
import { ancestorsOf, constantNodes } from "./segments";
import type { GraphIndex } from "./uses";

/**
 * Names of what is added to the outputs of layers: the other operand of the Add that is all that reads a layer's output, as
 * around a residual branch. Null where there is no such Add, where what it adds is stored, or where that hangs on the layer
 * itself or on one quantized later, so that its values are not known in time.
 *
 * @param layers in the order they are quantized in.
 */
export function addendsOf(index: GraphIndex, layers: readonly Layer[]): (string | null)[] {
  const places = new Map(layers.map((layer, place) => [layer.node, place]));
  const constants = constantNodes(index);
  return layers.map((layer, place) => {
    // The Add of a MatMul's bias belongs to the layer.
    const output = (layer.biasAt?.node ?? layer.node).output[0]!;
    const [use, ...others] = index.uses.get(output) ?? [];
    if (!use || others.length > 0 || use.slot < 0 || index.outputs.has(output)) return null;
    if (use.node.opType !== "Add" || !isOnnxDomain(use.node)) return null;
    const addend = use.node.input[1 - use.slot]!;
    const behind = ancestorsOf([addend], index);
    const worked = [...behind].some(node => !constants.has(node));
    const made = worked || (index.inputs.has(addend) && !index.initializers.has(addend));
    return made && [...behind].every(node => (places.get(node) ?? -1) < place) ? addend : null;
  });
}
