import { type AlphabetKind, type Alphabets, type Bits, levelCount } from "../grid/alphabet";
import type { Layer } from "../graph/layers";
import { type Model, writeModel } from "../onnx/model";
import { type Format, type StoredLayer, writeCopy } from "./copy";

/** A layer whose codes are not known yet. */
export interface PlannedLayer {
  readonly layer: Layer;
  readonly bits: Bits;
  readonly alphabet: AlphabetKind;
  readonly format: Format;
}

/**
 * The sizes of a copy before anything is fitted: the bytes of a copy whose levels are all zero, which are those of any
 * other levels.
 */
export function predictCopy(
  model: Model,
  layers: readonly PlannedLayer[],
  metadata: Readonly<Record<string, string>> = {},
): { bytes: number; layerBytes: number[] } {
  const { copy, layerBytes } = writeCopy(model, layers.map(withoutCodes), metadata);
  return { bytes: writeModel(copy).length, layerBytes };
}

function withoutCodes({ layer, bits, alphabet: kind, format }: PlannedLayer): StoredLayer {
  const levels = levelCount(kind, bits);
  const neurons = { length: layer.neurons };
  const alphabets: Alphabets = {
    kind,
    bits,
    levels,
    steps: new Float64Array(layer.neurons).fill(1),
    zeroPoints: Float64Array.from(neurons, (_, j) =>
      kind === "affine" ? j % 2 : kind === "full" ? levels / 2 : (levels - 1) / 2,
    ),
  };
  return { layer, levels: new Uint8Array(layer.inputs * layer.neurons), alphabets, format };
}
