import type { Matrix } from "../../../../src/core/matrix";
import type { FitOptions } from "../../../../src/core/methods/catalog";
import { type Choice, RADIUS_CHOICES } from "../../../../src/core/methods/layer";

// Layers that are awkward in every way we know of, for every method: in the plain loops and in WebAssembly.

/** A seeded generator of numbers in -1 .. 1. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

function filled(rows: number, columns: number, entry: (i: number, j: number) => number): Matrix {
  const data = Float32Array.from({ length: rows * columns }, (_, at) =>
    entry(Math.floor(at / columns), at % columns),
  );
  return { rows, columns, data };
}

const next = seeded(5);
const [n, p, m] = [12, 3, 40];
export const anyWeights = filled(n, p, next);
const anyInputs = filled(m, n, next);
const correlated = filled(m, 3, next);

export const layers: Record<string, { weights: Matrix; inputs: Matrix }> = {
  "dead inputs": { weights: anyWeights, inputs: filled(m, n, (_, i) => (i % 3 === 0 ? 0 : next())) },
  "no live input": { weights: anyWeights, inputs: filled(m, n, () => 0) },
  "the same row over and over": { weights: anyWeights, inputs: filled(m, n, (_, i) => anyInputs.data[i]!) },
  "inputs that are copies": { weights: anyWeights, inputs: filled(m, n, r => anyInputs.data[r]!) },
  "rank 3": {
    weights: anyWeights,
    inputs: filled(m, n, (r, i) => correlated.data[r * 3 + (i % 3)]! * (i + 1)),
  },
  "one neuron": { weights: filled(n, 1, next), inputs: anyInputs },
  "one input": { weights: filled(1, p, next), inputs: filled(m, 1, next) },
  "one input, one neuron, one row": { weights: filled(1, 1, next), inputs: filled(1, 1, next) },
  "one row": { weights: anyWeights, inputs: filled(1, n, next) },
  "inputs of sizes from 1 to 1e-8": {
    weights: anyWeights,
    inputs: filled(m, n, (_, i) => next() * 10 ** ((-8 * i) / n)),
  },
  "constant weights": { weights: filled(n, p, () => 0.3), inputs: anyInputs },
  "zero weights": { weights: filled(n, p, () => 0), inputs: anyInputs },
  "weights of one sign": { weights: filled(n, p, () => 1 + 0.1 * next()), inputs: anyInputs },
  "a weight of 1e4 times the others": {
    weights: filled(n, p, (i, j) => next() * (i === 2 && j === 1 ? 1e4 : 1)),
    inputs: anyInputs,
  },
  "an input of 1e4 times the others": {
    weights: anyWeights,
    inputs: filled(m, n, r => next() * (r === 7 ? 1e4 : 1)),
  },
  "tiny weights": { weights: filled(n, p, () => 1e-30 * next()), inputs: anyInputs },
  "a hundred thousand rows": { weights: filled(6, 2, next), inputs: filled(100_000, 6, next) },
  "huge inputs": { weights: anyWeights, inputs: filled(m, n, () => 1e15 * next()) },
};

export const methods: FitOptions[] = [
  { method: "msq" },
  { method: "gptq" },
  { method: "gptq", damping: 0, byEnergy: false },
  { method: "gpfq", refine: true },
  { method: "maly-saab" },
  { method: "maly-saab", plan: "layer-alone", refine: true },
  { method: "maly-saab", variant: "cell" },
  { method: "maly-saab", variant: "range" },
];

export const shapes: Omit<Choice, "kind" | "bits">[] = [
  ...RADIUS_CHOICES.map(radius => ({ radius })),
  { radius: "data", perTensor: true },
  { radius: "data", groupInputs: 5, halfSteps: true },
];
