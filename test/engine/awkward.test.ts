import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Failure } from "../../src/core/failure";
import { inspect } from "../../src/engine/inspect";
import { openSession } from "../../src/engine/runtime";
import { arraysBeside, bytesOf, distance, folderOf } from "./files";
import { run } from "./run";

interface Awkward {
  readonly file: string;
  readonly what: string;
  readonly "onnxruntime_node_1.30.0": string;
}
const folder = "test/data/awkward";
const index = JSON.parse(readFileSync(`${folder}/index.json`, "utf8")) as Awkward[];
const shipped = index.filter(({ file }) => existsSync(`${folder}/${file}`));
const runs = shipped.filter(one => one["onnxruntime_node_1.30.0"] === "runs");

test("all the awkward models are there", () => {
  assert.ok(runs.length >= 70, `${runs.length}`);
});

for (const { file, what } of runs) {
  test(`${file} (${what}) has copies at 8, 4 and 2 bits that onnxruntime runs; at 8 bits it is near the original`, async t => {
    for (const bits of [8, 4, 2] as const) {
      const copy = join(folderOf(t), "copy.onnx");
      // Each copy is compared with its dequantized weights before it is kept.
      const report = await run(`${folder}/${file}`, copy, { bits });
      const files = [copy, ...(report.outputData === null ? [] : [report.outputData])];
      assert.equal(
        report.bytesAfter,
        files.reduce((sum, one) => sum + bytesOf(one).length, 0),
      );
      const session = await openSession(copy, { weightsAlone: true, threads: 1 });
      const found = await session.run(arraysBeside(`${folder}/${file}`, "in"));
      await session.release();
      if (bits !== 8) continue;
      for (const [name, wanted] of arraysBeside(`${folder}/${file}`, "out")) {
        if (!/^float(32|64)$/.test(wanted.type) || !found.has(name)) continue;
        const error = distance(found.get(name)!, wanted);
        assert.ok(!(error > 0.05), `${name}: ${error}`);
      }
    }
  });
}

/** The stored tensors that are quantized in awkward models, and why others are not. */
const weightsOf: Readonly<Record<string, { layers: string[]; left?: Record<string, string> }>> = {
  "weights_in_constant_nodes.onnx": { layers: ["W"] },
  "weight_via_identity_cast_transpose.onnx": {
    layers: ["W0", "V16", "U0", "R0"],
    left: { shp: "unsupported-type" },
  },
  "shared_initializer.onnx": { layers: ["W", "V"] },
  "weight_is_also_output.onnx": { layers: [], left: { W: "graph-output" } },
  "if_subgraph.onnx": { layers: ["Wo", "Wo2", "Wi"] },
  "if_nested_13.onnx": { layers: ["Wo"] },
  "scan_subgraph.onnx": { layers: ["Ws", "Us"], left: { h0: "unsupported-operator" } },
  "local_function.onnx": { layers: ["W", "V"] },
  "loop_subgraph.onnx": { layers: ["W"], left: { n: "unsupported-type", c: "unsupported-type" } },
  "fp16_weights.onnx": { layers: ["W", "V"], left: { b: "bias" } },
  "fp16_in_int32_data.onnx": { layers: ["V"] },
  "bf16_weight_cast.onnx": { layers: ["Wb"] },
  "double_weights.onnx": { layers: ["W"] },
  "sparse_initializer.onnx": { layers: [], left: { Ws: "unsupported-type" } },
  "einsum_weight.onnx": { layers: [], left: { W: "unsupported-operator" } },
};
for (const [file, { layers, left }] of Object.entries(weightsOf)) {
  test(`${file}: ${layers.length > 0 ? `${layers.join(", ")} quantized` : "nothing quantized"}, the rest left with its reason`, () => {
    const found = inspect(`${folder}/${file}`);
    assert.deepEqual(
      found.layers.map(layer => layer.tensor),
      layers,
    );
    assert.deepEqual(Object.fromEntries(found.skipped.map(one => [one.tensor, one.reason])), left ?? {});
    assert.ok(found.skipped.every(one => one.detail.length > 20));
  });
}

for (const { file, what } of shipped.filter(one => one["onnxruntime_node_1.30.0"].startsWith("error"))) {
  // What onnxruntime refuses only for an operator or a type it does not know is still copied, and said not to have been run.
  if (file === "custom_domain_op.onnx" || file === "broken_unknown_dtype.onnx") continue;
  test(`${file} (${what}) is a clear failure, and nothing is left behind`, async t => {
    const target = folderOf(t);
    await assert.rejects(run(`${folder}/${file}`, join(target, "copy.onnx"), {}), (error: unknown) => {
      assert.ok(error instanceof Failure, String(error));
      assert.ok(error.happened.length > 10 && error.next.length > 10);
      return true;
    });
    assert.deepEqual(readdirSync(target), []);
  });
}

test("a model with an operator that onnxruntime does not know is copied, with a warning that it was not run", async t => {
  const report = await run(`${folder}/custom_domain_op.onnx`, join(folderOf(t), "copy.onnx"), {});
  assert.ok(report.layers.length > 0);
  assert.match(report.warnings.join(), /not run/);
  assert.equal(report.runtime, null);
});
