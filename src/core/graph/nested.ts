import { changed, constantNode } from "../onnx/build";
import { bodiesOf, type Model } from "../onnx/model";
import type { FunctionProto, GraphProto, NodeProto, TensorProto } from "../onnx/onnx_pb";

/** Where weights are stored: the graph of the model, one nested in a node (a body of If, Loop or Scan), or a function of the model. */
export type Home = GraphProto | FunctionProto;

export function isGraph(home: Home): home is GraphProto {
  return "initializer" in home;
}

/** Every graph nested in nodes of the model, its functions, and the graphs nested in those. */
export function nestedHomes(model: Model): Home[] {
  const within = (nodes: readonly NodeProto[]): Home[] =>
    nodes.flatMap(bodiesOf).flatMap(body => [body, ...within(body.node)]);
  return [...within(model.graph.node), ...model.functions.flatMap(one => [one, ...within(one.node)])];
}

/**
 * What becomes of the graphs nested in a node.
 *
 * @param change of a nested graph, given its nodes with what is nested in them changed already; the graph itself for no change.
 * @returns the very node that was given where nothing changed.
 */
export function withBodies(node: NodeProto, change: Change): NodeProto {
  if (bodiesOf(node).length === 0) return node;
  const body = (graph: GraphProto): GraphProto => rebuilt(graph, change);
  const attribute = node.attribute.map(one => {
    const g = one.g && body(one.g);
    const graphs = one.graphs.map(body);
    const same = g === one.g && graphs.every((graph, k) => graph === one.graphs[k]);
    return same ? one : changed(one, { g, graphs });
  });
  return attribute.every((one, k) => one === node.attribute[k]) ? node : changed(node, { attribute });
}

export type Change = <H extends Home>(home: H, nodes: readonly NodeProto[]) => H;

/** A graph or a function with what is nested in its nodes changed, and then changed itself. */
export function rebuilt<H extends Home>(home: H, change: Change): H {
  return change(
    home,
    home.node.map(node => withBodies(node, change)),
  );
}

/**
 * A graph or a function with float tensors under the names of weights that are stored in it.
 *
 * @param nodes as they shall be.
 * @returns the very one that was given where nothing changes.
 */
export function withTensors<H extends Home>(
  home: H,
  nodes: readonly NodeProto[],
  tensors: readonly TensorProto[],
): H {
  const names = new Set(tensors.map(one => one.name));
  const kept = nodes.filter(node => !node.output.some(name => names.has(name)));
  if (tensors.length === 0 && kept.every((node, k) => node === home.node[k])) return home;
  if (!isGraph(home)) return changed<Home>(home, { node: [...tensors.map(constantNode), ...kept] }) as H;
  const initializer = [...home.initializer.filter(one => !names.has(one.name)), ...tensors];
  return changed<Home>(home, { node: kept, initializer }) as H;
}
