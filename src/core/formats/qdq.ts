import { intOf, node } from "../onnx/build";
import { storedBytes, tensor, tensorMade } from "../onnx/tensors";
import { packLevels } from "../grid/pack";
import { type LayerCodes, neuronAxis } from "./codes";
import type { CopyParts } from "./packed";

// `qdq`: integers and one DequantizeLinear a weight, y = (x - zeroPoint) * scale, per neuron along `axis`. onnxruntime
// fuses it into MatMul and Gemm(transB = 0) and computes those with int8 activations; elsewhere it runs at every inference.
// The zero point is always written: without one, 1.24 - 1.27 give wrong numbers behind some operators (onnx.md, trap 2).

/** The opset that brought what a width needs: per-axis scales at 13, int4 at 21. */
export const QDQ_LEAST_OPSET = { 8: 13, 4: 21 } as const;

/** Adds the node that computes the weight of a layer; gives back the name of its result and the bytes it reads. */
export function writeQdq(codes: LayerCodes, parts: CopyParts): { output: string; bytes: number } {
  const { layer, alphabets } = codes;
  const bits = alphabets.bits === 8 ? 8 : 4;
  const result = (what: string): string => parts.name(`${layer.tensor}_${what}`);
  // ONNX's signed types hold level - 2^(bits - 1); the 2^bits - 1 levels of `symmetric` sit around 0.
  const shift = alphabets.kind === "symmetric" ? (alphabets.levels - 1) / 2 : 2 ** (bits - 1);
  const signed = (level: number): number => level - shift;
  const type = bits === 8 ? "int8" : "int4";
  const pack = (all: Uint8Array): Uint8Array => {
    const bytes = all.map(level => signed(level) & (2 ** bits - 1));
    return bits === 8 ? bytes : packLevels(bytes, 4);
  };
  // The levels are read when the copy is written, or never where only its size is asked for.
  const stored = tensorMade(result("quantized"), type, layer.shape, () => pack(codes.levels()));
  const zeros = pack(Uint8Array.from(alphabets.zeroPoints));
  const scales = Float32Array.from(alphabets.steps);
  const inputs = [
    parts.store(stored),
    parts.store(tensor(result("scales"), "float32", [layer.neurons], scales)),
    parts.store(tensor(result("zero_points"), type, [layer.neurons], zeros)),
  ];
  const axis = neuronAxis(layer);
  if (axis === null)
    throw new Error(`${layer.name} counts neurons along several axes, which DequantizeLinear cannot.`);
  const output = parts.add(node("DequantizeLinear", inputs, result("dequantized"), [intOf("axis", axis)]));
  return { output, bytes: storedBytes(stored) + zeros.length + scales.byteLength };
}
