import { floatAttribute, intAttribute } from "../onnx/attributes";
import { DataType, dataTypeName } from "../onnx/dataTypes";
import { isOnnxDomain, type Model } from "../onnx/model";
import type { NodeProto, TensorProto } from "../onnx/onnx_pb";
import { dimsOf, float32Values, storedBytes } from "../onnx/tensors";
import { biasSlot, type RoundedOp, storedWeights } from "./storedWeights";
import { type GraphIndex, indexGraph } from "./uses";
import { type Window, windowOf } from "./window";

export type LayerOp = "Gemm" | "MatMul" | "Conv" | RoundedOp;

/** A node whose weights can be quantized: y = x W + b for each of its groups, or rows of W looked up (Gather). */
export interface Layer {
  /** The node's name, or a stable one from its operator and place where it has none. */
  readonly name: string;
  readonly op: LayerOp;
  readonly node: NodeProto;
  /** Name of the stored weight. */
  readonly tensor: string;
  /** Which input of the node it is. */
  readonly weightSlot: number;
  readonly shape: readonly number[];
  /** Inputs of a neuron, n; for Conv channels / groups * kernel height * kernel width. */
  readonly inputs: number;
  /** Neurons of all groups. */
  readonly neurons: number;
  readonly groups: number;
  /**
   * Whether the stored weight is [neurons, inputs] (Conv, Gemm with transB) or [inputs, neurons]; either may be several axes of
   * its shape.
   */
  readonly neuronsFirst: boolean;
  /** Name of the activation the layer reads; null where its weights meet none, so that there is no data to fit to. */
  readonly input: string | null;
  readonly window: Window | null;
  /** The bias, [neurons], where it is stored. */
  readonly bias: Float32Array | null;
  /**
   * Which input of which node is the bias, or could be one: of the layer itself, or of the Add behind a MatMul. Null where the
   * layer cannot have one.
   */
  readonly biasAt: { readonly node: NodeProto; readonly slot: number } | null;
}

/** Why a tensor is left as it is. */
export type SkipReason =
  | "bias"
  | "not-constant"
  | "overridable"
  | "shared"
  | "too-small"
  | "not-finite"
  | "out-of-range"
  | "unsupported-operator"
  | "unsupported-attributes"
  | "unsupported-shape"
  | "unsupported-type"
  | "already-quantized"
  | "graph-output"
  | "unused"
  | "excluded";

export interface Skipped {
  readonly tensor: string;
  readonly reason: SkipReason;
  /** One sentence for the user. */
  readonly detail: string;
  readonly bytes: number;
}

/** Under this many weights the scales and the new nodes take more bytes than the codes save. */
const MIN_WEIGHTS = 32;
/** The largest weight whose step still fits float32 in every alphabet, with room for the sums of a layer. */
const MAX_WEIGHT = 1e37;

/**
 * Finds the layers of a model, in execution order, and says of every other tensor with weights why it is left alone.
 *
 * @throws {Failure} `model-invalid` where the graph is not one.
 */
export function findLayers(model: Model): { index: GraphIndex; layers: Layer[]; skipped: Skipped[] } {
  const index = indexGraph(model.graph);
  const layers: Layer[] = [];
  const skipped: Skipped[] = [];
  const taken = new Set<string>();
  index.nodes.forEach((node, place) => {
    for (const found of foundIn(node, place, index, model)) {
      if (!("reason" in found)) layers.push(found);
      else if (!taken.has(found.tensor)) skipped.push(found);
      taken.add(found.tensor);
    }
  });
  const biases = new Set(layers.flatMap(({ biasAt }) => (biasAt ? (biasAt.node.input[biasAt.slot] ?? []) : [])));
  for (const tensor of model.graph.initializer) {
    if (!taken.has(tensor.name)) skipped.push(whyLeft(tensor, index, biases));
  }
  return { index, layers: withUniqueNames(layers), skipped };
}

function isLayerNode(node: NodeProto): boolean {
  return isOnnxDomain(node) && (node.opType === "Gemm" || node.opType === "MatMul" || node.opType === "Conv");
}

/** Reasons that speak of how a weight is used, where it may still be rounded as it is stored. */
const OF_USE: readonly SkipReason[] = ["unsupported-shape", "unsupported-attributes", "not-constant"];

function foundIn(node: NodeProto, place: number, index: GraphIndex, model: Model): (Layer | Skipped)[] {
  const fitted = isLayerNode(node) ? layerOf(node, place, index, model) : undefined;
  if (fitted && !("reason" in fitted && OF_USE.includes(fitted.reason))) return [fitted];
  const rounded = storedWeights(node, index).map(({ slot, title, ...weight }): Layer | Skipped => {
    const tensor = index.initializers.get(node.input[slot]!)!;
    const bytes = storedBytes(tensor);
    const refused = refusal(tensor, index, model, (reason, detail) => ({
      tensor: tensor.name,
      reason,
      detail,
      bytes,
    }));
    if (refused) return refused;
    const own = {
      name: `${node.name || `${node.opType}_${place}`}${title}`,
      node,
      tensor: tensor.name,
      weightSlot: slot,
    };
    return { ...own, ...weight, groups: 1, input: null, window: null, bias: null, biasAt: null };
  });
  return rounded.length > 0 ? rounded : fitted ? [fitted] : [];
}

function layerOf(node: NodeProto, place: number, index: GraphIndex, model: Model): Layer | Skipped {
  const name = node.input[1] ?? "";
  const weight = index.initializers.get(name);
  const title = node.name || `${node.opType}_${place}`;
  const skip = (reason: SkipReason, detail: string): Skipped => ({
    tensor: name,
    reason,
    detail,
    bytes: weight ? storedBytes(weight) : 0,
  });
  if (weight === undefined)
    return skip("not-constant", "Computed when the model runs, so there is nothing stored to quantize.");
  const refused = refusal(weight, index, model, skip);
  if (refused) return refused;

  const shape = dimsOf(weight);
  const op = node.opType as LayerOp;
  if (op === "Gemm" && (intAttribute(node, "transA", 0) !== 0 || floatAttribute(node, "alpha", 1) !== 1)) {
    return skip("unsupported-attributes", `${title} is a Gemm with transA or alpha, which is not handled yet.`);
  }
  const rank = op === "Conv" ? 4 : 2;
  if (shape.length !== rank) {
    return skip(
      "unsupported-shape",
      `${title} has a weight of ${shape.length} dimensions; only ${rank} are handled for ${op} yet.`,
    );
  }
  const input = node.input[0] ?? "";
  if (index.initializers.has(input)) return skip("unsupported-operator", `${title} multiplies two stored tensors.`);

  const window = op === "Conv" ? windowOf(node, shape) : null;
  const neuronsFirst = op === "Conv" || (op === "Gemm" && intAttribute(node, "transB", 0) !== 0);
  const neurons = neuronsFirst ? shape[0]! : shape[1]!;
  const inputs = neuronsFirst ? shape.slice(1).reduce((product, dim) => product * dim, 1) : shape[0]!;
  const groups = window?.groups ?? 1;
  if (groups < 1 || neurons % groups !== 0)
    return skip("unsupported-shape", `${title} has ${neurons} neurons in ${groups} groups.`);
  const { bias, biasAt } = op === "MatMul" ? addedBias(node, neurons, index) : ownBias(node, neurons, index);
  return {
    name: title,
    op,
    node,
    tensor: name,
    weightSlot: 1,
    shape,
    inputs,
    neurons,
    groups,
    neuronsFirst,
    input,
    window,
    bias,
    biasAt,
  };
}

/** What the stored tensor itself says against quantizing it. */
function refusal(
  weight: TensorProto,
  index: GraphIndex,
  model: Model,
  skip: (reason: SkipReason, detail: string) => Skipped,
): Skipped | undefined {
  const type = dataTypeName(weight.dataType) ?? `type ${weight.dataType}`;
  if (weight.dataType !== DataType.float32) {
    return /int|float8|float4/.test(type)
      ? skip("already-quantized", `Stored as ${type}; kept as it is.`)
      : skip("unsupported-type", `Stored as ${type}; only float32 is handled yet.`);
  }
  // Before IR 4 every initializer had to be listed among the inputs; since then being there means a caller may feed another value.
  if (index.inputs.has(weight.name) && model.irVersion >= 4n) {
    return skip("overridable", "Also a graph input: someone may feed another value.");
  }
  if (index.outputs.has(weight.name))
    return skip("graph-output", "Also an output of the model, so its values must not change.");
  if ((index.uses.get(weight.name)?.length ?? 0) > 1)
    return skip("shared", "Used by several nodes; shared weights are not handled yet.");
  const values = float32Values(weight);
  if (values.length < MIN_WEIGHTS) {
    return skip(
      "too-small",
      `${values.length} weights, under ${MIN_WEIGHTS}: scales and new nodes would eat the saving.`,
    );
  }
  let largest = 0;
  for (const value of values) {
    if (!Number.isFinite(value))
      return skip("not-finite", "Holds NaN or infinity, for which rounding has no meaning.");
    largest = Math.max(largest, Math.abs(value));
  }
  if (largest > MAX_WEIGHT)
    return skip("out-of-range", `Holds a weight of ${largest}; sums of such weights overflow float32.`);
  return undefined;
}

type Bias = Pick<Layer, "bias" | "biasAt">;

const NO_BIAS: Bias = { bias: null, biasAt: null };

/** The bias of a Gemm or Conv: its third input, which may be left out. */
function ownBias(node: NodeProto, neurons: number, index: GraphIndex): Bias {
  const name = node.input[2] ?? "";
  const biasAt = { node, slot: 2 };
  if (name === "") return { bias: null, biasAt };
  const values = storedVector(name, index);
  const beta = node.opType === "Gemm" ? floatAttribute(node, "beta", 1) : 1;
  if (values?.length === 1) return { bias: new Float32Array(neurons).fill(beta * values[0]!), biasAt };
  return values?.length === neurons ? { bias: values.map(value => beta * value), biasAt } : NO_BIAS;
}

/** The stored vector that an Add behind a MatMul adds to every row, where the Add is all that reads the product. */
function addedBias(node: NodeProto, neurons: number, index: GraphIndex): Bias {
  const product = node.output[0] ?? "";
  const uses = index.uses.get(product) ?? [];
  const add = uses[0]?.node;
  if (uses.length !== 1 || index.outputs.has(product) || !add || !isOnnxDomain(add) || add.opType !== "Add")
    return NO_BIAS;
  const slot = add.input[0] === product ? 1 : 0;
  const tensor = index.initializers.get(add.input[slot] ?? "");
  const values = storedVector(add.input[slot] ?? "", index);
  // A vector of any other shape is added along another axis, or makes the output larger.
  const alongNeurons = tensor !== undefined && dimsOf(tensor).length === 1 && values?.length === neurons;
  return alongNeurons ? { bias: values, biasAt: { node: add, slot } } : NO_BIAS;
}

/** A stored float32 tensor; null where it is something else, or a caller may replace it. */
function storedVector(name: string, index: GraphIndex): Float32Array | null {
  const stored = index.initializers.get(name);
  return stored?.dataType === DataType.float32 && !index.inputs.has(name) ? float32Values(stored) : null;
}

function whyLeft(tensor: TensorProto, index: GraphIndex, biases: ReadonlySet<string>): Skipped {
  const uses = index.uses.get(tensor.name) ?? [];
  const bytes = storedBytes(tensor);
  const left = (reason: SkipReason, detail: string): Skipped => ({ tensor: tensor.name, reason, detail, bytes });
  const type = dataTypeName(tensor.dataType) ?? `type ${tensor.dataType}`;
  const user = uses[0]?.node;
  if (!user) return left("unused", "No node of the graph reads it.");
  if (biases.has(tensor.name) || (isOnnxDomain(user) && uses.every(use => use.slot === biasSlot(user.opType))))
    return left("bias", `Small, and rounding one shifts a whole output. Stays ${type}.`);
  if (!/^(float|bfloat)/.test(type)) return left("unsupported-type", `Stored as ${type}; not a weight.`);
  return left("unsupported-operator", `Whittle does not quantize what ${user.opType} uses.`);
}

function withUniqueNames(layers: readonly Layer[]): Layer[] {
  const seen = new Map<string, number>();
  return layers.map(layer => {
    const count = seen.get(layer.name) ?? 0;
    seen.set(layer.name, count + 1);
    return count === 0 ? layer : { ...layer, name: `${layer.name}#${count + 1}` };
  });
}
