import assert from "node:assert/strict";
import { accessibilityFaults } from "../rig/accessibility.mjs";
import { flow } from "../rig/flow.mjs";
import { STEP_MS, until } from "../rig/patience.mjs";
import { THEMES } from "../rig/workbench.mjs";
import {
  modelPage,
  quantizeSample,
  reportPage,
  reportRows,
  RUN_MS,
  SAMPLE,
  SAMPLES,
  workspaceWith,
} from "../whittle.mjs";

const saved = window =>
  window.page.locator(".notifications-toasts", { hasText: "Saved mnist_mlp" }).waitFor({ timeout: RUN_MS });

/** The rows of the report once they are drawn: a page that comes back is empty at first. */
const threeRows = window =>
  until(
    async () => {
      const rows = await reportRows(await reportPage(window));
      return rows.length === 3 && rows;
    },
    STEP_MS,
    () => "The report does not show its three rows.",
  );

flow("A double click on a model shows what is in it", { workspace: SAMPLES }, async window => {
  await window.openFile(SAMPLE);
  const page = await modelPage(window);
  for (const text of ["net.0", "net.2", "net.4", "Quantize…"]) {
    await page.getByText(text).first().waitFor();
  }
  assert.deepEqual(await accessibilityFaults(page), []);
  await window.screenshot("model-editor");
});

flow(
  "A file that is no model says what it is instead",
  { workspace: workspaceWith("words.onnx", "just some words\n") },
  async window => {
    await window.openFile("words.onnx");
    const page = await modelPage(window, "words.onnx");
    await page.getByText(/is a text, not an ONNX model/).waitFor();
    await window.clickInExplorerMenu("words.onnx", "Quantize…");
    await window.page.locator(".notifications-toasts", { hasText: "is a text, not an ONNX model" }).waitFor();
  },
);

flow("The report stays readable and accessible in every theme", { workspace: SAMPLES }, async window => {
  await quantizeSample(window, { bits: "2 bits", method: "maly-saab", data: "mnist.json" });
  await saved(window);
  for (const theme of Object.keys(THEMES)) {
    await window.setTheme(theme);
    const page = await reportPage(window);
    await page.locator('[role=row][data-name="/net/net.0/Gemm"]').waitFor();
    assert.deepEqual(await accessibilityFaults(page), [], theme);
  }
});

flow(
  "The report is still there when its view was hidden, and when the window was loaded anew",
  { workspace: SAMPLES },
  async window => {
    await quantizeSample(window, { bits: "2 bits", method: "msq", data: "mnist.json" });
    await saved(window);
    const before = await threeRows(window);

    await window.openView("Explorer");
    await window.openView("Whittle");
    assert.deepEqual(await threeRows(window), before);

    await window.reload();
    await window.openView("Whittle");
    assert.deepEqual(await threeRows(window), before);
  },
);
