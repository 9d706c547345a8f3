import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Failure } from "../../src/core/failure";
import { bytesOf, folderOf } from "./files";
import { run } from "./run";

const MODEL = "samples/mnist_mlp.onnx";
const options = { method: "msq", data: "samples/mnist.json", samples: 20 } as const;

test("bits chosen for bytes make a copy of no more bytes, and the size said before is the size it has", async t => {
  const folder = folderOf(t);
  for (const share of [0.1, 0.14, 0.2]) {
    const maxBytes = Math.floor(share * bytesOf(MODEL).length);
    const copy = join(folder, `${share}.onnx`);
    const { bytesAfter, budget, layers } = await run(MODEL, copy, { ...options, maxBytes });
    assert.ok(bytesAfter <= maxBytes && bytesAfter > 0.7 * maxBytes, `${bytesAfter} of ${maxBytes}`);
    assert.equal(bytesOf(copy).length, bytesAfter);
    assert.equal(budget!.predictedBytes, bytesAfter);
    assert.deepEqual(
      budget!.sensitivities.map(one => [one.name, one.bits]),
      layers.map(layer => [layer.name, layer.bits]),
    );
    // The samples are labelled, so what counts is what the logits say of the classes.
    assert.equal(budget!.chosenBy, "divergence");
    for (const one of budget!.sensitivities) {
      const at = one.outputDivergences!;
      assert.ok(at[8]! >= 0 && at[8]! < at[4]! && at[4]! < at[2]!, JSON.stringify(at));
    }
    const weights = layers.map(layer => layer.inputs * layer.neurons);
    const bits = layers.reduce((sum, layer, k) => sum + layer.bits * weights[k]!, 0);
    assert.ok(Math.abs(budget!.averageBits - bits / weights.reduce((a, b) => a + b)) < 1e-12);
  }
});

test("bits chosen for an error: a smaller one takes more bytes, and what is predicted is within it", async t => {
  const folder = folderOf(t);
  let before = 0;
  for (const maxError of [0.2, 0.05, 0.01]) {
    const report = await run(MODEL, join(folder, `${maxError}.onnx`), { ...options, maxError });
    assert.equal(report.budget!.chosenBy, "relativeError");
    assert.ok(report.budget!.predictedError <= maxError);
    assert.ok(report.bytesAfter >= before);
    before = report.bytesAfter;
    // What came out is said where it is more.
    const missed = report.outputs[0]!.relativeError! > maxError;
    assert.equal(/above the .* aimed at/.test(report.warnings.join("\n")), missed);
  }
});

test("a layer with bits of its own keeps them within a budget", async t => {
  const layers = [{ glob: "*net.0*", bits: 8, method: undefined }] as const;
  const report = await run(MODEL, join(folderOf(t), "copy.onnx"), { ...options, maxError: 0.2, layers });
  assert.equal(report.layers[0]!.bits, 8);
  assert.ok(report.layers.some(layer => layer.bits < 8));
});

test("the smallest copy that is spoken of can be had", async t => {
  const folder = folderOf(t);
  const spoken = async (maxBytes: number): Promise<number> => {
    const error: unknown = await run(MODEL, join(folder, "none.onnx"), { ...options, maxBytes }).catch(
      (why: unknown) => why,
    );
    assert.ok(error instanceof Failure);
    return Number(/takes (\d+) bytes/.exec(error.happened)![1]);
  };
  const least = await spoken(1);
  assert.equal(await spoken(least - 1), least);
  const { bytesAfter } = await run(MODEL, join(folder, "copy.onnx"), { ...options, maxBytes: least });
  assert.ok(bytesAfter <= least);
});

test("a budget that nothing is left to meet with is said to be missed", async t => {
  const layers = [{ glob: "*", bits: "keep", method: undefined }] as const;
  const { warnings } = await run(MODEL, join(folderOf(t), "copy.onnx"), { ...options, maxBytes: 1000, layers });
  assert.match(
    warnings.join("\n"),
    /leave every layer of .* as it is[^]*takes \d+ bytes, more than the 1000 allowed/,
  );
});

test("too few bytes are a failure that says how many it takes, and nothing is written", async t => {
  const copy = join(folderOf(t), "copy.onnx");
  await assert.rejects(run(MODEL, copy, { ...options, maxBytes: 1000 }), (error: unknown) => {
    assert.ok(error instanceof Failure && error.code === "budget-impossible");
    assert.match(error.happened, /smallest copy takes \d+ bytes/);
    return true;
  });
  assert.ok(!existsSync(copy));
});
