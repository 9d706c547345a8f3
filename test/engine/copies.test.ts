import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readModel } from "../../src/core/onnx/model";
import type { QuantizeOptions } from "../../src/engine/options";
import { quantize } from "../../src/engine/quantize";
import { openSession } from "../../src/engine/runtime";
import { arrayOf, bytesOf, distance, folderOf } from "./files";
import { quiet, run, usual } from "./run";

// Every copy is compared with its dequantized weights before it is kept (checkCopy), so a run that ends well has shown that
// the format is right; here is which combinations must end well.
const formats = [
  ...([1, 2, 3, 4, 8] as const).map(bits => ({ bits, format: "packed" as const, alphabet: "midrise" as const })),
  ...([2, 3, 4, 8] as const).flatMap(bits =>
    (["symmetric", "full", "affine"] as const).map(alphabet => ({ bits, format: "packed" as const, alphabet })),
  ),
  ...([4, 8] as const).flatMap(bits =>
    (["symmetric", "full", "affine"] as const).map(alphabet => ({ bits, format: "qdq" as const, alphabet })),
  ),
];

for (const name of [
  "mlp_opset07",
  "mlp_opset09",
  "mlp_opset11",
  "mlp_opset13",
  "mlp_opset21",
  "odd_shapes",
  "conv_grouped",
  "gemm_transB1",
]) {
  test(`copies of ${name} in every format, width and alphabet compute their dequantized weights`, async t => {
    const folder = folderOf(t);
    for (const one of formats) {
      if (one.format === "qdq" && /opset(07|09|11)/.test(name)) continue;
      const output = join(folder, `${one.format}-${one.alphabet}-${one.bits}.onnx`);
      const report = await run(`test/data/awkward/${name}.onnx`, output, one);
      assert.ok(report.layers.length > 0);
      assert.ok(report.layers.every(layer => layer.format === one.format && layer.bits === one.bits));
      assert.equal(report.bytesAfter, bytesOf(output).length);
    }
  });
}

for (const options of [
  { group: 16 },
  { group: 10, bits: 3 },
  { group: 16, alphabet: "midrise", bits: 1 },
  { perTensor: true },
  { method: "gptq" },
  { method: "gptq", refine: true, group: 16 },
  { method: "gpfq" },
  { method: "gpfq", target: "quantized" },
  { method: "maly-saab", variant: "range", inputs: "float" },
  { method: "maly-saab", variant: "cell", perTensor: true },
  { method: "maly-saab", biasCorrection: "off" },
  { method: "maly-saab", paths: 2, damping: 0.5, refine: true },
] as const satisfies readonly Partial<QuantizeOptions>[]) {
  test(`a fit with ${JSON.stringify(options)} gives a copy that computes its weights, with finite errors`, async t => {
    const folder = folderOf(t);
    for (const name of ["conv_grouped", "conv_bn_relu_pool_fc", "mlp_opset13", "odd_shapes"]) {
      const report = await run(`test/data/awkward/${name}.onnx`, join(folder, `${name}.onnx`), {
        ...options,
        samples: 20,
        synthetic: true,
      });
      for (const layer of report.layers) {
        for (const error of [layer.layerError, layer.layerErrorHeldOut, layer.propagatedError, layer.weightError]) {
          assert.ok(error !== null && Number.isFinite(error) && error >= 0, `${name} ${layer.name}: ${error}`);
        }
        assert.ok(layer.bound === null || layer.bound >= layer.layerError! * (1 - 1e-6));
      }
    }
  });
}

test("at 8 bits a copy stays near the float model, on the pack's own inputs", async t => {
  const folder = folderOf(t);
  for (const [name, input, output] of [
    ["gemm_transB1", "x", "y"],
    ["conv_grouped", "x", "y"],
    ["mlp_opset21", "x", "y"],
  ] as const) {
    const copy = join(folder, `${name}.onnx`);
    await run(`test/data/awkward/${name}.onnx`, copy, { bits: 8 });
    const session = await openSession(copy, { weightsAlone: true, threads: 1 });
    const found = await session.run(new Map([[input, arrayOf(`test/data/awkward/${name}.in.${input}.npy`)]]));
    await session.release();
    const error = distance(found.get(output)!, arrayOf(`test/data/awkward/${name}.out.${output}.npy`));
    assert.ok(error > 0 && error < 0.02, `${name}: ${error}`);
  }
});

test("a model with nothing to quantize is copied to the byte, with a warning", async t => {
  const output = join(folderOf(t), "same.onnx");
  const report = await run("test/data/awkward/no_weights_at_all.onnx", output, {});
  assert.deepEqual(readFileSync(output), readFileSync("test/data/awkward/no_weights_at_all.onnx"));
  assert.match(report.warnings.join(), /can be quantized/);
});

test("a copy run again changes nothing and says why of each tensor", async t => {
  const folder = folderOf(t);
  for (const format of ["packed", "qdq"] as const) {
    const [once, twice] = [join(folder, `${format}1.onnx`), join(folder, `${format}2.onnx`)];
    await run("samples/mnist_mlp.onnx", once, { format });
    const report = await run(once, twice, { format });
    assert.deepEqual(readFileSync(twice), readFileSync(once));
    assert.ok(report.skipped.length > 0);
  }
});

test("the same model, data, options and seed give the same bytes", async t => {
  const folder = folderOf(t);
  const options = { method: "maly-saab", data: "samples/mnist.json", samples: 20, bits: 2 } as const;
  await run("samples/mnist_mlp.onnx", join(folder, "a.onnx"), options);
  await quantize(
    {
      model: "samples/mnist_mlp.onnx",
      output: join(folder, "b.onnx"),
      overwrite: false,
      dryRun: false,
      threads: 2,
      options: { ...usual, ...options },
    },
    quiet,
  );
  assert.deepEqual(readFileSync(join(folder, "a.onnx")), readFileSync(join(folder, "b.onnx")));
});

test("everything but the weights survives: other tensors, metadata, unknown fields, names already taken", async t => {
  const output = join(folderOf(t), "copy.onnx");
  const source = "test/data/awkward/name_collisions_unicode.onnx";
  await run(source, output, { format: "packed" });
  const [before, after] = [readModel(bytesOf(source), source), readModel(bytesOf(output), output)];
  const kept = new Map(after.graph.initializer.map(tensor => [tensor.name, tensor]));
  const quantized = before.graph.initializer.filter(tensor => !kept.has(tensor.name));
  assert.ok(quantized.length > 0);
  for (const tensor of before.graph.initializer) {
    if (kept.has(tensor.name)) assert.deepEqual(kept.get(tensor.name), tensor);
  }
  assert.deepEqual(after.graph.output, before.graph.output);
  assert.deepEqual(
    after.graph.node.slice(-before.graph.node.length).map(node => node.opType),
    before.graph.node.map(node => node.opType),
  );
});

test("a layer that is left out keeps its bytes, and other layers may have another width", async t => {
  const output = join(folderOf(t), "copy.onnx");
  const report = await run("samples/mnist_mlp.onnx", output, {
    layers: [
      { glob: "*net.4*", bits: "keep", method: undefined },
      { glob: "*net.2*", bits: 8, method: undefined },
    ],
  });
  assert.deepEqual(
    report.layers.map(layer => layer.bits),
    [4, 8],
  );
  assert.deepEqual(
    report.skipped.filter(one => one.reason === "excluded").map(one => one.tensor),
    ["net.4.weight"],
  );
});

test("a dry run promises the size that the copy then has", async t => {
  for (const options of [{ bits: 1 }, { bits: 2 }, { bits: 3 }, { bits: 4 }, { bits: 8 }] as const) {
    const output = join(folderOf(t), "copy.onnx");
    const job = {
      model: "samples/mnist_mlp.onnx",
      output,
      overwrite: false,
      threads: 1,
      options: { ...usual, ...options },
    };
    const planned = await quantize({ ...job, dryRun: true }, quiet);
    const done = await quantize({ ...job, dryRun: false }, quiet);
    assert.equal(done.bytesAfter, planned.bytesAfter);
    assert.deepEqual(
      planned.layers.map(layer => layer.bytesAfter),
      done.layers.map(layer => layer.bytesAfter),
    );
  }
});
