import { intOf } from "../onnx/build";
import { storedBytes, tensor, tensorMade } from "../onnx/tensors";
import { packLevels } from "../grid/pack";
import { type Grid, gridOf, hasOneAlphabet, neuronAxis, turned } from "./codes";
import type { StoredLayer } from "./copy";
import { codesName, SCALES, ZERO_POINTS } from "./names";
import { type CopyParts, int64s } from "./packed";

// `qdq`: integers and one DequantizeLinear a weight, y = (x - zeroPoint) * scale, per tensor, per neuron along `axis`, or per
// neuron and block of inputs. onnxruntime fuses it into MatMul and Gemm(transB = 0) and computes those with int8 activations;
// elsewhere it runs at every inference.
// The zero point is always written: without one, 1.24 - 1.27 give wrong numbers behind some operators (onnx.md, trap 2).

/** The opset that brought what a grid needs: int8 at 10 (Gemm without a bias at 11), an axis at 13, blocks and int4 at 21, int2 at 25. */
export function qdqOpset(grid: Omit<Grid, "alphabet">): number {
  if (grid.bits === 2) return 25;
  if (grid.bits === 4 || grid.groupInputs !== undefined) return 21;
  return hasOneAlphabet(grid) ? 11 : 13;
}

/** Levels that are packed at once. */
const LEVELS_AT_ONCE = 2 ** 24;

const TYPES = { 2: "int2", 4: "int4", 8: "int8" } as const;

/** Adds the nodes that compute the weight of a layer; gives back the name of their result and the bytes they read. */
export function writeQdq(codes: StoredLayer, parts: CopyParts): { output: string; bytes: number } {
  const { layer, alphabets } = codes;
  const { groupInputs, bits, perTensor } = gridOf(codes);
  if (bits !== 2 && bits !== 4 && bits !== 8) throw new Error(`DequantizeLinear has no integers of ${bits} bits.`);
  // ONNX's signed types hold level - 2^(bits - 1); the 2^bits - 1 levels of `symmetric` sit around 0.
  const shift = alphabets.kind === "symmetric" ? (alphabets.levels - 1) / 2 : 2 ** (bits - 1);
  const type = TYPES[bits];
  // Not `from` with a function: that makes a list of all levels first, and no list is longer than 2^27.
  const pack = (all: Uint8Array): Uint8Array => {
    const bytes = all.map(level => (level - shift) & (2 ** bits - 1));
    return bits === 8 ? bytes : packLevels(bytes, bits);
  };

  const { neurons, inputs, neuronsFirst } = layer;
  const axis = neuronAxis(layer);
  // Blocks lie along one axis, and neurons count along one: a weight of more axes is stored as a matrix and shaped afterwards.
  const isMatrix = groupInputs !== undefined || (axis === null && !hasOneAlphabet({ groupInputs, perTensor }));
  const shape = isMatrix ? (neuronsFirst ? [neurons, inputs] : [inputs, neurons]) : layer.shape;
  const groups = alphabets.steps.length / neurons;
  let numbersShape = [neurons];
  let attributes = [intOf("axis", isMatrix ? (neuronsFirst ? 0 : 1) : (axis ?? 0))];
  let each = (values: Float64Array): Float64Array => values;
  if (groupInputs !== undefined) {
    numbersShape = neuronsFirst ? [neurons, groups] : [groups, neurons];
    attributes = [intOf("axis", neuronsFirst ? 1 : 0), intOf("block_size", groupInputs)];
    if (neuronsFirst) each = values => turned(values, groups, neurons);
  } else if (perTensor) {
    numbersShape = [];
    attributes = [];
    each = values => values.subarray(0, 1);
  }

  // The levels are read when the copy is written, or never where only its size is asked for.
  const stored = tensorMade(
    parts.name(codesName(layer)),
    type,
    shape,
    () => pack(codes.levels()),
    function* () {
      const all = codes.levels();
      // A whole number of bytes each.
      for (let at = 0; at < all.length; at += LEVELS_AT_ONCE) yield pack(all.subarray(at, at + LEVELS_AT_ONCE));
    },
  );
  const zeros = pack(Uint8Array.from(each(alphabets.zeroPoints)));
  const scales = Float32Array.from(each(alphabets.steps));
  const reads = [
    parts.store(stored),
    parts.store(tensor(parts.name(SCALES), "float32", numbersShape, scales)),
    parts.store(tensor(parts.name(ZERO_POINTS), type, numbersShape, zeros)),
  ];
  let output = parts.add("DequantizeLinear", reads, attributes);
  if (isMatrix && layer.shape.length !== 2) output = parts.add("Reshape", [output, int64s(layer.shape, parts)]);
  return { output, bytes: storedBytes(stored) + zeros.length + scales.byteLength };
}
