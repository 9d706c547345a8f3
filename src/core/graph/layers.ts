import { floatAttribute, intAttribute } from "../onnx/attributes";
import { type FloatType, isFloatType } from "../onnx/floats";
import { isOnnxDomain, type Model } from "../onnx/model";
import type { NodeProto } from "../onnx/onnx_pb";
import { storedBytes } from "../onnx/tensors";
import { addedBias, ownBias } from "./biases";
import { sharedWeight } from "./sharedWeights";
import { type Home, nestedHomes } from "./nested";
import {
  constantTensors,
  notStored,
  refusal,
  skipOf,
  type Skipped,
  type SkipReason,
  unsound,
  whyLeft,
} from "./skipped";
import { storedValue, type StoredValue } from "./storedValues";
import { type RoundedOp, type StoredWeight, storedWeights } from "./storedWeights";
import { type GraphIndex, indexModel, innerIndex } from "./uses";
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
  /** The weight as the node reads it, which may be the stored one turned over, reshaped or cast. */
  readonly value: StoredValue;
  /** What the layer computes in. */
  readonly type: FloatType;
  /** Of the weight as it is stored. */
  readonly bytes: number;
  /** Whether more than this node reads the weight, or a nested graph does: then all of them go on reading its old name. */
  readonly shared: boolean;
  /** Places that read the weight. */
  readonly readers: number;
  /** Where the weight is stored, if that is a graph nested in a node or a function. */
  readonly home: Home | null;
  /** Whether a nested graph or a function uses the weight. */
  readonly nested: boolean;
  /** The nodes of the graph that look up rows of the weight as it is. */
  readonly lookUps: readonly NodeProto[];
  /** Which input of the node it is. */
  readonly weightSlot: number;
  readonly shape: readonly number[];
  /** Inputs of a neuron, n; for Conv channels / groups * kernel height * kernel width. */
  readonly inputs: number;
  /** Neurons of all groups. */
  readonly neurons: number;
  readonly groups: number;
  /**
   * Whether the weight is [neurons, inputs] (Conv, Gemm with transB) or [inputs, neurons]; either may be several axes of
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

export function weightCount({ inputs, neurons }: Layer): number {
  return inputs * neurons;
}

/**
 * Finds the layers of a model, in execution order, and says of every other tensor with weights why it is left alone.
 *
 * @param mostBytes of weights to look at for values that cannot be quantized; those beyond are taken for sound.
 * @throws {Failure} `model-invalid` where the graph is not one.
 */
export function findLayers(
  model: Model,
  mostBytes = Infinity,
): { index: GraphIndex; layers: Layer[]; skipped: Skipped[] } {
  let bytesLeft = mostBytes;
  const lookedAt = (found: Layer | Skipped): Layer | Skipped => {
    if ("reason" in found || (bytesLeft -= found.bytes) < 0) return found;
    return unsound(found.value) ?? found;
  };
  const index = indexModel(model);
  const layers: Layer[] = [];
  const skipped: Skipped[] = [];
  const taken = new Set<string>();
  const places = new Map(index.nodes.map((node, place) => [node, place]));
  const titleOf = (node: NodeProto): string => node.name || `${node.opType}_${places.get(node) ?? "nested"}`;
  for (const node of index.nodes) {
    for (const found of foundIn(node, index, titleOf, taken).map(lookedAt)) {
      if (!("reason" in found)) layers.push(found);
      else if (!taken.has(found.tensor)) skipped.push(found);
      taken.add(found.tensor);
    }
  }
  const biases = new Set(layers.flatMap(({ biasAt }) => (biasAt ? (biasAt.node.input[biasAt.slot] ?? []) : [])));
  const rest = (within: GraphIndex, home: Home | null): void => {
    for (const tensor of [...within.initializers.values(), ...constantTensors(within)]) {
      if (home === null && taken.has(tensor.name)) continue;
      const value = storedValue(tensor.name, within)!;
      const found = lookedAt(sharedWeight(value, within, titleOf, home) ?? whyLeft(value, within, biases));
      if ("reason" in found) skipped.push(found);
      else layers.push(found);
    }
  };
  rest(index, null);
  for (const home of nestedHomes(model)) rest(innerIndex(home, index), home);
  return { index, layers: withUniqueNames(layers), skipped };
}

function isLayerNode(node: NodeProto): boolean {
  return isOnnxDomain(node) && (node.opType === "Gemm" || node.opType === "MatMul" || node.opType === "Conv");
}

/** Reasons that speak of how a weight is used, where it may still be rounded as it is stored. */
const OF_USE: readonly SkipReason[] = ["unsupported-shape", "unsupported-attributes", "not-constant"];

/** @param taken names of stored tensors that were found before. */
function foundIn(
  node: NodeProto,
  index: GraphIndex,
  titleOf: (node: NodeProto) => string,
  taken: ReadonlySet<string>,
): (Layer | Skipped)[] {
  const isNew = (value: StoredValue): boolean => !taken.has(value.tensor.name);
  const weights = storedWeights(node, index);
  const shared = weights
    .map(weight => weight.value)
    .filter(isNew)
    .flatMap(value => sharedWeight(value, index, titleOf) ?? []);
  const of = new Set([...taken, ...shared.map(one => one.tensor)]);
  const own = weights.filter(({ value }) => !of.has(value.tensor.name));
  // A weight that others use too is no matter of this node alone.
  if (weights.length > 0 && own.length === 0) return shared;
  const fitted = isLayerNode(node) ? layerOf(node, titleOf(node), index) : undefined;
  if (fitted && !("reason" in fitted && OF_USE.includes(fitted.reason))) return [...shared, fitted];
  const rounded = own.map(weight => roundedLayer(weight, node, titleOf(node), index));
  return [...shared, ...(rounded.length > 0 ? rounded : fitted ? [fitted] : [])];
}

/** A weight of one node that is rounded as it is stored. */
function roundedLayer(
  { value, slot, title, layout }: StoredWeight,
  node: NodeProto,
  name: string,
  index: GraphIndex,
): Layer | Skipped {
  const refused = refusal(value, index);
  return (
    refused ?? {
      ...ofValue(value),
      ...layout,
      name: `${name}${title}`,
      node,
      weightSlot: slot,
      lookUps: layout.op === "Gather" ? [node] : [],
      groups: 1,
      input: null,
      window: null,
      bias: null,
      biasAt: null,
    }
  );
}

/** What a weight of one node says of its layer, once nothing speaks against quantizing it. */
function ofValue(value: StoredValue) {
  if (!isFloatType(value.type)) throw new Error(`"${value.name}" holds no floats.`);
  const { tensor, type } = value;
  return {
    tensor: tensor.name,
    value,
    type,
    bytes: storedBytes(tensor),
    shared: false,
    readers: 1,
    home: null,
    nested: false,
  };
}

function layerOf(node: NodeProto, title: string, index: GraphIndex): Layer | Skipped {
  const name = node.input[1] ?? "";
  const value = storedValue(name, index);
  if (value === undefined) return notStored(name, index);
  const refused = refusal(value, index);
  if (refused) return refused;

  const skip = skipOf(value.tensor);
  const { shape } = value;
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
  if (storedValue(input, index)) return skip("unsupported-operator", `${title} multiplies two stored tensors.`);

  const window = op === "Conv" ? windowOf(node, shape) : null;
  const neuronsFirst = op === "Conv" || (op === "Gemm" && intAttribute(node, "transB", 0) !== 0);
  const neurons = neuronsFirst ? shape[0]! : shape[1]!;
  const inputs = neuronsFirst ? shape.slice(1).reduce((product, dim) => product * dim, 1) : shape[0]!;
  const groups = window?.groups ?? 1;
  if (groups < 1 || neurons % groups !== 0)
    return skip("unsupported-shape", `${title} has ${neurons} neurons in ${groups} groups.`);
  const own = ofValue(value);
  const biasOf = op === "MatMul" ? addedBias : ownBias;
  const { bias, biasAt } = biasOf(node, neurons, own.type, index);
  return {
    ...own,
    name: title,
    op,
    node,
    lookUps: [],
    weightSlot: 1,
    shape,
    inputs,
    neurons,
    groups,
    neuronsFirst,
    // onnxruntime hands out no values of bfloat16, so there is nothing to fit to.
    input: own.type === "bfloat16" ? null : input,
    window,
    bias,
    biasAt: own.type === "bfloat16" ? null : biasAt,
  };
}

function withUniqueNames(layers: readonly Layer[]): Layer[] {
  const seen = new Map<string, number>();
  return layers.map(layer => {
    const count = seen.get(layer.name) ?? 0;
    seen.set(layer.name, count + 1);
    return count === 0 ? layer : { ...layer, name: `${layer.name}#${count + 1}` };
  });
}
