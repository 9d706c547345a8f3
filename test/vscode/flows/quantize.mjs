import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { flow } from "../rig/flow.mjs";
import {
  enginesRunning,
  halfWritten,
  quantizeSample,
  reportPage,
  reportRows,
  RUN_MS,
  SAMPLE,
  SAMPLES,
} from "../whittle.mjs";

flow(
  "A right-click on the sample and four answers make a copy that onnxruntime loads",
  { workspace: SAMPLES },
  async window => {
    await quantizeSample(window, {
      bits: "2 bits",
      method: "maly-saab",
      data: "mnist.json",
      target: "mnist_mlp.w2.onnx",
    });

    // The panel fills while it runs: all rows with their sizes at once, errors as layers finish.
    const page = await reportPage(window);
    await page.locator('[role=row][data-name="/net/net.0/Gemm"]').waitFor();
    await window.page
      .locator(".notifications-toasts", { hasText: "Saved mnist_mlp.w2.onnx" })
      .waitFor({ timeout: RUN_MS });

    const rows = await reportRows(page);
    assert.equal(rows.length, 3, `The sample has three layers: ${JSON.stringify(rows)}`);
    for (const { name, cells } of rows) {
      assert.match(name, /net\.\d\/Gemm/, "A row names its layer.");
      assert.match(cells.join(" "), /\d+\.\d/, "A row says its error.");
    }

    const copy = join(window.workspace, "mnist_mlp.w2.onnx");
    assert.ok(statSync(copy).size < 0.1 * statSync(join(window.workspace, SAMPLE)).size);
    const session = await ort.InferenceSession.create(copy);
    const answer = await session.run({ input: new ort.Tensor("float32", new Float32Array(784), [1, 784]) });
    assert.deepEqual(answer.logits.dims, [1, 10]);

    assert.deepEqual(halfWritten(window), []);
    assert.deepEqual(enginesRunning(window), [], "The engine ends with its job.");
    await window.screenshot("flow-quantize");
  },
);
