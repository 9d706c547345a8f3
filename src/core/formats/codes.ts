import { type AlphabetKind, type Alphabets, type Bits, groupStart } from "../grid/alphabet";
import { type Layer, weightCount } from "../graph/layers";
import type { Matrix } from "../matrix";
import { roundedTo } from "../onnx/floats";
import type { StoredLayer } from "./copy";

/** What alphabets the weights of a layer have, as far as their storage goes. */
export interface Grid {
  readonly alphabet: AlphabetKind;
  readonly bits: Bits;
  /** Consecutive inputs that share an alphabet; undefined: all inputs of a neuron. */
  readonly groupInputs: number | undefined;
  /** One alphabet for all neurons. */
  readonly perTensor: boolean;
}

/** What a layer became: the levels of its weights and what they stand for, weight = step * (level - zeroPoint). */
export interface LayerCodes {
  readonly layer: Layer;
  /** In the order of the stored tensor; read anew from where they are kept. */
  readonly levels: () => Uint8Array;
  /** [groups of inputs, neurons], the neurons of all groups of a convolution in order. */
  readonly alphabets: Alphabets;
  /** The bias the layer gets, [neurons]; null where it keeps what it has. */
  readonly bias: Float32Array | null;
}

/** Where the step and the zero point of each place of the stored tensor stand in the alphabets of its layer. */
export function alphabetAt(layer: Layer, alphabets: Alphabets): (place: number) => number {
  const { inputs, neurons, neuronsFirst } = layer;
  return place => {
    const neuron = neuronsFirst ? Math.floor(place / inputs) : place % neurons;
    const input = neuronsFirst ? place % inputs : Math.floor(place / neurons);
    return groupStart(alphabets, input, neurons) + neuron;
  };
}

/**
 * The weights as a runtime computes them from a copy, in the order of the stored tensor: level - zeroPoint is exact, and
 * the product with the float32 step is rounded once to float32, then to the type the layer computes in.
 */
export function dequantize(codes: LayerCodes): Float32Array {
  return dequantizer(codes)(0, weightCount(codes.layer));
}

/** The same, of the weights from one place to before another; the levels are read once for all of them. */
export function dequantizer({ layer, levels: read, alphabets }: LayerCodes) {
  const levels = read();
  const { inputs, neurons, neuronsFirst } = layer;
  const { steps, zeroPoints } = alphabets;
  // Row by row of the stored tensor: this is gone through several times a layer, of which some have billions of weights.
  const columns = neuronsFirst ? inputs : neurons;
  return (from: number, to: number): Float32Array => {
    const values = new Float32Array(to - from);
    for (let place = from; place < to;) {
      const row = Math.floor(place / columns);
      const end = Math.min(to, (row + 1) * columns);
      const group = neuronsFirst ? 0 : groupStart(alphabets, row, neurons);
      for (let column = place - row * columns; place < end; place++, column++) {
        const at = neuronsFirst ? groupStart(alphabets, column, neurons) + row : group + column;
        values[place - from] = steps[at]! * (levels[place]! - zeroPoints[at]!);
      }
    }
    return roundedTo(layer.type, values);
  };
}

/**
 * The same of some neurons of one group, [inputs, to - from].
 *
 * @param levels    of the group, [inputs, neurons].
 * @param alphabets of the group.
 */
export function dequantizeNeurons(
  { type, inputs }: Pick<Layer, "type" | "inputs">,
  levels: Uint8Array,
  alphabets: Alphabets,
  from: number,
  to: number,
): Matrix<Float32Array> {
  const neurons = levels.length / inputs;
  const values = new Float32Array(inputs * (to - from));
  for (let i = 0, k = 0; i < inputs; i++) {
    const group = groupStart(alphabets, i, neurons);
    for (let j = from; j < to; j++, k++) {
      values[k] = alphabets.steps[group + j]! * (levels[i * neurons + j]! - alphabets.zeroPoints[group + j]!);
    }
  }
  return { rows: inputs, columns: to - from, data: roundedTo(type, values) };
}

export function gridOf({ alphabets, perTensor }: Pick<StoredLayer, "alphabets" | "perTensor">): Grid {
  const { kind, bits, groupInputs } = alphabets;
  return { alphabet: kind, bits, groupInputs, perTensor };
}

/** Whether all the weights of a layer share one alphabet, so that one step and one zero point say it all. */
export function hasOneAlphabet({ groupInputs, perTensor }: Pick<Grid, "groupInputs" | "perTensor">): boolean {
  return perTensor && groupInputs === undefined;
}

/** Numbers [rows, columns] as [columns, rows]. */
export function turned<Numbers extends Uint8Array | Float32Array | Float64Array>(
  values: Numbers,
  rows: number,
  columns: number,
): Numbers {
  const out = values.slice() as Numbers;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column]!;
  }
  return out;
}

/** Shape that makes one number a neuron broadcast along the stored tensor. */
export function neuronShape({ neuronsFirst, neurons, shape }: Layer): number[] {
  if (!neuronsFirst) return [neurons];
  let counted = 1;
  return shape.map(dim => {
    // The axes at the front that count neurons; the others are inputs.
    const isNeurons = counted < neurons;
    if (isNeurons) counted *= dim;
    return isNeurons ? dim : 1;
  });
}

/** The one axis of the stored tensor that counts neurons; null where several do. */
export function neuronAxis({ neuronsFirst, neurons, shape }: Layer): number | null {
  if (!neuronsFirst) return shape.length - 1;
  const axis = shape.findIndex(dim => dim !== 1);
  return axis < 0 ? 0 : shape[axis] === neurons ? axis : null;
}
