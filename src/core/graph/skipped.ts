import { DataType, dataTypeName } from "../onnx/dataTypes";
import { isFloatType, largestOf } from "../onnx/floats";
import { bodiesOf, isOnnxDomain } from "../onnx/model";
import type { NodeProto, TensorProto } from "../onnx/onnx_pb";
import { elementCount, storedBytes } from "../onnx/tensors";
import { isQuantizing } from "./quantizing";
import { lastAlone, readersOf } from "./readers";
import { constantTensor, piecesOf, type StoredValue } from "./storedValues";
import { biasSlot } from "./storedWeights";
import { type GraphIndex, innerIndex } from "./uses";

/** Why a tensor is left as it is. */
export type SkipReason =
  | "bias"
  | "not-constant"
  | "overridable"
  | "shared"
  | "too-small"
  | "too-large"
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

/** Says of one tensor why it is left. */
export type Skip = (reason: SkipReason, detail: string) => Skipped;

export function skipOf(tensor: TensorProto): Skip {
  const bytes = storedBytes(tensor);
  return (reason, detail) => ({ tensor: tensor.name, reason, detail, bytes });
}

/** Why what a layer reads as its weight is none. */
export function notStored(name: string, { graph, producers }: GraphIndex): Skipped {
  const sparse = graph.sparseInitializer.find(one => one.values?.name === name);
  const producer = producers.get(name);
  if (producer && isQuantizing(producer)) {
    const detail = `Comes out of ${producer.opType}: quantized already, and kept as it is.`;
    return { tensor: name, reason: "already-quantized", detail, bytes: 0 };
  }
  if (!sparse) {
    const detail = "Computed when the model runs, so there is nothing stored to quantize.";
    return { tensor: name, reason: "not-constant", detail, bytes: 0 };
  }
  const detail = "Stored as a sparse tensor, which codes of a few bits would not make smaller.";
  return { tensor: name, reason: "unsupported-type", detail, bytes: storedBytes(sparse.values!) };
}

/** Under this many weights the scales and the new nodes take more bytes than the codes save. */
export const MIN_WEIGHTS = 32;
/** As float32 4 GiB. Arrays of JavaScript end at 8, and a layer is in memory several times over while it is fitted. */
const MAX_WEIGHTS = 2 ** 30;
/** The largest weight whose step still fits float32 in every alphabet, with room for the sums of a layer. */
const MAX_WEIGHT = 1e37;

/** What is said against quantizing a weight before its numbers are looked at, wherever it is used. */
export function refusal(weight: StoredValue, index: GraphIndex): Skipped | undefined {
  const skip = skipOf(weight.tensor);
  const { name } = weight.tensor;
  const type = dataTypeName(weight.tensor.dataType);
  if (!isFloatType(type) || !isFloatType(weight.type)) {
    const known = type ?? `type ${weight.tensor.dataType}`;
    return /int|float8|float4/.test(known)
      ? skip("already-quantized", `Stored as ${known}; kept as it is.`)
      : skip("unsupported-type", `Stored as ${known}, which is no float of 16, 32 or 64 bits.`);
  }
  if (index.inputs.has(name)) return skip("overridable", "Also a graph input: someone may feed another value.");
  if (index.outputs.has(lastAlone(weight, index).name))
    return skip("graph-output", "Also an output of the model, so its values must not change.");
  const count = elementCount(weight.tensor);
  if (count < MIN_WEIGHTS) {
    return skip("too-small", `${count} weights, under ${MIN_WEIGHTS}: scales and new nodes would eat the saving.`);
  }
  if (count > MAX_WEIGHTS)
    return skip(
      "too-large",
      `${count} weights, over ${MAX_WEIGHTS}: no layer of so many fits into memory at once.`,
    );
  return undefined;
}

/** What the numbers of a weight say against quantizing it. Its type is one of floats. */
export function unsound(weight: StoredValue): Skipped | undefined {
  const skip = skipOf(weight.tensor);
  if (!isFloatType(weight.type)) throw new Error(`"${weight.name}" holds no floats.`);
  let largest = 0;
  for (const piece of piecesOf(weight)) {
    for (const value of piece) {
      if (!Number.isFinite(value))
        return skip("not-finite", "Holds NaN or infinity, for which rounding has no meaning.");
      largest = Math.max(largest, Math.abs(value));
    }
  }
  // A step beyond the largest weight must still be a number of the type.
  const most = Math.min(MAX_WEIGHT, largestOf(weight.type) / 2);
  if (largest > most)
    return skip("out-of-range", `Holds a weight of ${largest}; sums of such weights overflow ${weight.type}.`);
  return undefined;
}

/** Tensors that Constant nodes hold, but for the small ones, which are shapes, axes and factors. */
export function constantTensors(index: GraphIndex): TensorProto[] {
  return index.nodes.flatMap(node => {
    const tensor = constantTensor(node);
    const isLarge = tensor && tensor.dataType !== DataType.int64 && elementCount(tensor) >= MIN_WEIGHTS;
    return isLarge ? [tensor] : [];
  });
}

/**
 * Why a tensor is left that no layer reads as its weight.
 *
 * @param biases names of the values that layers add to their sums.
 */
export function whyLeft(value: StoredValue, index: GraphIndex, biases: ReadonlySet<string>): Skipped {
  const { tensor } = value;
  const skip = skipOf(tensor);
  const { places, isOutput } = readersOf(value, index);
  const type = dataTypeName(tensor.dataType) ?? `type ${tensor.dataType}`;
  const [first] = places;
  if (!first) {
    return isOutput
      ? skip("graph-output", "An output of the model, so its values must not change.")
      : skip("unused", "No node of the graph reads it.");
  }
  const isBias = places.every(({ node, slot }) => slot >= 0 && isBiasAt(node, slot, biases));
  if (isBias || leadsToBiases(tensor.name, index, biases))
    return skip("bias", `Small, and rounding one shifts a whole output. Stays ${type}.`);
  if (isQuantizing(first.node))
    return skip("already-quantized", `Belongs to a ${first.node.opType}: quantized already, and kept as it is.`);
  if (!/^(float|bfloat)/.test(type)) return skip("unsupported-type", `Stored as ${type}; not a weight.`);
  return skip("unsupported-operator", `Whittle does not quantize what ${first.node.opType} uses.`);
}

/** Operators that cut numbers out of tensors and put them together, each staying as it is. */
const MOVING: readonly string[] = ["Slice", "Split", "Concat", "Unsqueeze", "Squeeze", "Reshape", "Transpose"];

/** Whether a value ends in biases alone: those of recurrent layers come in pieces, in another order of the gates. */
function leadsToBiases(name: string, index: GraphIndex, biases: ReadonlySet<string>): boolean {
  const seen = new Map<GraphIndex, Set<string>>();
  const waiting = [{ name, index }];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const { name, index } = at;
    const names = seen.get(index) ?? new Set();
    if (names.has(name)) continue;
    seen.set(index, names.add(name));
    if (index.outputs.has(name)) return false;
    for (const { node, slot } of index.uses.get(name) ?? []) {
      if (slot < 0) waiting.push(...bodiesOf(node).map(body => ({ name, index: innerIndex(body, index) })));
      else if (isOnnxDomain(node) && MOVING.includes(node.opType))
        waiting.push(...node.output.map(name => ({ name, index })));
      else if (!isBiasAt(node, slot, biases)) return false;
    }
  }
  return true;
}

function isBiasAt(node: NodeProto, slot: number, biases: ReadonlySet<string>): boolean {
  return biases.has(node.input[slot]!) || (isOnnxDomain(node) && slot === biasSlot(node.opType));
}
