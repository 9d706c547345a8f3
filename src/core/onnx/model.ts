import { fromBinary } from "@bufbuild/protobuf";
import { Failure } from "../failure";
import { inMemory, isFile, type Source } from "./bytes";
import { otherFile } from "./otherFiles";
import { skim } from "./skim";
import { type Part, partsOf, joined } from "./splice";
import { checkTensor } from "./tensors";
import { type GraphProto, type ModelProto, ModelProtoSchema, type NodeProto, type TensorProto } from "./onnx_pb";
import { walkMessage } from "./wire";

/** A model that was read: it has a graph, an opset, and tensors that hold what they promise. */
export type Model = ModelProto & { graph: GraphProto };

/** Models have a handful of nested graphs; onnx's own tests reach 13. Protobuf itself stops at 100 nested messages. */
const MAX_GRAPH_DEPTH = 24;

/** What the kinds of other files are told by lies in the first bytes of them. */
const HEAD_BYTES = 2 ** 16;

/**
 * Reads an `.onnx` file. Fields this version of Whittle does not know are kept, so that writing gives them back; the bytes of
 * larger tensors of a file stay where they are until they are asked for.
 *
 * @param from its bytes, or what they are read from.
 * @param file what to call the model in a failure.
 * @throws {Failure} `model-unreadable` or `model-invalid`, with the cause in one sentence.
 */
export function readModel(from: Source | Uint8Array, file: string): Model {
  const source = from instanceof Uint8Array ? inMemory(from) : from;
  const { why, left } = walkMessage(source, ModelProtoSchema);
  if (why !== undefined) throw noModel(source, file, why);
  const model = isFile(source)
    ? skim(ModelProtoSchema, source, left)
    : fromBinary(ModelProtoSchema, source.read(0, source.length));
  if (!hasGraph(model)) throw noModel(source, file, "holds no graph, so it is not an ONNX model");
  if (model.opsetImport.length === 0) throw invalid(file, "names no operator set (opset_import is empty)");
  refuseDeepGraphs(model.graph, file);
  allTensors(model).forEach(checkTensor);
  return model;
}

/** What a file is instead, where its bytes say so. A model may hold the signature of another kind by chance, in a name. */
function noModel(source: Source, file: string, why: string): Failure {
  const other = otherFile(source.read(0, Math.min(HEAD_BYTES, source.length)));
  return other ? new Failure("model-unreadable", `${file} ${other.is}.`, other.next) : unreadable(file, why);
}

/** The file of a model, with the bytes of all its tensors in it. */
export function writeModel(model: ModelProto): Uint8Array {
  return joined(modelParts(model));
}

/** The file of a model in parts, in order. */
export function modelParts(model: ModelProto): Part[] {
  return partsOf(ModelProtoSchema, model);
}

function hasGraph(model: ModelProto): model is Model {
  return model.graph !== undefined;
}

/** Before this IR version an initializer must be listed among the inputs, where a caller may replace it; a Constant node is none. */
export const INITIALIZERS_STAND_ALONE = 4n;

/** Version of an operator set the model imports; the domain of ONNX itself is "" and also "ai.onnx". */
export function opsetOf(model: Pick<ModelProto, "opsetImport">, domain = ""): number | undefined {
  const found = model.opsetImport.find(one => one.domain === domain || (domain === "" && one.domain === "ai.onnx"));
  return found && Number(found.version);
}

export function isOnnxDomain(node: NodeProto): boolean {
  return node.domain === "" || node.domain === "ai.onnx";
}

/** The graphs in the attributes of a node: the bodies of If, Loop and Scan. */
export function bodiesOf(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap(attribute => (attribute.g ? [attribute.g, ...attribute.graphs] : attribute.graphs));
}

function refuseDeepGraphs(graph: GraphProto, file: string, depth = 0): void {
  if (depth > MAX_GRAPH_DEPTH) throw invalid(file, `nests graphs more than ${MAX_GRAPH_DEPTH} deep`);
  for (const node of graph.node) for (const body of bodiesOf(node)) refuseDeepGraphs(body, file, depth + 1);
}

/** The graph of a model and every graph nested in it. */
export function allGraphs(model: Model): GraphProto[] {
  return graphsWithin(model.graph);
}

function graphsWithin(graph: GraphProto): GraphProto[] {
  return [graph, ...graph.node.flatMap(node => bodiesOf(node).flatMap(graphsWithin))];
}

/** The same, and those nested in functions. */
function graphsAnywhere(model: Model): GraphProto[] {
  const ofFunctions = model.functions.flatMap(({ node }) => node.flatMap(bodiesOf));
  return [...allGraphs(model), ...ofFunctions.flatMap(graphsWithin)];
}

/** Every node of a model, those of nested graphs and of model-local functions too. */
export function allNodes(model: Model): NodeProto[] {
  const within = (nodes: readonly NodeProto[]): NodeProto[] =>
    nodes.flatMap(node => [node, ...bodiesOf(node).flatMap(body => within(body.node))]);
  return [...within(model.graph.node), ...model.functions.flatMap(one => within(one.node))];
}

/** Every tensor a model stores: initializers, and those in attributes of nodes. */
export function allTensors(model: Model): TensorProto[] {
  const ofGraphs = graphsAnywhere(model).flatMap(graph => graph.initializer);
  const ofNodes = allNodes(model).flatMap(node =>
    node.attribute.flatMap(attribute => (attribute.t ? [attribute.t, ...attribute.tensors] : attribute.tensors)),
  );
  return [...ofGraphs, ...ofNodes];
}

/** The parts of every sparse tensor a model stores. */
export function allSparseParts(model: Model): TensorProto[] {
  const ofNodes = allNodes(model).flatMap(node =>
    node.attribute.flatMap(({ sparseTensor, sparseTensors }) => [
      ...(sparseTensor ? [sparseTensor] : []),
      ...sparseTensors,
    ]),
  );
  return [...graphsAnywhere(model).flatMap(graph => graph.sparseInitializer), ...ofNodes].flatMap(
    ({ values, indices }) => [values, indices].filter(part => part !== undefined),
  );
}

/** Every name a model uses, so that a new one can be chosen that none of its nodes, values or graphs has. */
export function allNames(model: Model): Set<string> {
  const names = new Set<string>();
  const add = (graph: GraphProto): void => {
    names.add(graph.name);
    for (const value of [...graph.input, ...graph.output, ...graph.valueInfo]) names.add(value.name);
    for (const one of graph.initializer) names.add(one.name);
    for (const one of graph.sparseInitializer) if (one.values) names.add(one.values.name);
    graph.node.forEach(addNode);
  };
  const addNode = (node: NodeProto): void => {
    for (const name of [node.name, ...node.input, ...node.output]) names.add(name);
    bodiesOf(node).forEach(add);
  };
  add(model.graph);
  for (const { input, output, node } of model.functions) {
    for (const name of [...input, ...output]) names.add(name);
    node.forEach(addNode);
  }
  return names;
}

function unreadable(file: string, why: string): Failure {
  return new Failure("model-unreadable", `${file} ${why}.`, "Choose an .onnx file, or fetch this one again.");
}

function invalid(file: string, why: string): Failure {
  return new Failure("model-invalid", `${file} ${why}.`, "The file is damaged; fetch or export the model again.");
}
