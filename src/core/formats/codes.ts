import type { Alphabets } from "../grid/alphabet";
import type { Layer } from "../graph/layers";

/** What a layer became: the levels of its weights and what they stand for, weight = step * (level - zeroPoint). */
export interface LayerCodes {
  readonly layer: Layer;
  /** In the order of the stored tensor. */
  readonly levels: Uint8Array;
  /** One a neuron, the neurons of all groups in order. */
  readonly alphabets: Alphabets;
}

/** The neuron that each place of the stored tensor belongs to. */
export function neuronAt(layer: Layer, place: number): number {
  return layer.neuronsFirst ? Math.floor(place / layer.inputs) : place % layer.neurons;
}

/**
 * The weights as a runtime computes them from a copy, in the order of the stored tensor: level - zeroPoint is exact, and
 * the product with the float32 step is rounded once to float32.
 */
export function dequantize({ layer, levels, alphabets }: LayerCodes): Float32Array {
  const values = new Float32Array(levels.length);
  for (let place = 0; place < levels.length; place++) {
    const neuron = neuronAt(layer, place);
    values[place] = alphabets.steps[neuron]! * (levels[place]! - alphabets.zeroPoints[neuron]!);
  }
  return values;
}

/** Shape that makes one number a neuron broadcast along the stored tensor. */
export function neuronShape(layer: Layer): number[] {
  return layer.neuronsFirst ? [layer.neurons, ...layer.shape.slice(1).map(() => 1)] : [layer.neurons];
}
