import type { Layer } from "../graph/layers";
import { type Home, isGraph } from "../graph/nested";
import { readNames } from "../graph/uses";
import { changed, constantNode, node } from "../onnx/build";
import { INITIALIZERS_STAND_ALONE, type Model, opsetOf } from "../onnx/model";
import type { NodeProto, TensorProto } from "../onnx/onnx_pb";
import type { LayerCodes } from "./codes";
import type { CopyParts } from "./packed";

// The codes of a weight go where the weight was: into the model's graph, a graph nested in a node, or a function.

export function homeOf(layer: Layer, model: Model): Home {
  return layer.home ?? model.graph;
}

/** What is put in front of the nodes of a graph or a function. */
export interface Additions {
  readonly added: NodeProto[];
  readonly stored: TensorProto[];
  readonly parts: CopyParts;
}

/** Nothing yet, and the way to add to it. */
export function noAdditions(
  home: Home,
  name: (wish: string) => string,
  { opset, irVersion }: { opset: number; irVersion: bigint },
): Additions {
  const added: NodeProto[] = [];
  const stored: TensorProto[] = [];
  const sharedNames = new Map<string, string>();
  // A function has no initializers, and those of nested graphs may be replaced by a caller where those of the model may.
  const asInitializers = isGraph(home) && irVersion >= INITIALIZERS_STAND_ALONE;
  const parts: CopyParts = {
    name,
    opset: isGraph(home) ? opset : (opsetOf(home) ?? opset),
    store: one => {
      if (asInitializers) stored.push(one);
      else added.push(changed(constantNode(one), { name: "" }));
      return one.name;
    },
    add: (opType, input, attribute) => {
      // Names are a good part of what a small layer takes (names.ts).
      const one = changed(node(opType, input, name("w"), attribute), { name: "" });
      added.push(one);
      return one.output[0]!;
    },
    put: one => void added.push(one),
    shared: (key, make) => {
      const made = sharedNames.get(key) ?? make();
      sharedNames.set(key, made);
      return made;
    },
  };
  return { added, stored, parts };
}

/**
 * A graph or a function in which the weights of layers are replaced.
 *
 * @param nodes  its nodes as they shall be, but for those that nothing needs any more.
 * @param layers those whose weights are stored in it.
 * @returns the very one that was given where nothing changes.
 */
export function changedHome<H extends Home>(
  home: H,
  nodes: readonly NodeProto[],
  layers: readonly LayerCodes[],
  additions?: Pick<Additions, "added" | "stored">,
): H {
  const same = nodes.length === home.node.length && nodes.every((node, k) => node === home.node[k]);
  if (layers.length === 0 && same) return home;
  const outputs = isGraph(home) ? home.output.map(output => output.name) : home.output;
  const gone = unreadNames(outputs, layers, nodes);
  const isGone = (node: NodeProto): boolean => node.output.length > 0 && node.output.every(name => gone.has(name));
  const kept = [...(additions?.added ?? []), ...nodes.filter(one => !isGone(one))];
  if (!isGraph(home)) return changed<Home>(home, { node: kept }) as H;
  return changed<Home>(home, {
    node: kept,
    initializer: [...home.initializer.filter(one => !gone.has(one.name)), ...(additions?.stored ?? [])],
    input: home.input.filter(input => !gone.has(input.name)),
    valueInfo: home.valueInfo.filter(value => !gone.has(value.name)),
  }) as H;
}

/**
 * Names that only led to what the layers replace: their weights, as stored and on the way to the layer, and old biases. What
 * another node still reads stays.
 *
 * @param nodes as they shall be.
 */
function unreadNames(
  outputs: readonly string[],
  layers: readonly LayerCodes[],
  nodes: readonly NodeProto[],
): Set<string> {
  const readers = new Map<string, number>();
  const count = (name: string, by: number): void => void readers.set(name, (readers.get(name) ?? 0) + by);
  for (const name of [...nodes.flatMap(readNames), ...outputs]) count(name, 1);
  const producers = new Map(nodes.flatMap(node => node.output.map(name => [name, node] as const)));
  const gone = new Set<string>();
  const drop = (name: string): void => {
    if (gone.has(name)) return;
    gone.add(name);
    for (const read of producers.get(name)?.input ?? []) count(read, -1);
  };
  for (const { layer, bias } of layers) {
    const old = bias && layer.biasAt ? (layer.biasAt.node.input[layer.biasAt.slot] ?? "") : "";
    // The weight itself, which the layer reads under a new name or which others read as what its codes stand for; then what led to it.
    const [value, ...before] = [...layer.value.path].reverse();
    drop(value!);
    for (const name of [...before, old]) if (name !== "" && (readers.get(name) ?? 0) === 0) drop(name);
  }
  return gone;
}
