import { intAttribute } from "../onnx/attributes";
import { isOnnxDomain } from "../onnx/model";
import type { NodeProto } from "../onnx/onnx_pb";
import { type StoredValue, storedValue } from "./storedValues";
import type { GraphIndex, Use } from "./uses";

// Weights that are rounded as they are stored, since Whittle does not see what they meet: tables that are looked up, recurrent
// layers, convolutions along one axis or three, products the other way round.

export type RoundedOp = "Gemm" | "MatMul" | "Conv" | "ConvTranspose" | "Gather" | "LSTM" | "GRU" | "RNN";

/** How a weight is read: as [neurons, inputs] or [inputs, neurons], with an alphabet a neuron. */
export interface WeightLayout {
  readonly op: RoundedOp;
  readonly shape: readonly number[];
  readonly neurons: number;
  readonly inputs: number;
  readonly neuronsFirst: boolean;
}

/** A weight of a node. */
export interface StoredWeight {
  readonly value: StoredValue;
  readonly slot: number;
  /** Added to the node's name where it has several weights. */
  readonly title: string;
  readonly layout: WeightLayout;
}

/** Axes that count neurons: so many at the front, or the last. */
type Neurons = number | "last";

/** By operator and input: which axes of a weight of such a shape count neurons; null where it is none. */
const PLACES: Readonly<Record<RoundedOp, readonly ((node: NodeProto, rank: number) => Neurons | null)[]>> = {
  // A row of a table is a neuron. Along other axes, and from lists, it is shapes that are looked up.
  Gather: [(node, rank) => (rank === 2 && intAttribute(node, "axis", 0) === 0 ? 1 : null)],
  MatMul: [(_, rank) => (rank >= 2 ? rank - 1 : null), (_, rank) => (rank >= 2 ? "last" : null)],
  Gemm: [
    node => (intAttribute(node, "transA", 0) === 0 ? 1 : "last"),
    node => (intAttribute(node, "transB", 0) === 0 ? "last" : 1),
  ],
  Conv: [() => null, (_, rank) => (rank >= 3 ? 1 : null)],
  // Stored [channels in, channels out, …]: an alphabet for each channel that comes in.
  ConvTranspose: [() => null, (_, rank) => (rank >= 3 ? 1 : null)],
  // [directions, gates * hidden, …] of the input and of the state.
  LSTM: [() => null, recurrent, recurrent],
  GRU: [() => null, recurrent, recurrent],
  RNN: [() => null, recurrent, recurrent],
};

function recurrent(_: NodeProto, rank: number): Neurons | null {
  return rank === 3 ? 2 : null;
}

/** How a weight of such a shape would be read at this input of a node; undefined where it is none. */
export function layoutAt({ node, slot }: Use, shape: readonly number[]): WeightLayout | undefined {
  if (!isOnnxDomain(node) || !isRounded(node.opType)) return undefined;
  const axes = PLACES[node.opType][slot]?.(node, shape.length) ?? null;
  if (axes === null) return undefined;
  const split = axes === "last" ? shape.length - 1 : axes;
  const [front, back] = [product(shape.slice(0, split)), product(shape.slice(split))];
  const [neurons, inputs] = axes === "last" ? [back, front] : [front, back];
  return { op: node.opType, shape, neurons, inputs, neuronsFirst: axes !== "last" };
}

export function isRecurrent({ opType }: NodeProto): boolean {
  return opType === "LSTM" || opType === "GRU" || opType === "RNN";
}

/** Where an operator's bias is, the numbers that are added to its sums; undefined where it has none. */
export function biasSlot(op: string): number | undefined {
  if (op === "LSTM" || op === "GRU" || op === "RNN") return 3;
  return op === "Gemm" || op === "Conv" || op === "ConvTranspose" ? 2 : undefined;
}

/** The stored weights of a node; none where it is of another operator, or all it reads is computed. */
export function storedWeights(node: NodeProto, index: GraphIndex): StoredWeight[] {
  if (!isOnnxDomain(node) || !isRounded(node.opType)) return [];
  const found = PLACES[node.opType].flatMap((_, slot): StoredWeight[] => {
    const value = storedValue(node.input[slot] ?? "", index);
    const layout = value && layoutAt({ node, slot }, value.shape);
    return layout ? [{ value, slot, title: "", layout }] : [];
  });
  // Two stored tensors that are multiplied with each other are a constant, and no layer.
  if ((node.opType === "MatMul" || node.opType === "Gemm") && found.length > 1) return [];
  return found.length > 1 ? found.map(one => ({ ...one, title: one.slot === 1 ? " W" : " R" })) : found;
}

function isRounded(op: string): op is RoundedOp {
  return Object.hasOwn(PLACES, op);
}

function product(dims: readonly number[]): number {
  return dims.reduce((all, dim) => all * dim, 1);
}
