import { type AlphabetKind, type Alphabets, type Bits, groupCount, levelCount } from "../grid/alphabet";
import type { Layer } from "../graph/layers";
import { type Layout, layOut } from "../onnx/external";
import type { Model } from "../onnx/model";
import { type Format, type StoredLayer, writeCopy } from "./copy";

/** A layer whose codes are not known yet. */
export interface UnfittedLayer {
  readonly layer: Layer;
  readonly bits: Bits;
  readonly alphabet: AlphabetKind;
  readonly groupInputs: number | undefined;
  /** Whether the layer will get a bias of its own. */
  readonly newBias: boolean;
  readonly format: Format;
}

/** The sizes of a copy before anything is fitted: none of them hangs on the levels, which are never asked for. */
export function predictCopy(
  model: Model,
  layers: readonly UnfittedLayer[],
  metadata: Readonly<Record<string, string>> = {},
  layout: Layout = { location: "", external: false },
): { bytes: number; layerBytes: number[] } {
  const { copy, layerBytes } = writeCopy(model, layers.map(withoutCodes), metadata);
  return { bytes: layOut(copy, layout).bytes, layerBytes };
}

function withoutCodes({ layer, bits, alphabet: kind, groupInputs, newBias, format }: UnfittedLayer): StoredLayer {
  const levels = levelCount(kind, bits);
  const count = groupCount({ groupInputs }, layer.inputs) * layer.neurons;
  const zeroPoint = kind === "affine" ? 0 : kind === "full" ? levels / 2 : (levels - 1) / 2;
  const alphabets: Alphabets = {
    kind,
    bits,
    levels,
    groupInputs,
    steps: new Float64Array(count).fill(1),
    zeroPoints: new Float64Array(count).fill(zeroPoint),
  };
  return {
    layer,
    levels() {
      throw new Error(`The levels of ${layer.name} are not known yet.`);
    },
    alphabets,
    bias: newBias ? new Float32Array(layer.neurons) : null,
    format,
  };
}
