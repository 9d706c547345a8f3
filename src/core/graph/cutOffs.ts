import { floatAttribute } from "../onnx/attributes";
import { isFloatType } from "../onnx/floats";
import { isOnnxDomain } from "../onnx/model";
import type { NodeProto } from "../onnx/onnx_pb";
import type { Layer } from "./layers";
import { storedValue, valuesOf } from "./storedValues";
import { biasSlot } from "./storedWeights";
import type { GraphIndex } from "./uses";

/** What can be seen of a value behind operators that cut it off: what lies below `low` counts as `low`, above `high` as `high`. */
export interface SeenRange {
  readonly low: number;
  readonly high: number;
}

/**
 * What can be seen of a layer's outputs where a Relu or a Clip is all that reads them.
 *
 * @param addend what is added to the outputs before, by the Add that is all that reads them; null for none.
 * @returns null where something sees all of them.
 */
export function seenRange(layer: Layer, addend: string | null, index: GraphIndex): SeenRange | null {
  // What is seen of an answer whose bias is worked out when the model runs cannot be told.
  const slot = biasSlot(layer.op);
  if (!layer.bias && slot !== undefined && (layer.node.input[slot] ?? "") !== "") return null;
  // The Add of a MatMul's bias belongs to the layer.
  let output = (layer.biasAt?.node ?? layer.node).output[0]!;
  if (addend !== null) output = index.uses.get(output)![0]!.node.output[0]!;
  const [use, ...others] = index.uses.get(output) ?? [];
  if (!use || others.length > 0 || use.slot !== 0 || index.outputs.has(output)) return null;
  return rangeBehind(use.node, index);
}

function rangeBehind(node: NodeProto, index: GraphIndex): SeenRange | null {
  if (!isOnnxDomain(node)) return null;
  if (node.opType === "Relu") return { low: 0, high: Infinity };
  if (node.opType !== "Clip") return null;
  const low = boundOf(node, 1, "min", -Infinity, index);
  const high = boundOf(node, 2, "max", Infinity, index);
  return low !== null && high !== null && low < high ? { low, high } : null;
}

/** A bound of a Clip: an input, or before opset 11 an attribute; null where it is worked out when the model runs. */
function boundOf(node: NodeProto, slot: number, name: string, otherwise: number, index: GraphIndex): number | null {
  const input = node.input[slot] ?? "";
  if (input === "") return floatAttribute(node, name, otherwise);
  const value = storedValue(input, index);
  if (!value || !isFloatType(value.type)) return null;
  return valuesOf(value)[0] ?? null;
}
