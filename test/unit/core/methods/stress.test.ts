import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ALL_BITS, ALPHABET_KINDS } from "../../../../src/core/grid/alphabet";
import type { Linalg } from "../../../../src/core/linalg/linalg";
import { applyMethod } from "../../../../src/core/methods/catalog";
import { meanGram } from "../../../../src/core/methods/damping";
import type { Choice, Fit, Layer } from "../../../../src/core/methods/layer";
import { errorsOf } from "../../../../src/core/methods/metric";
import { compileKernels, newMemory } from "../../../../src/kernels/module";
import { inProcessPool } from "../../../../src/kernels/pool";
import { wasmLinalg } from "../../../../src/kernels/wasmLinalg";
import { linalg, total } from "./reference";
import { anyWeights, layers, methods, shapes } from "./stressCases";

const pause = () => Promise.resolve();
/** The shipped loops in double precision, and as they run above 1,024 inputs. */
async function compiled(singleAbove?: number): Promise<Linalg> {
  const module = await compileKernels(readFileSync("dist/kernels.wasm"));
  return wasmLinalg(inProcessPool(module, newMemory()), pause, { singleAbove });
}

const forms: Record<string, () => Promise<Linalg>> = {
  "plain loops": () => Promise.resolve(linalg),
  WebAssembly: () => compiled(),
  "WebAssembly in float32": () => compiled(0),
};

async function checkFit(layer: Layer, fit: Fit, choice: Choice, what: string): Promise<void> {
  const { weights, metric } = layer;
  const groups = choice.groupInputs ? Math.ceil(weights.rows / choice.groupInputs) : 1;
  assert.equal(fit.levels.length, weights.rows * weights.columns, what);
  assert.equal(fit.alphabets.steps.length, groups * weights.columns, what);
  assert.ok(
    fit.levels.every(level => level < fit.alphabets.levels),
    `${what}: a level beyond its alphabet`,
  );
  for (const numbers of [fit.alphabets.steps, fit.alphabets.zeroPoints, fit.costs ?? []]) {
    assert.ok(Array.from(numbers).every(Number.isFinite), `${what}: not finite`);
  }
  assert.ok(
    fit.alphabets.steps.every(step => step === Math.fround(step)),
    `${what}: a step no float32 holds`,
  );
  if (choice.perTensor) assert.equal(new Set(fit.alphabets.steps).size, 1, what);
  assert.ok(errorsOf(weights, fit.levels, fit.alphabets).data.every(Number.isFinite), what);
  if (fit.costs && metric) {
    const largest = total(await linalg.metricNorms(metric, weights));
    if (fit.bound !== null) {
      const noise = 1e-9 * (largest + fit.bound);
      assert.ok(
        total(fit.costs) <= fit.bound * (1 + 1e-9) + noise,
        `${what}: ${total(fit.costs)} above its bound ${fit.bound}`,
      );
    }
  }
}

for (const [form, open] of Object.entries(forms)) {
  for (const [name, { weights, inputs }] of Object.entries(layers)) {
    test(`every method and alphabet ends in valid codes and a finite error: ${name}, ${form}`, async () => {
      const loops = await open();
      const layer = { weights, inputs, metric: await meanGram([inputs], loops) };
      for (const options of methods) {
        // Pre-processing in the kernel is for fewer rows than inputs; the pipeline never gives it a hundred thousand.
        if (inputs.rows > 1000 && /cell|range/.test(options.variant ?? "")) continue;
        for (const kind of ALPHABET_KINDS) {
          for (const bits of [1, 3] as const) {
            for (const shape of shapes) {
              const choice = { kind, bits, ...shape };
              const fit = await applyMethod(layer, choice, options, loops);
              await checkFit(layer, fit, choice, JSON.stringify({ options, choice }));
            }
          }
        }
      }
      assert.ok((await loops.eigenvalues(layer.metric)).every(Number.isFinite));
    });
  }
}

test("without data every method rounds, at every number of bits", async () => {
  for (const options of methods) {
    for (const bits of ALL_BITS) {
      const choice = { kind: "affine", bits, radius: "data", halfSteps: true } as const;
      const fit = await applyMethod({ weights: anyWeights, metric: null }, choice, options, linalg);
      await checkFit({ weights: anyWeights, metric: null }, fit, choice, JSON.stringify(options));
      assert.deepEqual(fit.levels, await linalg.nearest(anyWeights, fit.alphabets));
      assert.equal(fit.costs, null);
    }
  }
});
