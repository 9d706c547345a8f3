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
import type { Layer } from "./layers";
import { type GraphIndex, readNames } from "./uses";

/**
 * The part of a network between one layer and the next. Running the segments one after the other, each on the values the
 * ones before left alive, is one forward pass that stops in front of every layer.
 */
export interface Segment {
  /** In execution order; the layer the segment leads to is the first node of the next one. */
  readonly nodes: readonly NodeProto[];
  /** Values made before that the nodes read: inputs of the model or outputs of earlier segments. */
  readonly reads: readonly string[];
  /** Values the nodes make that the layer in front or a later segment reads. */
  readonly makes: readonly string[];
  /** Values that the layer in front or a later segment still reads once this segment has run. */
  readonly keeps: ReadonlySet<string>;
}

/** Cuts a graph in front of each of the given layers (in execution order). */
export function cutBeforeLayers(index: GraphIndex, layers: readonly Layer[]): Segment[] {
  const constants = constantNodes(index);
  const running = index.nodes.filter(node => !constants.has(node));
  const place = new Map(running.map((node, i) => [node, i]));
  const constantValues = new Set([...constants].flatMap(node => node.output));
  const isStored = (name: string): boolean => index.initializers.has(name) || constantValues.has(name);

  let start = 0;
  return layers.map(layer => {
    const end = place.get(layer.node)!;
    const nodes = running.slice(start, end);
    const keeps = new Set(
      running
        .slice(end)
        .flatMap(readNames)
        .filter(name => !isStored(name)),
    );
    const made = new Set(nodes.flatMap(node => node.output));
    const reads = new Set(nodes.flatMap(readNames).filter(name => !isStored(name) && !made.has(name)));
    start = end;
    return {
      nodes: [...neededConstants([...constants], nodes), ...nodes],
      reads: [...reads],
      makes: [...made].filter(name => keeps.has(name)),
      keeps,
    };
  });
}

/** Random operators give another value at each run, so nothing that hangs on one is constant. */
const RANDOM = /^Random|^Bernoulli$|^Multinomial$/;

/** Nodes whose outputs hang on stored tensors alone; each segment that reads one repeats it. */
function constantNodes(index: GraphIndex): Set<NodeProto> {
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
  const nodes = segment.nodes.map(node => replaced.nodes.get(node) ?? node);
  const names = new Set(nodes.flatMap(readNames));
  const initializer = [...names].flatMap(name => replaced.tensors.get(name) ?? index.initializers.get(name) ?? []);
  return create(ModelProtoSchema, {
    // From IR 4 on initializers need not be listed among the inputs; operators keep the meaning their opset gives them.
    irVersion: model.irVersion < 4n ? 4n : model.irVersion,
    opsetImport: model.opsetImport,
    functions: model.functions,
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
