import { floatAttribute, intAttribute } from "../onnx/attributes";
import { changed, tensorOf } from "../onnx/build";
import { dataTypeName } from "../onnx/dataTypes";
import { elsewhere } from "../onnx/bytes";
import { floatTensor, floatTensorMade, floatValues, isFloatType } from "../onnx/floats";
import { isOnnxDomain, type Model } from "../onnx/model";
import type { NodeProto, TensorProto } from "../onnx/onnx_pb";
import { dimsOf, elementCount } from "../onnx/tensors";
import { tensorAt } from "./storedValues";
import { type GraphIndex, indexModel, readNames } from "./uses";

// A BatchNormalization behind a layer multiplies each of its neurons by a number and adds another,
//
//   f (xW + b - mean) + shift,   f = scale / sqrt(variance + epsilon),
//
// which is the layer with the weights fW and the bias f (b - mean) + shift. Folding it in is exact but for float rounding. It
// gives the layer the bias that can take the mean of what rounding changes, and puts its errors on the scale the network sees.

/** One normalization that went into the layer before it, by the names of their nodes. */
export interface FoldedNorm {
  readonly batchNorm: string;
  readonly into: string;
}

/** A layer and the normalization that is alone behind it: factor and shift of every neuron, in double precision. */
interface Pair {
  readonly layer: NodeProto;
  readonly norm: NodeProto;
  readonly factors: Float64Array;
  readonly shifts: Float64Array;
}

/**
 * Folds every BatchNormalization that is alone behind a Conv or Gemm into it.
 *
 * @returns the same function with fewer nodes; the very model that was given where there is nothing to fold.
 */
export function foldBatchNorms(model: Model): { model: Model; folded: FoldedNorm[] } {
  const index = indexModel(model);
  const pairs = index.nodes.flatMap(norm => pairOf(norm, index) ?? []);
  if (pairs.length === 0) return { model, folded: [] };

  const layers = new Map(pairs.map(pair => [pair.layer, foldedNode(pair)]));
  const norms = new Set(pairs.map(pair => pair.norm));
  const tensors = new Map(pairs.flatMap(pair => foldedTensors(pair, index)).map(one => [one.name, one]));
  const held = (node: NodeProto): NodeProto => {
    const tensor = node.opType === "Constant" ? tensors.get(node.output[0]!) : undefined;
    return tensor ? changed(node, { attribute: [tensorOf("value", tensor)] }) : node;
  };
  const kept = model.graph.node.filter(one => !norms.has(one)).map(one => held(layers.get(one) ?? one));

  const read = new Set(kept.flatMap(readNames));
  const gone = new Set(
    pairs
      .flatMap(({ layer, norm }) => [...layer.input, ...norm.input, layer.output[0]!])
      .filter(one => !read.has(one)),
  );
  const graph = changed(model.graph, {
    node: kept.filter(one => one.opType !== "Constant" || !gone.has(one.output[0]!)),
    initializer: model.graph.initializer
      .filter(one => !gone.has(one.name))
      .map(one => tensors.get(one.name) ?? one),
    input: model.graph.input.filter(one => !gone.has(one.name)),
    valueInfo: model.graph.valueInfo.filter(one => !gone.has(one.name)),
  });
  const folded = pairs.map(({ layer, norm }) => ({
    batchNorm: norm.name || norm.output[0]!,
    into: layer.name || layer.output[0]!,
  }));
  return { model: changed(model, { graph }), folded };
}

function pairOf(norm: NodeProto, index: GraphIndex): Pair | null {
  if (norm.opType !== "BatchNormalization" || !isOnnxDomain(norm) || !infers(norm)) return null;
  const layer = index.nodes.find(one => one.output[0] === norm.input[0]);
  if (!layer || !isOnnxDomain(layer) || (layer.opType !== "Conv" && layer.opType !== "Gemm")) return null;
  const alone = (name: string): boolean => index.uses.get(name)?.length === 1 && !index.outputs.has(name);
  const stored = (name: string | undefined): TensorProto | null => {
    const found = tensorAt(name ?? "", index);
    return found && !index.inputs.has(found.name) && isFloatType(dataTypeName(found.dataType)) ? found : null;
  };
  const weight = stored(layer.input[1]);
  const [scale, shift, mean, variance] = norm.input.slice(1, 5).map(stored);
  if (!alone(layer.output[0]!) || !weight || !scale || !shift || !mean || !variance) return null;
  // The two that are replaced must be nobody else's.
  if (!alone(weight.name) || !alone(shift.name)) return null;

  const bias = layer.input[2] ? stored(layer.input[2]) : undefined;
  if (bias === null) return null;
  const neurons = Number(shift.dims[0]);
  const beta = layer.opType === "Gemm" ? floatAttribute(layer, "beta", 1) : 1;
  const own = bias ? valuesOf(bias).map(value => beta * value) : new Float32Array(neurons);
  if (own.length !== neurons || (bias && dimsOf(bias).at(-1) !== neurons)) return null;
  if (dimsOf(weight)[neuronAxis(layer)] !== neurons) return null;

  const epsilon = floatAttribute(norm, "epsilon", 1e-5);
  const [scales, offsets, means, variances] = [scale, shift, mean, variance].map(valuesOf) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const factors = Float64Array.from(scales, (value, j) => value / Math.sqrt(variances[j]! + epsilon));
  const shifts = Float64Array.from(offsets, (value, j) => factors[j]! * (own[j]! - means[j]!) + value);
  return [...factors, ...shifts].every(Number.isFinite) ? { layer, norm, factors, shifts } : null;
}

/** Whether the node uses its stored statistics, one for each channel; the attributes that say otherwise are of many opsets. */
function infers(norm: NodeProto): boolean {
  const trains = intAttribute(norm, "training_mode", 0) !== 0 || norm.output.slice(1).some(name => name !== "");
  return !trains && intAttribute(norm, "spatial", 1) === 1;
}

/** Axis of the stored weight that counts neurons. */
function neuronAxis(layer: NodeProto): number {
  return layer.opType === "Conv" || intAttribute(layer, "transB", 0) === 1 ? 0 : 1;
}

/** The layer, with the shift of the normalization as its bias, and its output under the name the network goes on with. */
function foldedNode({ layer, norm }: Pair): NodeProto {
  return changed(layer, {
    input: [layer.input[0]!, layer.input[1]!, norm.input[2]!],
    output: [norm.output[0]!],
    // Whatever beta said about the old bias counts in the new one already.
    attribute: layer.attribute.filter(one => one.name !== "beta"),
  });
}

/** Weights and bias, under the names of the old weights and of the shift. */
function foldedTensors({ layer, norm, factors, shifts }: Pair, index: GraphIndex): TensorProto[] {
  const weight = tensorAt(layer.input[1]!, index)!;
  const dims = dimsOf(weight);
  const type = floatType(weight);
  const ofOneNeuron = neuronAxis(layer) === 0 ? elementCount(weight) / factors.length : 1;
  const scaled = () => {
    const values = valuesOf(weight);
    return (from: number, to: number): Float32Array =>
      values
        .subarray(from, to)
        .map((value, k) => value * factors[Math.floor((from + k) / ofOneNeuron) % factors.length]!);
  };
  return [
    // Of a large weight the products are made when they are asked for, from where it lies.
    elsewhere(weight)
      ? floatTensorMade(weight.name, type, dims, scaled)
      : floatTensor(weight.name, type, dims, scaled()(0, elementCount(weight))),
    floatTensor(norm.input[2]!, floatType(weight), [shifts.length], Float32Array.from(shifts)),
  ];
}

function valuesOf(tensor: TensorProto): Float32Array {
  return floatValues(tensor, floatType(tensor));
}

function floatType(tensor: TensorProto) {
  const type = dataTypeName(tensor.dataType);
  if (!isFloatType(type)) throw new Error(`"${tensor.name}" holds no floats.`);
  return type;
}
