import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bits, valuesOf } from "../../../../src/core/grid/alphabet";
import { scaled } from "../../../../src/core/grid/shares";
import type { Matrix64 } from "../../../../src/core/matrix";
import { align, alignedBias } from "../../../../src/core/methods/align";
import { type Candidate, cheaper } from "../../../../src/core/methods/best";
import { dampedFactor } from "../../../../src/core/methods/metric";
import { roundWithoutData } from "../../../../src/core/methods/msq";
import { guessSteps, walkLayer } from "../../../../src/core/methods/walk";
import { choiceOf, golden, momentsOf, planOf, type Step } from "./goldenNetwork";
import { linalg, matrix, total } from "./reference";

/** Within a relative 1e-6, of the largest where `ofLargest`. */
function close(found: ArrayLike<number>, wanted: ArrayLike<number>, what: string, ofLargest = false): void {
  assert.equal(found.length, wanted.length);
  const largest = Math.max(...Array.from(wanted, Math.abs));
  for (let k = 0; k < wanted.length; k++) {
    const size = ofLargest ? largest : Math.abs(wanted[k]!);
    assert.ok(Math.abs(found[k]! - wanted[k]!) <= 1e-6 * size, `${what} ${k}: ${found[k]}, reference ${wanted[k]}`);
  }
}

async function checkSteps(
  alignment: Awaited<ReturnType<typeof align>>,
  step: Step,
  bits: Bits,
): Promise<Candidate> {
  const choice = choiceOf(bits);
  const plan = planOf(bits, alignment.target.rows);
  const { target, metric } = alignment;
  const { H, factor } = await dampedFactor(metric, plan.damping as number, one => linalg.walkOrder(one), linalg);
  close(
    Float64Array.from({ length: H.rows }, (_, i) => H.data[i * H.rows + i]!),
    step.hessian,
    "diagonal of H",
  );
  assert.deepEqual([...factor.order], step.order);

  const one = await guessSteps(target, choice, { ...plan, pilots: [1] }, factor, linalg);
  close(one.alphabets.steps, step["start scale"], "start scale");
  assert.deepEqual([...one.alphabets.zeroPoints], step["start zero"]);
  const guess = await guessSteps(target, choice, plan, factor, linalg);
  close([guess.factor], [step.pilot], "pilot");

  let walked: Candidate | null = null;
  for (const radius of plan.radii) {
    const alphabets = scaled(guess.alphabets, radius, choice);
    const candidate = { ...(await linalg.walk(target, factor, alphabets, plan.paths, plan.block)), alphabets };
    walked = walked ? cheaper(walked, candidate, false) : candidate;
  }
  assert.deepEqual([...walked!.levels], step["walk codes"].flat());
  close(walked!.alphabets.steps, step["walk scale"], "walk scale");
  close(walked!.costs, step["walk cost"], "walk cost");
  const near = await linalg.neighbours(H, plan.neighbours);
  const paired = await linalg.pairs(target, walked!.levels, H, walked!.alphabets, near, plan.sweeps);
  close(paired.costs, step["pairs cost"], "pairs cost");

  const fit = await walkLayer({ weights: target, metric }, choice, plan, linalg);
  assert.deepEqual([...fit.levels], step.codes.flat());
  assert.deepEqual([...fit.alphabets.zeroPoints], step.zero);
  close(fit.alphabets.steps, step.scale, "scale");
  close(fit.costs!, step.cost, "cost");
  assert.equal(fit.damping, plan.damping);
  return { levels: fit.levels, alphabets: fit.alphabets, costs: fit.costs! };
}

for (const { bits, samples, layers, "output dB": outputDb } of golden.cases) {
  test(`every step of every layer of the network is the reference's: ${bits} bits, ${samples} samples`, async () => {
    const X = matrix(golden.inputs.slice(0, samples));
    const quantized: { values: Matrix64; bias: Float64Array | null }[] = [];
    for (const [index, step] of layers.entries()) {
      const layer = golden.layers[index]!;
      const W = matrix(layer.weights);
      const seen = step.seen ? matrix(step.seen) : X;
      const Y = matrix(step.Y ?? layer["float sum"]!.slice(0, samples));
      const alignment = await align(await momentsOf(seen, Y, linalg), W, layer.bias !== null, linalg);
      if (step.target) close(alignment.target.data, step.target.flat(), "target", true);
      else assert.ok(alignment.target.data.every((w, at) => Math.abs(w - W.data[at]!) < 1e-5));
      close(alignment.inputMeans, step.mean, "mean", true);
      const { levels, alphabets } = await checkSteps(alignment, step, bits);
      const values = valuesOf(levels, W.rows, alphabets);
      if (step.bias) close(alignedBias(alignment, values), step.bias, "bias", true);
      quantized.push({ values, bias: step.bias ? Float64Array.from(step.bias) : null });
    }
    const found = decibels(outputOf(X, floatLayers), outputOf(X, quantized));
    assert.ok(Math.abs(found - outputDb) < 0.001, `${found} dB, reference ${outputDb}`);
  });
}

for (const { bits, samples, "whole dB": wholeDb } of golden.cases) {
  test(`the network quantized from inputs to output gives the reference's dB: ${bits} bits, ${samples} samples`, async () => {
    const X = matrix(golden.inputs.slice(0, samples));
    const [wanted, seen] = [[X], [X]];
    const quantized: Quantized[] = [];
    for (const [index, layer] of golden.layers.entries()) {
      const W = matrix(layer.weights);
      const sums = sumOf(wanted, floatLayers[index]!, layer.add);
      const Y =
        layer.add === null ? sums : { ...sums, data: sums.data.map((y, at) => y - seen[layer.add!]!.data[at]!) };
      const alignment = await align(await momentsOf(seen.at(-1)!, Y, linalg), W, layer.bias !== null, linalg);
      const layerFit = { weights: alignment.target, metric: alignment.metric };
      const fit = await walkLayer(layerFit, choiceOf(bits), planOf(bits, W.rows), linalg);
      const values = valuesOf(fit.levels, W.rows, fit.alphabets);
      quantized.push({ values, bias: layer.bias ? alignedBias(alignment, values) : null });
      wanted.push(activated(sums, layer.relu));
      seen.push(activated(sumOf(seen, quantized[index]!, layer.add), layer.relu));
    }
    const found = decibels(outputOf(X, floatLayers), outputOf(X, quantized));
    assert.ok(Math.abs(found - wholeDb) < 0.02, `${found} dB, reference ${wholeDb}`);
  });
}

for (const { bits, layers } of golden["no data"]) {
  test(`without data the weights go to the nearest values of the reference's alphabets: ${bits} bits`, async () => {
    for (const [index, { codes, scale, zero }] of layers.entries()) {
      const fit = await roundWithoutData(matrix(golden.layers[index]!.weights), choiceOf(bits), linalg);
      assert.deepEqual([...fit.levels], codes.flat());
      close(fit.alphabets.steps, scale, "scale");
      assert.deepEqual([...fit.alphabets.zeroPoints], zero);
    }
  });
}

interface Quantized {
  values: Matrix64;
  bias: Float64Array | null;
}

const floatLayers = golden.layers.map<Quantized>(({ weights, bias }) => ({
  values: matrix(weights),
  bias: bias ? Float64Array.from(bias) : null,
}));

/** What the ReLU sees. */
function sumOf(tensors: Matrix64[], { values, bias }: Quantized, add: number | null): Matrix64 {
  const X = tensors.at(-1)!;
  const sums = { rows: X.rows, columns: values.columns, data: new Float64Array(X.rows * values.columns) };
  for (let r = 0; r < X.rows; r++) {
    for (let j = 0; j < values.columns; j++) {
      let sum = (bias?.[j] ?? 0) + (add === null ? 0 : tensors[add]!.data[r * values.columns + j]!);
      for (let i = 0; i < X.columns; i++) sum += X.data[r * X.columns + i]! * values.data[i * values.columns + j]!;
      sums.data[r * values.columns + j] = sum;
    }
  }
  return sums;
}

function activated(sums: Matrix64, relu: boolean): Matrix64 {
  return relu ? { ...sums, data: sums.data.map(value => Math.max(value, 0)) } : sums;
}

function outputOf(X: Matrix64, layers: Quantized[]): Matrix64 {
  const tensors = [X];
  golden.layers.forEach(({ relu, add }, k) => tensors.push(activated(sumOf(tensors, layers[k]!, add), relu)));
  return tensors.at(-1)!;
}

function decibels(wanted: Matrix64, found: Matrix64): number {
  const signal = total(wanted.data.map(value => value * value));
  return 10 * Math.log10(signal / total(wanted.data.map((value, at) => (value - found.data[at]!) ** 2)));
}
