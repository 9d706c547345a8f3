import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { flow } from "../rig/flow.mjs";
import { STEP_MS, until } from "../rig/patience.mjs";
import {
  answerOtherQuestions,
  engineGone,
  halfWritten,
  quantizeSample,
  reportPage,
  reportRows,
  SAMPLE,
  sampleReport,
  SAMPLES,
  saveAs,
  waitForSaved,
} from "../whittle.mjs";

flow(
  "A right-click on the sample and four answers make a copy that onnxruntime loads",
  { workspace: SAMPLES },
  async window => {
    await quantizeSample(window, { bits: "2 bits", method: "maly-saab", target: "mnist_mlp.w2.onnx" });

    // The panel fills while it runs: all rows with their sizes at once, errors as layers finish.
    const page = await reportPage(window);
    await page.locator('.row.item[data-name="/net/net.0/Gemm"]').waitFor();
    await waitForSaved(window, "mnist_mlp.w2.onnx");

    await page.getByRole("button", { name: "Save Copy As…" }).waitFor();
    const rows = await reportRows(page);
    assert.deepEqual(rows.map(row => row.name).sort(), ["/net/net.0/Gemm", "/net/net.2/Gemm", "/net/net.4/Gemm"]);
    for (const { name, cells } of rows) {
      const text = cells.join(" ");
      assert.match(text, /\d+\.\d/, `The row of ${name} says its error, not only "${text}".`);
    }

    const copy = join(window.workspace, "mnist_mlp.w2.onnx");
    assert.ok(statSync(copy).size < 0.1 * statSync(join(window.workspace, SAMPLE)).size);
    const session = await ort.InferenceSession.create(copy);
    const answer = await session.run({ input: new ort.Tensor("float32", new Float32Array(784), [1, 784]) });
    assert.deepEqual(answer.logits.dims, [1, 10]);

    assert.deepEqual(halfWritten(window), []);
    await engineGone(window);
    await window.screenshot("flow-quantize");
  },
);

flow(
  "Save Copy As… writes the copy to another name, and never over the model",
  { workspace: SAMPLES },
  async window => {
    await quantizeSample(window, { bits: "4 bits", method: "msq", target: "mnist_mlp.w4.onnx" });
    await waitForSaved(window, "mnist_mlp.w4.onnx");
    const size = statSync(join(window.workspace, "mnist_mlp.w4.onnx")).size;

    const page = await reportPage(window);
    await page.getByRole("button", { name: "Save Copy As…" }).click();
    await saveAs(window, join(window.workspace, "small.onnx"), "Save the quantized copy");
    await window.notification("Saved small.onnx");
    assert.equal(statSync(join(window.workspace, "small.onnx")).size, size);

    const before = statSync(join(window.workspace, SAMPLE)).size;
    await page.getByRole("button", { name: "Save Copy As…" }).click();
    await saveAs(window, join(window.workspace, SAMPLE), "Save the quantized copy");
    await window.notification("Cannot save over the model itself");
    assert.equal(statSync(join(window.workspace, SAMPLE)).size, before);
  },
);

flow("Export Report… writes the layers as CSV and the whole as a page", { workspace: SAMPLES }, async window => {
  const layers = (await reportRows(await sampleReport(window))).map(row => row.name).sort();
  for (const name of ["report.csv", "report.html"]) {
    await window.runCommand("Whittle: Export Report…");
    await saveAs(window, join(window.workspace, name), "Export the report");
    await window.notification(`Saved ${name}`);
  }
  const [, ...lines] = readFileSync(join(window.workspace, "report.csv"), "utf8").trimEnd().split("\r\n");
  assert.deepEqual(lines.map(line => line.split(",")[0]).sort(), layers);
  const page = readFileSync(join(window.workspace, "report.html"), "utf8");
  for (const layer of layers) assert.ok(page.includes(`<td>${layer}</td>`), `${layer} is not on the page.`);
});

flow("By Size… gives every layer its own bits and keeps to the size", { workspace: SAMPLES }, async window => {
  await window.clickInExplorerMenu(SAMPLE, "Quantize…");
  await window.pick("By Size…");
  await window.answer("10 KB", "The most the copy may take");
  await until(
    async () => (await window.asked()).includes("Even 2 bits everywhere need"),
    STEP_MS,
    async () => `What is too small is not refused: ${await window.asked()}`,
  );
  await window.answer("200 KB");
  await answerOtherQuestions(window, { method: "maly-saab", data: "mnist.json", target: "mnist_mlp.mixed.onnx" });
  await waitForSaved(window, "mnist_mlp.mixed.onnx");
  assert.ok(statSync(join(window.workspace, "mnist_mlp.mixed.onnx")).size <= 200 * 1024);
  const page = await reportPage(window);
  await page.getByText("more notes").click();
  await page.getByText("Bits were chosen layer by layer").waitFor();
  await page.getByText("mixed bits, maly-saab").waitFor();
});
