import { intAttribute } from "../onnx/attributes";
import { changed, intOf } from "../onnx/build";
import type { NodeProto } from "../onnx/onnx_pb";
import { storedBytes, tensor, tensorMade } from "../onnx/tensors";
import type { Layer } from "../graph/layers";
import { packLevels, packRows } from "../grid/pack";
import type { Grid, LayerCodes } from "./codes";
import { codesName, SCALES, ZERO_POINTS } from "./names";
import { MICROSOFT } from "./nbits";
import type { CopyParts } from "./packed";

// A table of embeddings in `nbits`: GatherBlockQuantized (com.microsoft) looks rows of codes up and multiplies only those,
//
//   (code - zero point) * scale, one block as long as a row.
//
// 8 bits are bytes around 128. 4 bits are int4 tensors: as bytes onnxruntime 1.23 to 1.26 read the zero points of every other
// row (0.9 of relative error, measured). 2 bits are packed bytes, for which a row must fill its last one.

/** Why GatherBlockQuantized cannot take the place of a layer's node, as a clause; undefined where it can. */
export function notGatherBlocks(layer: Layer, { alphabet, bits }: Grid): string | undefined {
  const { op, node, shape, inputs, lookUps, readers } = layer;
  if (op !== "Gather" || shape.length !== 2 || intAttribute(node, "axis", 0) !== 0)
    return "it looks up no rows of a table";
  if (lookUps.length < readers) return "more than look-ups read the table";
  if (alphabet === "midrise") return "tables have no half zero points";
  return bits === 2 && inputs % 4 !== 0 ? "at 2 bits its rows do not end with a byte" : undefined;
}

/** The IR version that brought the type of the codes. */
export function tableIrVersion(bits: number): number {
  return bits === 4 ? 10 : 3;
}

/** Rows are as long as one block, which is a power of two and 16 at least. */
function blockSize(columns: number): number {
  return 2 ** Math.max(4, Math.ceil(Math.log2(columns)));
}

/** The node in place of each that looks rows up, and the bytes they store. */
export function writeGatherBlocks(
  { layer, levels, alphabets }: LayerCodes,
  parts: CopyParts,
): { nodes: Map<NodeProto, NodeProto>; bytes: number } {
  const { neurons: rows, inputs: columns } = layer;
  const bits = alphabets.bits as 2 | 4 | 8;
  const isInt4 = bits === 4;
  // Without zero points a code stands 2^(bits - 1) above its value, or at it where it has a sign.
  const shift = (alphabets.kind === "symmetric" ? 1 : 0) - (isInt4 ? 8 : 0);
  let bytes = 0;
  const store = (name: string, width: number, values: () => Uint8Array): string => {
    const dims = [rows, isInt4 ? width : Math.ceil((width * bits) / 8)];
    const stored = tensorMade(parts.name(name), isInt4 ? "int4" : "uint8", dims, () => {
      const codes = values().map(level => (level + shift) & (2 ** bits - 1));
      return isInt4 ? packLevels(codes, 4) : packRows(codes, width, bits);
    });
    bytes += storedBytes(stored);
    return parts.store(stored);
  };
  const scales = Float32Array.from(alphabets.steps);
  const table = store(codesName(layer), columns, levels);
  const numbers = [
    parts.store(tensor(parts.name(SCALES), "float32", [rows, 1], scales)),
    ...(alphabets.kind === "affine" ? [store(ZERO_POINTS, 1, () => Uint8Array.from(alphabets.zeroPoints))] : []),
  ];
  const lookUp = (old: NodeProto): NodeProto =>
    changed(old, {
      opType: "GatherBlockQuantized",
      domain: MICROSOFT,
      input: [table, old.input[1]!, ...numbers],
      attribute: [
        intOf("gather_axis", 0),
        intOf("quantize_axis", 1),
        intOf("block_size", blockSize(columns)),
        ...(isInt4 ? [] : [intOf("bits", bits)]),
      ],
    });
  return { nodes: new Map(layer.lookUps.map(old => [old, lookUp(old)])), bytes: bytes + scales.byteLength };
}
