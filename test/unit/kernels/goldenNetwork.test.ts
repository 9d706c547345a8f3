import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { align } from "../../../src/core/methods/align";
import { walkLayer } from "../../../src/core/methods/walk";
import { compileKernels, newMemory } from "../../../src/kernels/module";
import { inProcessPool } from "../../../src/kernels/pool";
import { type WasmLinalg, wasmLinalg } from "../../../src/kernels/wasmLinalg";
import { choiceOf, golden, momentsOf, planOf } from "../core/methods/goldenNetwork";
import { matrix } from "../core/methods/reference";

// The network of reference/network.py on the loops that ship: every layer on the inputs and targets that the reference gave it.

const loops: Record<string, WasmLinalg> = {};
before(async () => {
  const module = await compileKernels(readFileSync("dist/kernels.wasm"));
  const pause = () => Promise.resolve();
  loops.float64 = wasmLinalg(inProcessPool(module, newMemory()), pause);
  loops.float32 = wasmLinalg(inProcessPool(module, newMemory()), pause, { singleAbove: 0 });
});

for (const form of ["float64", "float32"]) {
  for (const { bits, samples, layers } of golden.cases) {
    test(`in ${form} ${form === "float64" ? "every neuron has the reference's codes" : "a neuron has the reference's codes or its cost within 1 %"}: ${bits} bits, ${samples} samples`, async () => {
      const linalg = loops[form]!;
      let different = 0;
      for (const [index, step] of layers.entries()) {
        const layer = golden.layers[index]!;
        const seen = matrix(step.seen ?? golden.inputs.slice(0, samples));
        const Y = matrix(step.Y ?? layer["float sum"]!.slice(0, samples));
        const W = matrix(layer.weights);
        const fitted = await align(await momentsOf(seen, Y, linalg), W, layer.bias !== null, linalg);
        const fit = await walkLayer(
          { weights: fitted.target, metric: fitted.metric },
          choiceOf(bits),
          planOf(bits, W.rows),
          linalg,
        );
        for (let j = 0; j < W.columns; j++) {
          const same = step.codes.every((row, i) => row[j] === fit.levels[i * W.columns + j]);
          if (same) continue;
          different++;
          assert.notEqual(form, "float64", `layer ${index}, neuron ${j}: other codes`);
          const off = Math.abs(fit.costs![j]! / step.cost[j]! - 1);
          assert.ok(off <= 0.01, `layer ${index}, neuron ${j}: cost off by ${off}`);
        }
      }
      console.log(`${form}, ${bits} bits, ${samples} samples: ${different} neurons with other codes`);
    });
  }
}
