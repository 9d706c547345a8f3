import { changed, intOf } from "../onnx/build";
import type { ModelProto, NodeProto } from "../onnx/onnx_pb";
import { storedBytes, tensor, tensorMade } from "../onnx/tensors";
import { packRows } from "../grid/pack";
import { alphabetAt, type Grid, gridOf } from "./codes";
import type { StoredLayer } from "./copy";
import { codesName, SCALES, ZERO_POINTS } from "./names";
import type { CopyParts } from "./packed";
import { multiplyThenAdd } from "./products";

// `nbits`: the operators of onnxruntime that keep weights packed in memory and multiply with them as they are,
//
//   MatMulNBits(x, codes [neurons, blocks, bytes of a block], scales [neurons, blocks], zero points [neurons, …])
//
// with y = x Wᵀ and W = (code - zero point) * scale, for MatMul and Gemm with a stored matrix on the right. All of it belongs to
// one domain, so the opset stays. Blocks run along the inputs; an alphabet of more inputs is repeated for each of its blocks.

/** The operator set of onnxruntime itself. */
export const MICROSOFT = "com.microsoft";

/** What MatMulNBits takes on CPUs: with 512 onnxruntime 1.24 to 1.26 give zeros (onnx.md, trap 4). */
const BLOCKS = [16, 32, 64, 128, 256] as const;
/**
 * int8 activations. Without, onnxruntime 1.30 unpacks weights of 2 and 8 bits at every run: 2048 x 2048, one row, one thread, 12
 * and 8 ms, with them 0.1, and 0.36 as floats. Where zero points are floats it has none.
 */
const INT8_ACTIVATIONS = 4;
/** At 2 bits blocks of 256 are not computed with int8 activations: 12 ms where 128 take 0.1. */
const MOST_BLOCK_OF_2_BITS = 128;

type Width = 2 | 4 | 8;

/** Inputs a block, with the fewest bytes of all that the alphabets allow. Part of a block costs as much as all of it. */
export function blockSize(inputs: number, { alphabet, bits, groupInputs }: Omit<Grid, "perTensor">): number {
  const most = bits === 2 && alphabet !== "midrise" ? MOST_BLOCK_OF_2_BITS : Infinity;
  const fitting = BLOCKS.filter(size => size <= most && (groupInputs === undefined || groupInputs % size === 0));
  const bytes = (size: number): number =>
    Math.ceil(inputs / size) * ((size * bits) / 8 + FLOAT + zeroPointBytes(alphabet, bits));
  return fitting.reduce((best, size) => (bytes(size) <= bytes(best) ? size : best));
}

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

function zeroPointBytes(alphabet: Grid["alphabet"], bits: number): number {
  return alphabet === "affine" ? bits / 8 : alphabet === "midrise" ? FLOAT : 0;
}

/**
 * The nodes in place of a layer's MatMul or Gemm, in order, and the bytes its weight takes in them.
 *
 * @param bias name of a new bias that the node itself adds; null where it keeps its own.
 */
export function writeMatMulNBits(
  stored: StoredLayer,
  bias: string | null,
  parts: CopyParts,
): { nodes: NodeProto[]; bytes: number } {
  const { layer, alphabets } = stored;
  const { inputs, neurons, node: own } = layer;
  const bits = alphabets.bits as Width;
  const size = blockSize(inputs, gridOf(stored));
  const blocks = Math.ceil(inputs / size);
  let bytes = 0;
  const store = (name: string, type: "uint8" | "float32", dims: number[], data: ArrayBufferView): string => {
    bytes += data.byteLength;
    return parts.store(tensor(parts.name(name), type, dims, data));
  };

  const of = alphabetAt({ ...layer, neuronsFirst: true }, alphabets);
  const each = (values: Float64Array): Float64Array =>
    Float64Array.from({ length: neurons * blocks }, (_, at) => {
      const [neuron, block] = [Math.floor(at / blocks), at % blocks];
      return values[of(neuron * inputs + block * size)]!;
    });
  // The levels are read when the copy is written, or never where only its size is asked for.
  const codes = tensorMade(parts.name(codesName(layer)), "uint8", [neurons, blocks, (size * bits) / 8], () =>
    packRows(padded(stored, blocks * size), blocks * size, bits),
  );
  bytes += storedBytes(codes);
  const reads = [
    own.input[0]!,
    parts.store(codes),
    store(SCALES, "float32", [neurons, blocks], Float32Array.from(each(alphabets.steps))),
  ];
  if (alphabets.kind === "midrise") {
    const zeros = Float32Array.from(each(alphabets.zeroPoints));
    reads.push(store(ZERO_POINTS, "float32", [neurons, blocks], zeros));
  } else if (alphabets.kind === "affine") {
    const zeros = packRows(Uint8Array.from(each(alphabets.zeroPoints)), blocks, bits);
    reads.push(store(ZERO_POINTS, "uint8", [neurons, zeros.length / neurons], zeros));
  }

  const attribute = [
    intOf("K", inputs),
    intOf("N", neurons),
    intOf("bits", bits),
    intOf("block_size", size),
    ...(alphabets.kind === "midrise" ? [] : [intOf("accuracy_level", INT8_ACTIVATIONS)]),
  ];
  const multiply = (output: string): NodeProto =>
    changed(own, { opType: "MatMulNBits", domain: MICROSOFT, input: reads, output: [output], attribute });
  // Its own input for a bias is newer than the operator; onnxruntime fuses the Add where it can.
  return { nodes: multiplyThenAdd(layer, own, bias, multiply, parts), bytes };
}

/** The codes [neurons, rowLength], zeros behind the inputs of each neuron. */
function padded({ layer, levels: read, alphabets }: StoredLayer, rowLength: number): Uint8Array {
  // Without zero points a code stands 2^(bits - 1) above its value; the levels of `symmetric` are one fewer.
  const shift = alphabets.kind === "symmetric" ? 1 : 0;
  const { inputs, neurons, neuronsFirst } = layer;
  const levels = read();
  const codes = new Uint8Array(neurons * rowLength);
  for (let neuron = 0; neuron < neurons; neuron++) {
    for (let input = 0; input < inputs; input++) {
      const place = neuronsFirst ? neuron * inputs + input : input * neurons + neuron;
      codes[neuron * rowLength + input] = levels[place]! + shift;
    }
  }
  return codes;
}

/** The model without int8 activations in its MatMulNBits: what it computes when only its weights are quantized. */
export function withFloatActivations<Some extends ModelProto>(model: Some): Some {
  const { graph } = model;
  if (!graph?.node.some(isMatMulNBits)) return model;
  const exact = (one: NodeProto): NodeProto =>
    isMatMulNBits(one)
      ? changed(one, { attribute: one.attribute.filter(({ name }) => name !== "accuracy_level") })
      : one;
  return changed<ModelProto>(model, { graph: changed(graph, { node: graph.node.map(exact) }) }) as Some;
}

function isMatMulNBits({ opType, domain }: NodeProto): boolean {
  return opType === "MatMulNBits" && domain === MICROSOFT;
}
