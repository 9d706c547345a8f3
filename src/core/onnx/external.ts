import { create } from "@bufbuild/protobuf";
import { Failure } from "../failure";
import { elsewhere, putElsewhere, rawLength } from "./bytes";
import { changed } from "./build";
import { modelParts } from "./model";
import {
  type GraphProto,
  type ModelProto,
  type NodeProto,
  StringStringEntryProtoSchema,
  type TensorProto,
} from "./onnx_pb";
import { lengthOf, type Part } from "./splice";
import { EXTERNAL } from "./tensors";

/** Protobuf, and so onnxruntime, takes no message of 2 GiB or more. */
export const MOST_MESSAGE_BYTES = 2 ** 31 - 1;
/** What onnx's own writers leave in the message: a shape is wanted before other files are opened. */
const LEAST_OUTSIDE = 1024;
/** What a Constant node holds stays in the message up to here: readers are less used to finding it elsewhere. */
const LEAST_OUTSIDE_OF_NODE = 2 ** 20;
/** Offsets that onnx.proto asks for, so that pages of the file can be mapped into memory. */
const ALIGNMENT = 4096;

/** What a model becomes on the disk: a file, and where its tensors lie outside of it another. */
export interface ModelFiles {
  readonly message: readonly Part[];
  /** Null where the message holds everything. */
  readonly data: readonly Part[] | null;
  /** Of both. */
  readonly bytes: number;
}

/** How a model is laid out in files. */
export interface Layout {
  /** Name of the file for the tensors that do not stay in the message; it lies beside it. */
  readonly location: string;
  /** Whether they lie outside in any case. */
  readonly external: boolean;
  /** Bytes of a message past which they do. */
  readonly mostMessageBytes?: number;
}

/**
 * Lays a model out in one file or, where it must be, in two.
 *
 * @throws {Failure} `model-invalid` where even the rest of it is no message that can be loaded.
 */
export function layOut(
  model: ModelProto,
  { location, external, mostMessageBytes = MOST_MESSAGE_BYTES }: Layout,
): ModelFiles {
  if (!external) {
    const message = modelParts(model);
    const bytes = lengthOf(message);
    if (bytes <= mostMessageBytes) return { message, data: null, bytes };
  }
  const data: Part[] = [];
  let end = 0;
  const message = modelParts(
    withPlaces(model, (tensor, length) => {
      const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
      if (offset > end) data.push(new Uint8Array(offset - end));
      data.push(elsewhere(tensor) ?? tensor.rawData);
      end = offset + length;
      return { location, offset };
    }),
  );
  const messageBytes = lengthOf(message);
  if (messageBytes > MOST_MESSAGE_BYTES) {
    throw new Failure(
      "model-invalid",
      `Without the tensors that can lie in another file the model takes ${messageBytes} bytes, and protobuf ends at ${MOST_MESSAGE_BYTES}.`,
      "Store the large tensors of its functions as initializers of its graph.",
    );
  }
  return { message, data: data.length > 0 ? data : null, bytes: messageBytes + end };
}

/** Where a tensor lies, as a message says it. */
export interface Outside {
  readonly location: string;
  readonly offset: number;
}

/**
 * The model as the message of a file whose larger tensors lie in others.
 *
 * @param placeOf called for each of them in order, with the bytes it takes; undefined: it stays in the message.
 */
export function withPlaces(
  model: ModelProto,
  placeOf: (tensor: TensorProto, length: number) => Outside | undefined,
): ModelProto {
  const moved = (tensor: TensorProto, least: number): TensorProto => {
    const length = rawLength(tensor);
    const place = length >= least ? placeOf(tensor, length) : undefined;
    return place ? outside(tensor, place, length) : tensor;
  };
  const ofGraph = (graph: GraphProto): GraphProto =>
    changed(graph, {
      initializer: graph.initializer.map(tensor => moved(tensor, LEAST_OUTSIDE)),
      node: graph.node.map(ofNode),
    });
  const ofNode = (node: NodeProto): NodeProto => {
    const attribute = node.attribute.map(one => {
      const t = one.t && moved(one.t, LEAST_OUTSIDE_OF_NODE);
      const [g, graphs] = [one.g && ofGraph(one.g), one.graphs.map(ofGraph)];
      return t !== one.t || g || graphs.length > 0 ? changed(one, { t, g, graphs }) : one;
    });
    return attribute.every((one, k) => one === node.attribute[k]) ? node : changed(node, { attribute });
  };
  return changed(model, { graph: ofGraph(model.graph!) });
}

function outside(tensor: TensorProto, { location, offset }: Outside, length: number): TensorProto {
  const entries = { location, offset: String(offset), length: String(length) };
  const moved = changed(tensor, {
    rawData: new Uint8Array(0),
    dataLocation: EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    ),
  });
  return putElsewhere(moved, undefined);
}
