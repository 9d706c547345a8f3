import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { readDataFile } from "../../src/engine/dataFile";
import type { QuantizeOptions } from "../../src/engine/options";
import { folderOf } from "../engine/files";
import { run } from "../engine/run";

const pack = "../shared/data";

/** The error of the outputs on held-out samples, in dB. */
async function decibels(t: TestContext, model: string, entry: string, options: Partial<QuantizeOptions>) {
  const folder = folderOf(t);
  // The pictures of the pack as an array, too: every decoder of JPEG has figures of its own.
  const { preprocessing: pre, input, calibration } = await readDataFile(`${pack}/manifest.json#${entry}`);
  const calib = calibration!.endsWith(".npy") ? calibration : resolve(pack, "data/imagenet_calib_x_u8.npy");
  const data = join(folder, "data.json");
  writeFileSync(data, JSON.stringify({ kind: "image", input, calib, pre, batch: 10 }));
  const report = await run(`${pack}/models/${model}`, join(folder, "copy.onnx"), {
    data,
    samples: undefined,
    ...options,
  });
  const db = report.outputs[0]!.sqnrDb!;
  console.log(`${model} ${JSON.stringify(options)}: ${db.toFixed(1)} dB in ${report.seconds.toFixed(0)} s`);
  return db;
}

test("plain rounding of aligned weights keeps SqueezeNet at 4 bits and ResNet-20 at 3", async t => {
  assert.ok(
    (await decibels(t, "squeezenet1.1.onnx", "squeezenet1.1", { method: "msq", radius: "max", bits: 4 })) >= 20,
  );
  assert.ok(
    (await decibels(t, "cifar10_resnet20.onnx", "cifar10_resnet20", { method: "msq", radius: "max", bits: 3 })) >=
      12,
  );
});

test("the target decides: SqueezeNet at 3 bits loses 5 dB and more when layers match themselves", async t => {
  const at = (target: "float" | "quantized") =>
    decibels(t, "squeezenet1.1.onnx", "squeezenet1.1", { method: "maly-saab", bits: 3, target });
  const float = await at("float");
  assert.ok(float >= 20, `${float}`);
  assert.ok((await at("quantized")) <= float - 5);
});
