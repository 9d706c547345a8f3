import { intOf, node } from "../onnx/build";
import { DataType } from "../onnx/dataTypes";
import { tensor } from "../onnx/tensors";
import type { NodeProto } from "../onnx/onnx_pb";
import type { StoredLayer } from "./copy";
import type { CopyParts } from "./packed";

// A table of embeddings in `packed` at 8 bits: rows of codes and their scales are looked up first and multiplied afterwards,
//
//   ids -> Gather of codes -> Cast float32 -> Mul by (ids -> Gather of scales),
//
// so that only the rows that are asked for are ever float32. The table stays small in memory, too.

export function isEmbedding({ layer, format, alphabets }: StoredLayer): boolean {
  return layer.op === "Gather" && format === "packed" && alphabets.kind === "symmetric" && alphabets.bits === 8;
}

/** The nodes in place of the layer's Gather, in order, and the bytes they store. */
export function writeEmbedding(
  { layer, levels, alphabets }: StoredLayer,
  parts: CopyParts,
): { nodes: NodeProto[]; bytes: number } {
  const result = (what: string): string => parts.name(`${layer.tensor}_${what}`);
  const zero = (alphabets.levels - 1) / 2;
  const codes = Int8Array.from(levels, level => level - zero);
  const scales = Float32Array.from(alphabets.steps);
  const [ids] = layer.node.input.slice(1);
  const table = parts.store(tensor(result("codes"), "int8", [...layer.shape], codes));
  const steps = parts.store(tensor(result("scales"), "float32", [layer.neurons, 1], scales));
  const rows = node("Gather", [table, ids!], result("rows"), [intOf("axis", 0)]);
  const values = node("Cast", [rows.output[0]!], result("levels"), [intOf("to", DataType.float32)]);
  const factors = node("Gather", [steps, ids!], result("row_scales"), [intOf("axis", 0)]);
  const product = node("Mul", [values.output[0]!, factors.output[0]!], layer.node.output[0]!);
  return { nodes: [rows, values, factors, product], bytes: codes.byteLength + scales.byteLength };
}
