import { floatAttribute, intAttribute } from "../onnx/attributes";
import { changed, node } from "../onnx/build";
import type { NodeProto } from "../onnx/onnx_pb";
import { floatTensor } from "../onnx/floats";
import type { Layer } from "../graph/layers";
import type { CopyParts } from "./packed";

// x W + b with a stored matrix W: the layers that onnxruntime multiplies with as they are packed.

/** Why a layer is no such product, as a clause; undefined where it is one. */
export function whyNoProduct({ op, node: own, weightSlot, shape, bias }: Layer): string | undefined {
  if ((op !== "MatMul" && op !== "Gemm") || weightSlot !== 1 || shape.length !== 2)
    return "it is no product with a stored matrix on the right";
  if (op === "MatMul") return undefined;
  if (intAttribute(own, "transA", 0) !== 0 || floatAttribute(own, "alpha", 1) !== 1)
    return "it is a Gemm with transA or alpha";
  const hasBias = (own.input[2] ?? "") !== "";
  return hasBias && floatAttribute(own, "beta", 1) !== 1 && bias === null ? "it scales a computed bias" : undefined;
}

/**
 * A node that multiplies only, and an Add behind it for what a Gemm adds: its own bias, or a new one.
 *
 * A Gemm with its bias in it will not do in `qdq`: onnxruntime 1.26 and 1.30 make one node of it and the activation behind it
 * before they look at its weights, which are then unpacked at every run. An MLP of 784, 500, 300, 10 at 4 bits took 1.5 ms
 * so, and takes 0.04 with an Add.
 *
 * @param own  the layer's node.
 * @param bias name of a new bias that the layer itself adds; null where it keeps its own.
 */
export function multiplyThenAdd(
  layer: Layer,
  own: NodeProto,
  bias: string | null,
  multiply: (output: string, isSummed: boolean) => NodeProto,
  parts: CopyParts,
): NodeProto[] {
  const added = own.opType === "Gemm" ? (bias ?? ownBias(layer, parts)) : null;
  if (added === null) return [multiply(own.output[0]!, false)];
  const product = multiply(parts.name("w"), true);
  return [product, changed(node("Add", [product.output[0]!, added], own.output[0]!), { name: "" })];
}

/** What a Gemm adds to its product, by name; null for nothing. */
function ownBias({ node: own, bias, type }: Layer, parts: CopyParts): string | null {
  const name = own.input[2] ?? "";
  if (name === "") return null;
  if (floatAttribute(own, "beta", 1) === 1) return name;
  return parts.store(floatTensor(parts.name("b"), type, [bias!.length], bias!));
}
