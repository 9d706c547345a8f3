import type { Matrix } from "../matrix";
import type { Layer } from "./layers";

/** Place in the stored tensor of weight (input, neuron), the neuron counted over all groups. */
function storedPlace(layer: Layer, input: number, neuron: number): number {
  return layer.neuronsFirst ? neuron * layer.inputs + input : input * layer.neurons + neuron;
}

/** Whether the stored tensor is [inputs, neurons] of the one group there is. */
export function isStoredAsWanted(layer: Layer): boolean {
  return layer.groups === 1 && !layer.neuronsFirst;
}

/** The weights of one group as [inputs, neurons of the group]. */
export function groupWeights(layer: Layer, stored: Float32Array, group: number): Matrix<Float32Array> {
  const columns = layer.neurons / layer.groups;
  // Stored as they are wanted; the weights of a large layer are not held twice.
  if (isStoredAsWanted(layer)) return { rows: layer.inputs, columns, data: stored };
  const data = new Float32Array(layer.inputs * columns);
  for (let i = 0; i < layer.inputs; i++) {
    for (let j = 0; j < columns; j++) data[i * columns + j] = stored[storedPlace(layer, i, group * columns + j)]!;
  }
  return { rows: layer.inputs, columns, data };
}

/** Writes what was made of one group, [inputs, neurons of the group], to its places in the stored order. */
export function putGroup(
  layer: Layer,
  stored: Float32Array | Uint8Array,
  group: number,
  values: ArrayLike<number>,
): void {
  const columns = layer.neurons / layer.groups;
  for (let i = 0; i < layer.inputs; i++) {
    for (let j = 0; j < columns; j++) stored[storedPlace(layer, i, group * columns + j)] = values[i * columns + j]!;
  }
}
