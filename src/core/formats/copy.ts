import { create } from "@bufbuild/protobuf";
import type { Bits } from "../grid/alphabet";
import type { Layer } from "../graph/layers";
import { allNames, type Model, opsetOf } from "../onnx/model";
import {
  type ModelProto,
  type NodeProto,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
} from "../onnx/onnx_pb";
import { irVersionFor } from "../onnx/opsets";
import { tensor } from "../onnx/tensors";
import { dequantize, type LayerCodes } from "./codes";
import { freshNames } from "./names";
import { constantNode, type CopyParts, writePacked } from "./packed";
import { QDQ_LEAST_OPSET, writeQdq } from "./qdq";

export const FORMATS = ["qdq", "packed"] as const;
export type Format = (typeof FORMATS)[number];

/** What a layer became and how it is stored. */
export interface StoredLayer extends LayerCodes {
  readonly format: Format;
}

/** Before this IR version an initializer must be listed among the inputs, where a caller may replace it. */
const INITIALIZERS_STAND_ALONE = 4n;

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
): { copy: ModelProto; layerBytes: number[] } {
  const name = freshNames(allNames(model));
  const opset = opsetFor(model, layers);
  const stored: TensorProto[] = [];
  const added: NodeProto[] = [];
  const sharedNames = new Map<string, string>();
  const parts: CopyParts = {
    name,
    opset,
    store: one => {
      if (model.irVersion >= INITIALIZERS_STAND_ALONE) stored.push(one);
      else added.push(constantNode(one));
      return one.name;
    },
    add: one => {
      added.push(one);
      return one.output[0]!;
    },
    shared: (key, make) => {
      const made = sharedNames.get(key) ?? make();
      sharedNames.set(key, made);
      return made;
    },
  };

  const rewritten = new Map<NodeProto, NodeProto>();
  const layerBytes = layers.map(layer => {
    const straight = layer.format === "qdq" ? withoutTransB(layer) : layer;
    const { output, bytes } = layer.format === "qdq" ? writeQdq(straight, parts) : writePacked(straight, parts);
    const node = changed(straight.layer.node, {
      input: layer.layer.node.input.map((input, slot) => (slot === 1 ? output : input)),
    });
    rewritten.set(layer.layer.node, node);
    return bytes;
  });

  const gone = new Set(layers.map(({ layer }) => layer.tensor));
  const graph = changed(model.graph, {
    node: [...added, ...model.graph.node.map(node => rewritten.get(node) ?? node)],
    initializer: [...model.graph.initializer.filter(one => !gone.has(one.name)), ...stored],
    input: model.graph.input.filter(input => !gone.has(input.name)),
    valueInfo: model.graph.valueInfo.filter(value => !gone.has(value.name)),
  });
  const copy = changed(model, {
    graph,
    metadataProps: [
      ...model.metadataProps.filter(entry => !(entry.key in metadata)),
      ...Object.entries(metadata).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
    ],
  });
  return { copy: opset === opsetOf(model) ? copy : raised(copy, opset), layerBytes };
}

/** The model with the weights of the given layers replaced by the float values their codes stand for. */
export function putBack(model: Model, layers: readonly LayerCodes[]): ModelProto {
  const values = new Map(layers.map(codes => [codes.layer.tensor, dequantizedTensor(codes)]));
  return changed(model, {
    graph: changed(model.graph, { initializer: model.graph.initializer.map(one => values.get(one.name) ?? one) }),
  });
}

export function dequantizedTensor(codes: LayerCodes): TensorProto {
  return tensor(codes.layer.tensor, "float32", codes.layer.shape, dequantize(codes));
}

/** The opset a copy needs: the model's own, or what DequantizeLinear asks for. */
function opsetFor(model: Model, layers: readonly StoredLayer[]): number {
  const own = opsetOf(model) ?? 0;
  return layers.reduce((opset, { format, alphabets }) => {
    return format === "qdq" ? Math.max(opset, qdqOpset(alphabets.bits)) : opset;
  }, own);
}

export function qdqOpset(bits: Bits): number {
  return bits === 8 ? QDQ_LEAST_OPSET[8] : QDQ_LEAST_OPSET[4];
}

function raised(copy: ModelProto, opset: number): ModelProto {
  const ir = BigInt(irVersionFor(opset));
  const isOnnx = (domain: string): boolean => domain === "" || domain === "ai.onnx";
  return changed(copy, {
    irVersion: copy.irVersion > ir ? copy.irVersion : ir,
    opsetImport: copy.opsetImport.map(one =>
      isOnnx(one.domain) ? create(OperatorSetIdProtoSchema, { domain: one.domain, version: BigInt(opset) }) : one,
    ),
  });
}

/** onnxruntime fuses DequantizeLinear into Gemm only where the weight is stored as [inputs, neurons]; so store it that way. */
function withoutTransB(codes: StoredLayer): StoredLayer {
  const { layer, levels } = codes;
  if (layer.op !== "Gemm" || !layer.neuronsFirst) return codes;
  const turned = new Uint8Array(levels.length);
  for (let j = 0; j < layer.neurons; j++) {
    for (let i = 0; i < layer.inputs; i++) turned[i * layer.neurons + j] = levels[j * layer.inputs + i]!;
  }
  const straight: Layer = {
    ...layer,
    shape: [layer.inputs, layer.neurons],
    neuronsFirst: false,
    node: changed(layer.node, { attribute: layer.node.attribute.filter(one => one.name !== "transB") }),
  };
  return { ...codes, layer: straight, levels: turned };
}

/** A message with some fields replaced; the others, unknown ones too, are shared with the original, which stays as it was. */
function changed<Message extends object>(message: Message, fields: Partial<Message>): Message {
  return Object.assign(Object.create(Object.getPrototypeOf(message) as object) as Message, message, fields);
}
