import { intAttribute } from "../onnx/attributes";
import { changed } from "../onnx/build";
import { isOnnxDomain, type Model } from "../onnx/model";
import type { NodeProto, TensorProto } from "../onnx/onnx_pb";
import { dimsOf } from "../onnx/tensors";
import { isGraph, nestedHomes } from "./nested";
import { ancestorsOf, constantNodes } from "./segments";
import { constantTensor } from "./storedValues";
import { type GraphIndex, indexModel, innerIndex } from "./uses";

// What the nodes of a model read of what is stored with it, whoever wrote the file: plain tensors, tensors that other nodes make
// floats of first (DequantizeLinear, tables), and codes that a node multiplies with or looks up as they are. Two models are
// compared by these values, not by how they are stored.

/** How a node is asked for the weight it holds: the rows of an identity to multiply, or the numbers of all rows to look up. */
export interface Probe {
  readonly kind: "identity" | "rows";
  /** Name of the input that takes them. */
  readonly input: string;
  readonly count: number;
}

/** A stored value that a node reads. */
export interface ReadValue {
  readonly name: string;
  /** The nodes that make it of stored tensors, in execution order; none where the tensor is read as it is. */
  readonly nodes: readonly NodeProto[];
  readonly tensors: readonly TensorProto[];
  readonly probe: Probe | null;
  /** Whether its axes are the other way round than those of the weight [inputs, neurons] of a product. */
  readonly turned: boolean;
}

/** A node that computes when the model runs, and what it reads of what is stored. */
export interface Reading {
  readonly node: NodeProto;
  /** Its operator; of one that takes codes, the operator it stands for. */
  readonly op: string;
  /** By the slot they have in that operator. */
  readonly values: ReadonlyMap<number, ReadValue>;
}

/** Operators with weights, and the slots of these. */
export const WEIGHT_SLOTS: Readonly<Record<string, readonly number[]>> = {
  MatMul: [0, 1],
  Conv: [1],
  ConvTranspose: [1],
  Gather: [0],
  LSTM: [1, 2],
  GRU: [1, 2],
  RNN: [1, 2],
};

/** Operators that are compared with each other: a copy may have another in the place of the first. */
const STANDS_FOR: Readonly<Record<string, string>> = {
  Gemm: "MatMul",
  MatMulNBits: "MatMul",
  GatherBlockQuantized: "Gather",
};

/** Of a product, and of a convolution. */
export const BIAS_SLOT = 2;

/** The nodes of a model, those of nested graphs and of functions too, but for those that only make values of stored tensors. */
export function readings(model: Model): Reading[] {
  const own = indexModel(model);
  const inner = nestedHomes(model).map(home => {
    const index = innerIndex(home, own);
    return isGraph(home) ? seenFromWithin(index, own) : index;
  });
  return [own, ...inner].flatMap(index => readingsIn(index));
}

/** Names of the tensors that several values are made of, such as a table of what codes stand for. */
export function commonTensors(found: readonly Reading[]): Set<string> {
  const values = new Map<string, Set<string>>();
  for (const value of found.flatMap(one => [...one.values.values()])) {
    for (const { name } of value.tensors) values.set(name, (values.get(name) ?? new Set()).add(value.name));
  }
  return new Set([...values].filter(([, names]) => names.size > 1).map(([name]) => name));
}

/** A nested graph reads values of the graph around it, too. */
function seenFromWithin(inner: GraphIndex, outer: GraphIndex): GraphIndex {
  return {
    ...inner,
    initializers: new Map([...outer.initializers, ...inner.initializers]),
    producers: new Map([...outer.producers, ...inner.producers]),
    nodes: [...outer.nodes, ...inner.nodes],
  };
}

function readingsIn(index: GraphIndex): Reading[] {
  const constants = constantNodes(index);
  const own = new Set(index.graph.node);
  const madeBy = new Set([...constants].flatMap(node => node.output));
  const isStored = (name: string): boolean => index.initializers.has(name) || madeBy.has(name);
  const valueOf = (name: string, more: readonly NodeProto[] = [], probe: Probe | null = null): ReadValue => {
    const read = more.length > 0 ? more.flatMap(node => node.input).filter(isStored) : [name];
    const behind = ancestorsOf(read, index);
    const nodes = index.nodes.filter(node => behind.has(node) && !constantTensor(node));
    const names = new Set([name, ...[...nodes, ...more].flatMap(node => node.input)]);
    const tensors = [...names].flatMap(one => {
      const producer = index.producers.get(one);
      return index.initializers.get(one) ?? (producer && constantTensor(producer)) ?? [];
    });
    return { name, nodes: [...nodes, ...more], tensors, probe, turned: false };
  };

  const claimed = new Set<NodeProto>();
  const found: Reading[] = [];
  for (const node of index.nodes.filter(one => own.has(one) && !constants.has(one))) {
    const op = STANDS_FOR[node.opType] ?? node.opType;
    const values = new Map<number, ReadValue>();
    const lookUp = lookedUp(node, index, isStored);
    if (lookUp) {
      lookUp.nodes.forEach(one => claimed.add(one));
      values.set(0, valueOf(node.output[0]!, lookUp.nodes, lookUp.probe));
      // The look-up of the codes, with what the whole of it makes.
      found.push({ node: changed(lookUp.nodes[0]!, { output: node.output }), op: "Gather", values });
      continue;
    }
    const probe = probeOf(node, index);
    if (probe) values.set(WEIGHT_SLOTS[op]!.at(-1)!, valueOf(node.output[0]!, [node], probe));
    else
      for (const [slot, name] of node.input.entries()) {
        if (name !== "" && isStored(name)) values.set(slot, { ...valueOf(name), turned: isTurned(node, slot) });
      }
    const added = op === "MatMul" && !values.has(BIAS_SLOT) ? addedTo(node, index, isStored) : undefined;
    if (added) {
      claimed.add(added.node);
      values.set(BIAS_SLOT, valueOf(added.name));
    }
    found.push({ node, op, values });
  }
  return found.filter(({ node }) => !claimed.has(node));
}

function isTurned(node: NodeProto, slot: number): boolean {
  return node.opType === "Gemm" && slot === 1 && intAttribute(node, "transB", 0) !== 0;
}

/** Of an operator that takes codes as they are. */
function probeOf(node: NodeProto, { initializers }: GraphIndex): Probe | undefined {
  if (node.domain !== "com.microsoft") return undefined;
  if (node.opType === "MatMulNBits")
    return { kind: "identity", input: node.input[0] ?? "", count: intAttribute(node, "K", 0) };
  const table = initializers.get(node.input[0] ?? "");
  if (node.opType !== "GatherBlockQuantized" || !table || intAttribute(node, "gather_axis", 0) !== 0)
    return undefined;
  return { kind: "rows", input: node.input[1] ?? "", count: dimsOf(table)[0] ?? 0 };
}

/**
 * Codes and scales that are looked up first and multiplied afterwards, as our packed tables are (formats/embedding.ts).
 *
 * @param last the product; or its Cast to the type the model computes in, which claims the product when its turn comes.
 */
function lookedUp(
  last: NodeProto,
  { producers, initializers }: GraphIndex,
  isStored: (name: string) => boolean,
): { nodes: NodeProto[]; probe: Probe } | undefined {
  const before = (node: NodeProto | undefined, op: string, slot = 0): NodeProto | undefined => {
    const found = producers.get(node?.input[slot] ?? "");
    return found?.opType === op && isOnnxDomain(found) ? found : undefined;
  };
  const multiply = last.opType === "Mul" ? last : last.opType === "Cast" ? before(last, "Mul") : undefined;
  const levels = before(multiply, "Cast");
  const [rows, factors] = [before(levels, "Gather"), before(multiply, "Gather", 1)];
  const [table, ids] = rows?.input ?? [];
  if (!multiply || !levels || !rows || !factors || table === undefined || ids === undefined) return undefined;
  const stored = initializers.get(table);
  const byRows = [rows, factors].every(one => intAttribute(one, "axis", 0) === 0 && one.input[1] === ids);
  if (!stored || !byRows || isStored(ids) || !isStored(factors.input[0]!)) return undefined;
  const nodes = [rows, factors, levels, multiply, ...(last === multiply ? [] : [last])];
  return { nodes, probe: { kind: "rows", input: ids, count: dimsOf(stored)[0] ?? 0 } };
}

/** What an Add behind a product adds, where nothing else reads the product. */
function addedTo(
  { output: [product = ""] }: NodeProto,
  { uses, outputs }: GraphIndex,
  isStored: (name: string) => boolean,
): { node: NodeProto; name: string } | undefined {
  const [use, ...others] = uses.get(product) ?? [];
  if (!use || others.length > 0 || outputs.has(product) || use.node.opType !== "Add") return undefined;
  const name = use.node.input[1 - use.slot] ?? "";
  return isStored(name) ? { node: use.node, name } : undefined;
}
