import { basename } from "node:path";
import { type ModelInput, modelInputs, modelOutputs } from "../core/calibration/inputs";
import { formatChooser } from "../core/formats/choose";
import { predictCopy } from "../core/formats/predict";
import { leastForOpset, releaseName } from "../core/formats/versions";
import { bytesByOperator, type Duplicates, duplicatesIn, storedNumbers } from "../core/graph/contents";
import { findLayers, type Layer } from "../core/graph/layers";
import { withoutStoredInputs } from "../core/graph/listedInputs";
import { quantizedBy } from "../core/graph/quantizing";
import type { Skipped } from "../core/graph/skipped";
import { ALL_BITS, type Bits } from "../core/grid/alphabet";
import type { Layout } from "../core/onnx/external";
import { allNodes, type Model, opsetOf } from "../core/onnx/model";
import { dataFileOf } from "./copyFiles";
import { openModel } from "./modelFile";
import { ifStorable, storageOf } from "./plan";

/** What a model is, without running it. */
export interface Inspection {
  readonly model: string;
  readonly bytes: number;
  readonly producer: string;
  readonly irVersion: number;
  /** Versions of the operator sets, by domain. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly ModelInput[];
  readonly outputs: readonly ModelInput[];
  readonly nodes: number;
  /** Stored numbers, of all tensors. */
  readonly parameters: number;
  readonly layers: readonly InspectedLayer[];
  readonly skipped: readonly Skipped[];
  /** Stored bytes by the operator that reads them first, most first. */
  readonly bytesByOperator: Readonly<Record<string, number>>;
  /** Tensors that hold the same numbers. */
  readonly duplicates: readonly Duplicates[];
  /** How often each operator of quantization is there: such a model is quantized already, as a whole or in part. */
  readonly quantizedBy: Readonly<Record<string, number>>;
  /** The least onnxruntime that loads models of its opset, of those that were tried. */
  readonly leastOnnxruntime: string;
  /** Bytes of a copy with all layers at so many bits in the usual format of that width; null where none can store it. */
  readonly bytesAtBits: Readonly<Record<number, number | null>>;
}

export interface InspectedLayer extends Pick<
  Layer,
  "name" | "op" | "tensor" | "shape" | "inputs" | "neurons" | "groups"
> {
  readonly bytes: number;
}

/** Bytes of weights that are looked at for NaN and the like; a run looks at all, but here somebody waits. */
const MOST_BYTES_LOOKED_AT = 2 ** 26;

/** @throws {Failure} `model-…` for what cannot be read. */
export function inspect(path: string): Inspection {
  const { model: original, totalBytes, external } = openModel(path);
  const model = withoutStoredInputs(original);
  const { layers, skipped } = findLayers(model, MOST_BYTES_LOOKED_AT);
  const layout = { location: basename(dataFileOf(path)), external };
  return {
    model: path,
    bytes: totalBytes,
    producer: `${model.producerName} ${model.producerVersion}`.trim(),
    irVersion: Number(model.irVersion),
    opsets: Object.fromEntries(model.opsetImport.map(one => [one.domain || "ai.onnx", Number(one.version)])),
    inputs: modelInputs(model),
    outputs: modelOutputs(model),
    nodes: original.graph.node.length,
    parameters: storedNumbers(model),
    layers: layers.map(({ name, op, tensor, shape, inputs, neurons, groups, bytes }) => ({
      name,
      op,
      tensor,
      shape,
      inputs,
      neurons,
      groups,
      bytes,
    })),
    skipped,
    bytesByOperator: bytesByOperator(model),
    duplicates: duplicatesIn(model, MOST_BYTES_LOOKED_AT),
    quantizedBy: quantizedBy(allNodes(model)),
    leastOnnxruntime: releaseName(leastForOpset(opsetOf(model) ?? 0)),
    bytesAtBits: Object.fromEntries(ALL_BITS.map(bits => [bits, bytesAt(model, layers, bits, layout)])),
  };
}

function bytesAt(model: Model, layers: readonly Layer[], bits: Bits, layout: Layout): number | null {
  const formatOf = formatChooser(model, "auto");
  const options = { bits, alphabet: "auto", group: undefined, perTensor: false } as const;
  const unfitted = ifStorable(() =>
    layers.map(layer => ({ layer, newBias: false, ...storageOf(layer, undefined, options, formatOf) })),
  );
  return unfitted ? predictCopy(model, unfitted, {}, layout).bytes : null;
}
