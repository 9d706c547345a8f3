import { type Alphabets, groupStart } from "../grid/alphabet";
import type { Layer } from "../graph/layers";
import { roundedTo } from "../onnx/floats";

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
export function dequantize({ layer, levels: read, alphabets }: LayerCodes): Float32Array {
  const levels = read();
  const alphabetOf = alphabetAt(layer, alphabets);
  const values = new Float32Array(levels.length);
  for (let place = 0; place < levels.length; place++) {
    const at = alphabetOf(place);
    values[place] = alphabets.steps[at]! * (levels[place]! - alphabets.zeroPoints[at]!);
  }
  return roundedTo(layer.type, values);
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
