import { create } from "@bufbuild/protobuf";
import { Failure } from "../failure";
import { bodiesOf, INITIALIZERS_STAND_ALONE, type Model } from "../onnx/model";
import {
  type FunctionProto,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  type TensorProto,
} from "../onnx/onnx_pb";
import { type Home, isGraph } from "./nested";

/** Where a value of the graph is read: by an input of a node, or by a graph nested in the node (`slot` is then -1). */
export interface Use {
  readonly node: NodeProto;
  readonly slot: number;
}

/** A graph with its nodes in execution order and every name looked up once. */
export interface GraphIndex {
  readonly graph: GraphProto;
  readonly nodes: readonly NodeProto[];
  readonly initializers: ReadonlyMap<string, TensorProto>;
  readonly inputs: ReadonlySet<string>;
  readonly outputs: ReadonlySet<string>;
  readonly uses: ReadonlyMap<string, readonly Use[]>;
  /** The node that makes a value. */
  readonly producers: ReadonlyMap<string, NodeProto>;
  /** Functions of the model by domain and name. */
  readonly functions: ReadonlyMap<string, FunctionProto>;
}

/** @throws {Failure} `model-invalid` where the nodes wait for each other in a circle. */
export function indexGraph(
  graph: GraphProto,
  functions: ReadonlyMap<string, FunctionProto> = new Map(),
): GraphIndex {
  const uses = new Map<string, Use[]>();
  for (const node of graph.node) {
    const read = [
      ...node.input.map((name, slot) => ({ name, slot })),
      ...capturedNames(node).map(name => ({ name, slot: -1 })),
    ];
    for (const { name, slot } of read) {
      if (name === "") continue;
      const list = uses.get(name) ?? [];
      list.push({ node, slot });
      uses.set(name, list);
    }
  }
  return {
    graph,
    nodes: inExecutionOrder(graph.node),
    initializers: new Map(graph.initializer.map(tensor => [tensor.name, tensor])),
    inputs: new Set(graph.input.map(input => input.name)),
    outputs: new Set(graph.output.map(output => output.name)),
    uses,
    producers: producersOf(graph.node),
    functions,
  };
}

/** The index of a model's own graph, whose inputs are those that a caller feeds or may feed. */
export function indexModel({ graph, functions, irVersion }: Model): GraphIndex {
  const index = indexGraph(graph, new Map(functions.map(one => [`${one.domain}:${one.name}`, one])));
  if (irVersion >= INITIALIZERS_STAND_ALONE) return index;
  return { ...index, inputs: new Set([...index.inputs].filter(name => !index.initializers.has(name))) };
}

const innerIndices = new WeakMap<Home, GraphIndex>();

/** The index of a graph nested in a node, or of a function, made once. */
export function innerIndex(home: Home, { functions }: GraphIndex): GraphIndex {
  const known = innerIndices.get(home) ?? indexGraph(isGraph(home) ? home : asGraph(home), functions);
  innerIndices.set(home, known);
  return known;
}

function asGraph({ name, input, output, node }: FunctionProto): GraphProto {
  const values = (names: readonly string[]) => names.map(one => ({ name: one }));
  return create(GraphProtoSchema, { name, node, input: values(input), output: values(output) });
}

/** The function of the model that a node calls; undefined for an operator. */
export function calledFunction(node: NodeProto, { functions }: GraphIndex): FunctionProto | undefined {
  return functions.get(`${node.domain}:${node.opType}`);
}

/** Every name a node reads: its inputs, and what the graphs nested in it take from outside. */
export function readNames(node: NodeProto): string[] {
  return [...node.input, ...capturedNames(node)].filter(name => name !== "");
}

/** Names that the graphs nested in a node take from outside. */
export function capturedNames(node: NodeProto): string[] {
  return bodiesOf(node).flatMap(body => {
    const own = new Set([
      ...body.input.map(input => input.name),
      ...body.initializer.map(tensor => tensor.name),
      ...body.node.flatMap(inner => inner.output),
    ]);
    return [...body.node.flatMap(readNames), ...body.output.map(output => output.name)].filter(
      name => !own.has(name),
    );
  });
}

function producersOf(nodes: readonly NodeProto[]): Map<string, NodeProto> {
  return new Map(nodes.flatMap(node => node.output.map(name => [name, node] as const)));
}

/** ONNX asks for nodes in an order that can be run; not every writer keeps to it. Nodes already in order stay as they are. */
function inExecutionOrder(nodes: readonly NodeProto[]): NodeProto[] {
  const producer = producersOf(nodes);
  const ordered: NodeProto[] = [];
  const done = new Set<NodeProto>();
  let waiting = [...nodes];
  while (waiting.length > 0) {
    const blocked: NodeProto[] = [];
    for (const node of waiting) {
      const ready = readNames(node).every(name => {
        const from = producer.get(name);
        return from === undefined || done.has(from);
      });
      if (!ready) blocked.push(node);
      else {
        done.add(node);
        ordered.push(node);
      }
    }
    if (blocked.length === waiting.length) {
      throw new Failure(
        "model-invalid",
        `The graph is not acyclic: node "${blocked[0]!.name || blocked[0]!.opType}" waits for its own output.`,
        "No runtime can run it; export the model again.",
      );
    }
    waiting = blocked;
  }
  return ordered;
}
