import type { NodeProto } from "../onnx/onnx_pb";

/** Operators that compute with weights of few bits, or make floats of them. */
const QUANTIZING =
  /^(DequantizeLinear|QuantizeLinear|DynamicQuantizeLinear|MatMulNBits|MatMulBnb4|GatherBlockQuantized|QLinear\w+|QAttention|QGemm|QEmbed\w+|\w*Integer\w*)$/;

export function isQuantizing({ opType }: NodeProto): boolean {
  return QUANTIZING.test(opType);
}

/** How often a model holds each operator of quantization; none where it is not quantized. */
export function quantizedBy(nodes: readonly NodeProto[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const node of nodes) if (isQuantizing(node)) counts.set(node.opType, (counts.get(node.opType) ?? 0) + 1);
  return Object.fromEntries(counts);
}
