import { intOf, node } from "../onnx/build";
import { DataType } from "../onnx/dataTypes";
import { storedBytes, tensor, tensorMade } from "../onnx/tensors";
import type { NodeProto } from "../onnx/onnx_pb";
import type { StoredLayer } from "./copy";
import { codesName, SCALES } from "./names";
import type { CopyParts } from "./packed";

// A table of embeddings in `packed` at 8 bits: rows of codes and their scales are looked up first and multiplied afterwards,
//
//   ids -> Gather of codes -> Cast float32 -> Mul by (ids -> Gather of scales),
//
// so that only the rows that are asked for are ever float32. The table stays small in memory, too.

export function isEmbedding({ layer, format, alphabets, perTensor }: StoredLayer): boolean {
  return (
    layer.op === "Gather" &&
    format === "packed" &&
    alphabets.kind === "symmetric" &&
    alphabets.bits === 8 &&
    !perTensor
  );
}

/** The nodes in place of each that looks rows up, in order, and the bytes they store; other readers get the table as floats. */
export function writeEmbedding(
  { layer, levels, alphabets }: StoredLayer,
  parts: CopyParts,
): { nodes: Map<NodeProto, readonly NodeProto[]>; bytes: number } {
  const zero = (alphabets.levels - 1) / 2;
  // Bytes of two's complement: the same whether they are called signed or not.
  const codes = tensorMade(parts.name(codesName(layer)), "int8", layer.shape, () =>
    levels().map(level => level - zero),
  );
  const scales = Float32Array.from(alphabets.steps);
  const table = parts.store(codes);
  const steps = parts.store(tensor(parts.name(SCALES), "float32", [layer.neurons, 1], scales));
  /** Levels times steps, in the type the layer computes in, under a name of the model. */
  const product = (rows: string, factors: string, name: string): NodeProto[] => {
    const values = node("Cast", [rows], parts.name("w"), [intOf("to", DataType.float32)]);
    const multiply = (as: string): NodeProto => node("Mul", [values.output[0]!, factors], as);
    if (layer.type === "float32") return [values, multiply(name)];
    const floats = multiply(parts.name("w"));
    return [values, floats, node("Cast", [floats.output[0]!], name, [intOf("to", DataType[layer.type])])];
  };
  const lookUp = (old: NodeProto): NodeProto[] => {
    const ids = old.input[1]!;
    const rows = node("Gather", [table, ids], parts.name("w"), [intOf("axis", 0)]);
    const factors = node("Gather", [steps, ids], parts.name("w"), [intOf("axis", 0)]);
    return [rows, factors, ...product(rows.output[0]!, factors.output[0]!, old.output[0]!)];
  };
  // A head that is tied to the table, say: onnxruntime makes floats of it once, when it loads the model.
  if (layer.readers > layer.lookUps.length)
    for (const one of product(table, steps, layer.value.name)) parts.put(one);
  return {
    nodes: new Map(layer.lookUps.map(old => [old, lookUp(old)])),
    bytes: storedBytes(codes) + scales.byteLength,
  };
}
