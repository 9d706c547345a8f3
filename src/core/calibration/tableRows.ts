import { intAttribute } from "../onnx/attributes";
import { isOnnxDomain, type Model } from "../onnx/model";
import { storedValue } from "../graph/storedValues";
import { type GraphIndex, indexModel } from "../graph/uses";

/** Rows of the stored table that an input of the model looks rows up in, by the input's name: tokens are below that. */
export function tableRows(model: Model): Map<string, number> {
  const index = indexModel(model);
  const rows = new Map<string, number>();
  for (const node of index.nodes) {
    if (node.opType !== "Gather" || !isOnnxDomain(node) || intAttribute(node, "axis", 0) !== 0) continue;
    const table = storedValue(node.input[0] ?? "", index);
    const input = comesFrom(node.input[1] ?? "", index);
    if (!table || input === undefined) continue;
    rows.set(input, Math.min(table.shape[0] ?? 1, rows.get(input) ?? Infinity));
  }
  return rows;
}

const PASSES = ["Cast", "Identity", "Reshape", "Unsqueeze", "Squeeze", "Transpose"];

/** The input of the model whose numbers these are, in whatever shape; undefined for any other value. */
function comesFrom(name: string, index: GraphIndex): string | undefined {
  for (let at = name; ;) {
    if (index.inputs.has(at)) return at;
    const node = index.producers.get(at);
    if (!node || !PASSES.includes(node.opType)) return undefined;
    at = node.input[0] ?? "";
  }
}
