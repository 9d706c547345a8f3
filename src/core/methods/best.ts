import type { Alphabets } from "../grid/alphabet";
import { sum } from "./metric";

/** One way to quantize a layer, and what it costs each neuron. */
export interface Candidate {
  /** [inputs, neurons]. */
  readonly levels: Uint8Array;
  readonly alphabets: Alphabets;
  /** [neurons]. */
  readonly costs: Float64Array;
}

/**
 * The cheaper of two for every neuron; a tie keeps the first. Where one alphabet serves all neurons the cheaper for the layer.
 */
export function cheaper(first: Candidate, second: Candidate, perTensor: boolean): Candidate {
  if (perTensor) return sum(second.costs) < sum(first.costs) ? second : first;
  const neurons = first.costs.length;
  const takesSecond = Array.from(first.costs, (cost, j) => second.costs[j]! < cost);
  if (!takesSecond.includes(true)) return first;
  const merge = <Data extends Uint8Array | Float64Array>(a: Data, b: Data): Data => {
    const merged = a.slice() as Data;
    for (let at = 0; at < merged.length; at++) if (takesSecond[at % neurons]) merged[at] = b[at]!;
    return merged;
  };
  return {
    levels: merge(first.levels, second.levels),
    alphabets: {
      ...first.alphabets,
      steps: merge(first.alphabets.steps, second.alphabets.steps),
      zeroPoints: merge(first.alphabets.zeroPoints, second.alphabets.zeroPoints),
    },
    costs: merge(first.costs, second.costs),
  };
}
