import { create } from "@bufbuild/protobuf";
import type { Layer } from "../graph/layers";
import { type Home, rebuilt, withTensors } from "../graph/nested";
import { changed, intOf } from "../onnx/build";
import { DataType } from "../onnx/dataTypes";
import { floatTensor, floatTensorMade } from "../onnx/floats";
import { allNames, INITIALIZERS_STAND_ALONE, type Model, opsetOf } from "../onnx/model";
import {
  type NodeProto,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
} from "../onnx/onnx_pb";
import { irVersionFor } from "../onnx/opsets";
import { dequantizer, gridOf, type LayerCodes, turned } from "./codes";
import { isEmbedding, writeEmbedding } from "./embedding";
import { type Additions, changedHome, homeOf, noAdditions } from "./homes";
import { freshNames } from "./names";
import { MICROSOFT, writeMatMulNBits } from "./nbits";
import { type CopyParts, PACKED_LEAST_OPSET, writePacked } from "./packed";
import { multiplyThenAdd, whyNoProduct } from "./products";
import { qdqOpset, writeQdq } from "./qdq";
import { tableIrVersion, writeGatherBlocks } from "./tables";

export const FORMATS = ["qdq", "nbits", "packed"] as const;
export type Format = (typeof FORMATS)[number];

/** What a layer became and how it is stored. */
export interface StoredLayer extends LayerCodes {
  readonly format: Format;
  /** Whether one alphabet serves all neurons, so that it need not be stored for each. */
  readonly perTensor: boolean;
}

/**
 * The model with the weights of the given layers stored as codes; everything else is shared with the model, unchanged.
 *
 * @param metadata what was done, for `metadata_props`; entries of the same key are replaced.
 * @returns the copy, and the bytes stored for each layer in the order given: codes, scales and zero points; a table that
 *          several layers share counts for none of them.
 */
export function writeCopy(
  model: Model,
  layers: readonly StoredLayer[],
  metadata: Readonly<Record<string, string>>,
): { copy: Model; layerBytes: number[] } {
  const name = freshNames(allNames(model));
  const opset = opsetFor(model, layers);
  const irVersion = irVersionOf(model, layers, opset);
  const additions = new Map<Home, Additions>();
  const additionsTo = (home: Home): Additions => {
    const made = additions.get(home) ?? noAdditions(home, name, { opset, irVersion });
    additions.set(home, made);
    return made;
  };

  const rewritten = new Map<NodeProto, readonly NodeProto[]>();
  const layerBytes = layers.map(codes => {
    const { layer } = codes;
    const { parts, added } = additionsTo(homeOf(layer, model));
    if (isEmbedding(codes)) {
      const { nodes, bytes } = writeEmbedding(codes, parts);
      for (const [old, made] of nodes) rewritten.set(old, made);
      return bytes;
    }
    if (codes.format === "nbits" && layer.op === "Gather") {
      const { nodes, bytes } = writeGatherBlocks(codes, parts);
      for (const [old, made] of nodes) rewritten.set(old, [made]);
      return bytes;
    }
    const bias = codes.bias && parts.store(biasTensor(layer, name("b"), codes.bias));
    if (codes.format === "nbits") {
      const { nodes, bytes } = writeMatMulNBits(codes, bias, parts);
      for (const [old, node] of rewired(layer, layer.node, "", bias)) rewritten.set(old, [node]);
      rewritten.set(layer.node, nodes);
      return bytes;
    }
    const straight = codes.format === "qdq" ? withoutTransB(codes) : codes;
    const written = codes.format === "qdq" ? writeQdq(straight, parts) : writePacked(straight, parts);
    const output = inTypeOf(layer, written.output, parts);
    if (layer.shared) underOldName(layer, output, added);
    else if (codes.format === "qdq" && layer.op === "Gemm" && whyNoProduct(layer) === undefined)
      rewritten.set(layer.node, plainGemm(straight.layer, output, bias, parts));
    else {
      // A node with two weights is rewritten twice, each time from what it is by then.
      const own = straight.layer === layer ? (rewritten.get(layer.node)?.[0] ?? layer.node) : straight.layer.node;
      for (const [old, node] of rewired(layer, own, output, bias)) rewritten.set(old, [node]);
    }
    return written.bytes;
  });

  const change = <H extends Home>(home: H, nodes: readonly NodeProto[]): H => {
    const here = layers.filter(({ layer }) => homeOf(layer, model) === home);
    const own = nodes.flatMap((node, k) => rewritten.get(home.node[k]!) ?? [node]);
    return changedHome(home, own, here, additions.get(home));
  };
  const copy = changed(model, {
    graph: rebuilt(model.graph, change),
    functions: model.functions.map(one => rebuilt(one, change)),
    metadataProps: [
      ...model.metadataProps.filter(entry => !(entry.key in metadata)),
      ...Object.entries(metadata).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
    ],
  });
  const opsetImport = opsetsOf(model, layers, opset);
  return { copy: changed(copy, { opsetImport, irVersion }), layerBytes };
}

/** A layer as floats again: the nodes that take the place of its own, and the tensors they read. */
export interface FloatLayer {
  readonly nodes: ReadonlyMap<NodeProto, NodeProto>;
  readonly tensors: readonly TensorProto[];
}

/** The layer with the float values its codes stand for, under the name by which it reads its weight. */
export function floatLayer(codes: LayerCodes, name: (wish: string) => string): FloatLayer {
  const { layer, bias } = codes;
  const weight = floatTensorMade(layer.value.name, layer.type, layer.shape, () => dequantizer(codes));
  const stored = bias && biasTensor(layer, name(`${layer.tensor}_bias`), bias);
  return {
    nodes: stored ? rewired(layer, layer.node, layer.value.name, stored.name) : new Map<NodeProto, NodeProto>(),
    tensors: stored ? [weight, stored] : [weight],
  };
}

/** The model with the weights of the given layers replaced by the float values their codes stand for. */
export function putBack(model: Model, layers: readonly LayerCodes[]): Model {
  const name = freshNames(allNames(model));
  const floats = layers.map(codes => floatLayer(codes, name));
  const changes = new Map(floats.flatMap(one => [...one.nodes]));
  const change = <H extends Home>(home: H, nodes: readonly NodeProto[]): H => {
    const here = layers.flatMap((codes, k) => (homeOf(codes.layer, model) === home ? [k] : []));
    const own = nodes.map((node, k) => changes.get(home.node[k]!) ?? node);
    const tensors = here.flatMap(k => floats[k]!.tensors);
    const without = changedHome(
      home,
      own,
      here.map(k => layers[k]!),
    );
    return withTensors(without, without.node, tensors);
  };
  const graph = rebuilt(model.graph, change);
  const functions = model.functions.map(one => rebuilt(one, change));
  // Before IR 4 an initializer must be listed among the inputs; the runtime takes a newer IR with older operators.
  const irVersion = model.irVersion < INITIALIZERS_STAND_ALONE ? INITIALIZERS_STAND_ALONE : model.irVersion;
  return changed(model, { graph, functions, irVersion });
}

function biasTensor({ type }: Layer, name: string, bias: Float32Array): TensorProto {
  return floatTensor(name, type, [bias.length], bias);
}

/** Casts float32 values to the type the layer computes in. */
function inTypeOf({ type }: Layer, output: string, parts: CopyParts): string {
  return type === "float32" ? output : parts.add("Cast", [output], [intOf("to", DataType[type])]);
}

/** Gives the last value that was added the name under which several places read the weight. */
function underOldName({ value }: Layer, output: string, added: NodeProto[]): void {
  const last = added.findIndex(one => one.output[0] === output);
  added[last] = changed(added[last]!, { output: [value.name] });
}

/**
 * The nodes that change when a layer reads another weight, and another bias where there is one.
 *
 * @param own the layer's node, as it shall be but for that.
 */
function rewired(layer: Layer, own: NodeProto, weight: string, bias: string | null): Map<NodeProto, NodeProto> {
  const input = own.input.map((name, slot) => (slot === layer.weightSlot ? weight : name));
  const nodes = new Map([[layer.node, changed(own, { input })]]);
  if (bias === null) return nodes;
  const { node, slot } = layer.biasAt!;
  const before = nodes.get(node) ?? node;
  const reads = [...before.input];
  reads[slot] = bias;
  // The new bias counts once, whatever beta said about the old one.
  const attribute = before.attribute.filter(one => one.name !== "beta");
  return nodes.set(node, changed(before, { input: reads, attribute }));
}

/** The opset a copy needs: the model's own, or what its formats ask for. */
function opsetFor(model: Model, layers: readonly StoredLayer[]): number {
  const own = opsetOf(model) ?? 0;
  return layers.reduce(
    (opset, layer) => Math.max(opset, layer.format === "qdq" ? qdqOpset(gridOf(layer)) : PACKED_LEAST_OPSET),
    own,
  );
}

function irVersionOf(model: Model, layers: readonly StoredLayer[], opset: number): bigint {
  const tables = layers.filter(({ format, layer }) => format === "nbits" && layer.op === "Gather");
  const needed = [
    ...(opset === opsetOf(model) ? [] : [irVersionFor(opset)]),
    ...tables.map(({ alphabets }) => tableIrVersion(alphabets.bits)),
  ];
  return needed.reduce((most, one) => (one > most ? BigInt(one) : most), model.irVersion);
}

function opsetsOf(model: Model, layers: readonly StoredLayer[], opset: number): Model["opsetImport"] {
  const own = model.opsetImport.map(one =>
    (one.domain === "" || one.domain === "ai.onnx") && Number(one.version) !== opset
      ? create(OperatorSetIdProtoSchema, { domain: one.domain, version: BigInt(opset) })
      : one,
  );
  const isNew = layers.some(({ format }) => format === "nbits") && opsetOf(model, MICROSOFT) === undefined;
  return isNew ? [...own, create(OperatorSetIdProtoSchema, { domain: MICROSOFT, version: 1n })] : own;
}

/** A Gemm that only multiplies, without attributes, and what it adds apart; a MatMul where it adds nothing. */
function plainGemm(layer: Layer, weight: string, bias: string | null, parts: CopyParts): NodeProto[] {
  const { node } = layer;
  const multiply = (output: string, isSummed: boolean): NodeProto =>
    changed(node, {
      opType: isSummed ? "Gemm" : "MatMul",
      input: [node.input[0]!, weight],
      output: [output],
      attribute: [],
    });
  return multiplyThenAdd(layer, node, bias, multiply, parts);
}

/** onnxruntime fuses DequantizeLinear into Gemm only where the weight is stored as [inputs, neurons]; so store it that way. */
function withoutTransB(codes: StoredLayer): StoredLayer {
  const { layer } = codes;
  if (layer.op !== "Gemm" || !layer.neuronsFirst || layer.weightSlot !== 1) return codes;
  const straight: Layer = {
    ...layer,
    shape: [layer.inputs, layer.neurons],
    neuronsFirst: false,
    node: changed(layer.node, { attribute: layer.node.attribute.filter(one => one.name !== "transB") }),
  };
  return { ...codes, layer: straight, levels: () => turned(codes.levels(), layer.neurons, layer.inputs) };
}
