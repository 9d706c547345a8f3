import { intAttribute, intsAttribute } from "../onnx/attributes";
import { isOnnxDomain } from "../onnx/model";
import { storedInts } from "./storedValues";
import type { GraphIndex, Use } from "./uses";

// Exporters of PyTorch store the gates of an LSTM in another order than ONNX and sort them in the graph: rows are sliced and put
// together again. Whatever happens to whole rows leaves the numbers of each row together, and so its alphabet right.

/**
 * Axes of what a node makes of a tensor of so many axes, where it moves whole rows (the numbers along the last axis); undefined
 * where it does something else, or that cannot be told.
 */
export function rowsThrough({ node, slot }: Use, rank: number, index: GraphIndex): number | undefined {
  if (!isOnnxDomain(node) || (slot !== 0 && node.opType !== "Concat")) return undefined;
  const ints = (name: string, input: number): readonly number[] | undefined =>
    intsAttribute(node, name) ?? storedInts(node.input[input] ?? "", index);
  const spares = (axes: readonly number[] | undefined, of: number): boolean =>
    axes !== undefined && axes.every(axis => (axis < 0 ? axis + of : axis) !== of - 1);
  switch (node.opType) {
    case "Slice":
      return spares(ints("axes", 3), rank) ? rank : undefined;
    case "Split":
      return spares([intAttribute(node, "axis", 0)], rank) ? rank : undefined;
    case "Concat":
      return spares([intAttribute(node, "axis", -1)], rank) ? rank : undefined;
    case "Unsqueeze": {
      const axes = ints("axes", 1);
      const made = rank + (axes?.length ?? 0);
      return spares(axes, made) ? made : undefined;
    }
    default:
      return undefined;
  }
}
