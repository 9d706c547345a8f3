import { type Alphabets, groupCount, levelCount } from "../grid/alphabet";
import type { Layer } from "../graph/layers";
import { type Layout, layOut } from "../onnx/external";
import type { Model } from "../onnx/model";
import type { Grid } from "./codes";
import { type Format, type StoredLayer, writeCopy } from "./copy";

/** A layer whose codes are not known yet. */
export interface UnfittedLayer extends Grid {
  readonly layer: Layer;
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

function withoutCodes({ layer, newBias, format, ...grid }: UnfittedLayer): StoredLayer {
  const { bits, alphabet: kind, groupInputs, perTensor } = grid;
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
    perTensor,
  };
}
