import { create } from "@bufbuild/protobuf";
import { valueInfo } from "../onnx/build";
import type { DataTypeName } from "../onnx/dataTypes";
import { bodiesOf, type Model } from "../onnx/model";
import {
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
} from "../onnx/onnx_pb";
import { storedBytes } from "../onnx/tensors";
import { type Change, type Home, rebuilt, withBodies, withTensors } from "./nested";
import { type GraphIndex, readNames } from "./uses";

/**
 * A piece of a network that makes the values wanted at one stop. Running the segments one after the other, each on the values
 * the ones before left alive, is one forward pass that stops wherever values are wanted.
 */
export interface Segment {
  /** In execution order. */
  readonly nodes: readonly NodeProto[];
  /** Values made before that the nodes read: inputs of the model or outputs of earlier segments. */
  readonly reads: readonly string[];
  /** Values the nodes make that are wanted at this stop or a later one, or that a later segment reads. */
  readonly makes: readonly string[];
  /** Values that are wanted at this stop or a later one, or that a later segment reads. */
  readonly keeps: ReadonlySet<string>;
}

/**
 * Cuts a graph into one segment for each stop: the nodes its values hang on that have not run before. Nodes that nothing
 * wanted hangs on are in none.
 *
 * @param wanted names of the values wanted at each stop.
 */
export function cutGraph(index: GraphIndex, wanted: readonly (readonly string[])[]): Segment[] {
  const constants = constantNodes(index);
  const constantValues = new Set([...constants].flatMap(node => node.output));
  const isStored = (name: string): boolean => index.initializers.has(name) || constantValues.has(name);
  const passing = (names: Iterable<string>): string[] => [...new Set(names)].filter(name => !isStored(name));

  const done = new Set<NodeProto>(constants);
  const pieces = wanted.map(names => {
    const needed = ancestorsOf(names, index, done);
    for (const node of needed) done.add(node);
    return index.nodes.filter(node => needed.has(node));
  });
  const keeps = new Set<string>();
  const segments: Segment[] = [];
  for (const [stop, nodes] of [...pieces.entries()].reverse()) {
    for (const name of passing(wanted[stop]!)) keeps.add(name);
    const made = new Set(nodes.flatMap(node => node.output));
    const reads = passing(nodes.flatMap(readNames)).filter(name => !made.has(name));
    segments.unshift({
      nodes: [...neededConstants([...constants], nodes), ...nodes],
      reads,
      makes: [...made].filter(name => keeps.has(name)),
      keeps: new Set(keeps),
    });
    for (const name of reads) keeps.add(name);
  }
  return segments;
}

/**
 * Cuts a graph into segments that read at most so many bytes of stored tensors, or a single node with what it reads; they make
 * the outputs of the graph that are not stored themselves.
 */
export function cutBySize(index: GraphIndex, mostBytes: number): Segment[] {
  const constants = constantNodes(index);
  const bytesOf = (name: string): number => {
    const stored = index.initializers.get(name);
    if (stored) return storedBytes(stored);
    const node = index.producers.get(name);
    return node && constants.has(node) ? bytesReadBy(node) : 0;
  };
  const bytesReadBy = (node: NodeProto): number => readNames(node).reduce((sum, name) => sum + bytesOf(name), 0);

  const nodes = index.nodes.filter(node => !constants.has(node));
  const cuts: number[] = [];
  let bytes = 0;
  for (const [place, node] of nodes.entries()) {
    const own = bytesReadBy(node);
    if (bytes > 0 && bytes + own > mostBytes) {
      cuts.push(place);
      bytes = 0;
    }
    bytes += own;
  }
  const lastUse = new Map([...index.outputs].map(name => [name, nodes.length]));
  for (const [place, node] of nodes.entries())
    for (const name of readNames(node)) lastUse.set(name, Math.max(place, lastUse.get(name) ?? 0));
  // What is alive at a cut: made before it, and read behind it.
  const wanted = cuts.map(cut =>
    nodes
      .slice(0, cut)
      .flatMap(node => node.output)
      .filter(name => (lastUse.get(name) ?? -1) >= cut),
  );
  return cutGraph(index, [...wanted, [...index.outputs]]);
}

/** The nodes that values hang on, but for those in `without` and what only they hang on. */
export function ancestorsOf(
  names: readonly string[],
  index: GraphIndex,
  without: ReadonlySet<NodeProto> = new Set(),
): Set<NodeProto> {
  const found = new Set<NodeProto>();
  const waiting = [...names];
  while (waiting.length > 0) {
    const node = index.producers.get(waiting.pop()!);
    if (!node || found.has(node) || without.has(node)) continue;
    found.add(node);
    waiting.push(...readNames(node));
  }
  return found;
}

/** Random operators give another value at each run, so nothing that hangs on one is constant. */
const RANDOM = /^Random|^Bernoulli$|^Multinomial$/;

/** Nodes whose outputs hang on stored tensors alone; each segment that reads one repeats it. */
export function constantNodes(index: GraphIndex): Set<NodeProto> {
  const constants = new Set<NodeProto>();
  const values = new Set<string>();
  for (const node of index.nodes) {
    if (bodiesOf(node).length > 0 || RANDOM.test(node.opType)) continue;
    if (!node.input.every(name => name === "" || values.has(name) || index.initializers.has(name))) continue;
    constants.add(node);
    for (const name of node.output) values.add(name);
  }
  return constants;
}

/** Those of the constant nodes (in execution order) that the given nodes hang on. */
function neededConstants(constants: readonly NodeProto[], nodes: readonly NodeProto[]): NodeProto[] {
  const wanted = new Set(nodes.flatMap(readNames));
  const needed: NodeProto[] = [];
  for (const node of [...constants].reverse()) {
    if (!node.output.some(name => wanted.has(name))) continue;
    needed.unshift(node);
    for (const name of node.input) wanted.add(name);
  }
  return needed;
}

/** What the layers quantized so far became. */
export interface Replaced {
  readonly nodes: ReadonlyMap<NodeProto, NodeProto>;
  readonly tensors: ReadonlyMap<string, TensorProto>;
  /** Those of weights that lie in nested graphs and functions. */
  readonly nested: ReadonlyMap<Home, readonly TensorProto[]>;
}

/**
 * A segment as a model of its own.
 *
 * @param typeOf       element type of a value the segment reads.
 * @param replaced nodes that take the place of the model's own, and the tensors they read.
 */
export function segmentModel(
  model: Model,
  index: GraphIndex,
  segment: Segment,
  typeOf: (name: string) => DataTypeName,
  replaced: Replaced,
): ModelProto {
  const change: Change = (home, nodes) => withTensors(home, nodes, replaced.nested.get(home) ?? []);
  const nodes = segment.nodes
    // A weight that is seen through other nodes takes the place of the last of them.
    .filter(node => !node.output.some(name => replaced.tensors.has(name)))
    .map(node => replaced.nodes.get(node) ?? withBodies(node, change));
  const names = new Set(nodes.flatMap(readNames));
  const initializer = [...names].flatMap(name => replaced.tensors.get(name) ?? index.initializers.get(name) ?? []);
  return create(ModelProtoSchema, {
    // From IR 4 on initializers need not be listed among the inputs; operators keep the meaning their opset gives them.
    irVersion: model.irVersion < 4n ? 4n : model.irVersion,
    opsetImport: model.opsetImport,
    functions: model.functions.map(one => rebuilt(one, change)),
    graph: create(GraphProtoSchema, {
      name: "segment",
      node: nodes,
      initializer,
      sparseInitializer: model.graph.sparseInitializer.filter(one => names.has(one.values?.name ?? "")),
      input: segment.reads.map(name => valueInfo(name, typeOf(name))),
      // The runtime infers the types of outputs.
      output: segment.makes.map(name => ({ $typeName: "onnx.ValueInfoProto" as const, name })),
    }),
  });
}
