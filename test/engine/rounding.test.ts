import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { seeded } from "../../src/core/random";
import { folderOf, writeNpy } from "./files";
import { run } from "./run";

const MODEL = "test/data/awkward/mlp_opset21.onnx";
const INPUTS = 32;
const random = seeded(5);
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Samples of the model's inputs, those that `isStrange` all along one direction and far larger. */
function samplesOf(folder: string, count: number, isStrange: (sample: number) => boolean = () => false): string {
  const values = Float32Array.from({ length: count * INPUTS }, (_, at) =>
    isStrange(Math.floor(at / INPUTS)) ? 50 * ((at % 2) - 0.5) : normal(),
  );
  return writeNpy(join(folder, `${count}.npy`), [count, INPUTS], values);
}

test("the rounding a fit is held against is the one its offer makes", async t => {
  const folder = folderOf(t);
  const data = samplesOf(folder, 20);
  const fit = await run(MODEL, join(folder, "fit.onnx"), { method: "maly-saab", bits: 3, samples: 20, data });
  const offered = { method: "msq", radius: "max", target: "quantized" } as const;
  const rounded = await run(MODEL, join(folder, "rounded.onnx"), { ...offered, bits: 3, samples: 20, data });
  assert.equal(rounded.rounding, null, "it is not held against itself");
  const same = (a: number, b: number): boolean => Math.abs(a - b) < 1e-4 * b;
  assert.ok(same(fit.rounding!.relativeError, rounded.outputs[0]!.relativeError!));
  assert.ok(same(fit.rounding!.fittedRelativeError, fit.outputs[0]!.relativeError!));
  assert.equal(fit.rounding!.crossValidated, false);
});

test("with too few samples to hold any out a fit is judged by two fits to halves", async t => {
  const folder = folderOf(t);
  const data = samplesOf(folder, 6);
  const { rounding, warnings, layers } = await run(MODEL, join(folder, "copy.onnx"), { data, samples: 6 });
  assert.equal(rounding!.crossValidated, true);
  assert.ok(rounding!.fittedRelativeError > 0);
  assert.equal(layers[0]!.layerErrorHeldOut, null);
  assert.match(warnings.join("\n"), /Only 6 samples .* Too few to hold any out/);
  const one = await run(MODEL, join(folder, "one.onnx"), { data, samples: 1 });
  assert.equal(one.rounding, null);
});

test("a fit that is farther off than rounding on samples it has not seen says so and offers rounding", async t => {
  const folder = folderOf(t);
  const data = samplesOf(folder, 10, sample => sample % 5 !== 4);
  const report = await run(MODEL, join(folder, "copy.onnx"), { method: "gptq", damping: 1e-6, data, samples: 10 });
  assert.ok(report.rounding!.fittedRelativeError > report.rounding!.relativeError);
  assert.match(report.warnings.join("\n"), /farther from the float model than plain rounding .*--method msq/);
});
