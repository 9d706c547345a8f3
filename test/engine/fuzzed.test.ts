import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Model, readModel, writeModel } from "../../src/core/onnx/model";
import { bytesOf, folderOf } from "./files";
import { run } from "./run";

// What fuzzing (`npm run fuzz`) broke. Broken encodings that it found are in the table of hostile models.

async function copyOf(folder: string, change: (model: Model) => void, file = "test/data/awkward/mlp_opset13.onnx") {
  const model = readModel(bytesOf(file), "seed");
  change(model);
  const path = join(folder, "model.onnx");
  writeFileSync(path, writeModel(model));
  return run(path, join(folder, "copy.onnx"), { bits: 8, method: "msq" });
}

function sizeOfInput(model: Model, axis: number, value: bigint): void {
  model.graph.input[0]!.type!.tensorType!.shape!.dim[axis]!.value = { case: "dimValue", value };
}

test("a model whose input is -1 long takes any length, as some exporters mean it", async t => {
  const report = await copyOf(folderOf(t), model => sizeOfInput(model, 0, -1n));
  assert.equal(report.calibration.samples, 4);
  assert.ok(report.layers.every(layer => layer.layerError !== null));
});

test("a model whose input has 2^40 rows is copied without being run, and says so", async t => {
  const report = await copyOf(folderOf(t), model => sizeOfInput(model, 0, 2n ** 40n));
  assert.match(report.warnings.join(), /cannot be run on made-up inputs \(an input of a kind or a size/);
});

test("a network that overflows is rounded without its data where it does, and says so", async t => {
  const report = await copyOf(
    folderOf(t),
    ({ graph }) => {
      // 500 neurons that all give 784 times 3e38.
      const bytes = 4 * 784 * 500;
      const first = graph.initializer.find(one => one.rawData.length === bytes)!;
      first.rawData = new Uint8Array(new Float32Array(bytes / 4).fill(3e38).buffer);
    },
    "samples/mnist_mlp.onnx",
  );
  // The first weight itself is left alone, as out of range.
  assert.deepEqual(
    report.layers.map(layer => [layer.rows, layer.layerError, layer.layerErrorHeldOut]),
    [
      [0, null, null],
      [0, null, null],
    ],
  );
  assert.match(
    report.warnings.join("\n"),
    /inputs of \/net\/net.2\/Gemm, \/net\/net.4\/Gemm hold .* NaN and infinite values/,
  );
});
