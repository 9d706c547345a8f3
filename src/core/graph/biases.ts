import { floatAttribute } from "../onnx/attributes";
import type { FloatType } from "../onnx/floats";
import { isOnnxDomain } from "../onnx/model";
import type { NodeProto } from "../onnx/onnx_pb";
import { elementCount } from "../onnx/tensors";
import type { Layer } from "./layers";
import { storedValue, valuesOf } from "./storedValues";
import type { GraphIndex } from "./uses";

type Bias = Pick<Layer, "bias" | "biasAt">;

const NO_BIAS: Bias = { bias: null, biasAt: null };

/** The bias of a Gemm or Conv: its third input, which may be left out. */
export function ownBias(node: NodeProto, neurons: number, type: FloatType, index: GraphIndex): Bias {
  const name = node.input[2] ?? "";
  const biasAt = { node, slot: 2 };
  if (name === "") return { bias: null, biasAt };
  const values = storedFloats(name, type, neurons, index)?.values;
  const beta = node.opType === "Gemm" ? floatAttribute(node, "beta", 1) : 1;
  if (values?.length === 1) return { bias: new Float32Array(neurons).fill(beta * values[0]!), biasAt };
  return values?.length === neurons ? { bias: values.map(value => beta * value), biasAt } : NO_BIAS;
}

/** The stored vector that an Add behind a MatMul adds to every row, where the Add is all that reads the product. */
export function addedBias(node: NodeProto, neurons: number, type: FloatType, index: GraphIndex): Bias {
  const product = node.output[0] ?? "";
  const uses = index.uses.get(product) ?? [];
  const add = uses[0]?.node;
  if (uses.length !== 1 || index.outputs.has(product) || !add || !isOnnxDomain(add) || add.opType !== "Add")
    return NO_BIAS;
  const slot = add.input[0] === product ? 1 : 0;
  const stored = storedFloats(add.input[slot] ?? "", type, neurons, index);
  // A vector of any other shape is added along another axis, or makes the output larger.
  const alongNeurons = stored?.rank === 1 && stored.values.length === neurons;
  return alongNeurons ? { bias: stored.values, biasAt: { node: add, slot } } : NO_BIAS;
}

/** At most so many stored numbers of the layer's type; undefined where it is something else, or a caller may replace it. */
function storedFloats(
  name: string,
  type: FloatType,
  most: number,
  index: GraphIndex,
): { values: Float32Array; rank: number } | undefined {
  const stored = storedValue(name, index);
  if (stored?.type !== type || index.inputs.has(stored.tensor.name)) return undefined;
  if (elementCount(stored.tensor) > Math.max(1, most)) return undefined;
  return { values: valuesOf(stored), rank: stored.shape.length };
}
