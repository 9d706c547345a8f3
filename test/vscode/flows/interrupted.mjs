import assert from "node:assert/strict";
import { flow } from "../rig/flow.mjs";
import { SLOW_DATA, SLOW_MODEL, workspaceWithSlowModel } from "../models.mjs";
import {
  copiesIn,
  engineGone,
  engineRunning,
  halfWritten,
  quantizeModel,
  reportPage,
  sampleReport,
} from "../whittle.mjs";

const workspace = workspaceWithSlowModel();

/** Starts the slow run and waits for its first layer: half a minute of work lies ahead. */
async function startSlowRun(window) {
  await quantizeModel(window, SLOW_MODEL, {
    bits: "2 bits",
    method: "maly-saab",
    data: SLOW_DATA,
    target: "slow.w2.onnx",
  });
  const page = await reportPage(window);
  await page.getByText("Layer 1 of 3").first().waitFor();
  return page;
}

flow("Cancel in the panel ends the engine and leaves no file", { workspace }, async window => {
  const page = await startSlowRun(window);
  await engineRunning(window);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText(/Stopped after \d of 3 layers/).waitFor();
  await window.notification("No file was written");
  await engineGone(window);
  assert.deepEqual([...copiesIn(window), ...halfWritten(window)], []);
});

flow("Cancel in the notification does the same, and the next run works", { workspace }, async window => {
  const page = await startSlowRun(window);
  await window.clickInNotification(`Quantizing ${SLOW_MODEL}`, "Cancel");
  await page.getByText(/Stopped after \d of 3 layers/).waitFor();
  await engineGone(window);
  assert.deepEqual([...copiesIn(window), ...halfWritten(window)], []);
  await sampleReport(window);
  assert.deepEqual(copiesIn(window), ["mnist_mlp.w2.onnx"]);
});

flow("An engine killed in the middle is a clear failure, and the next run works", { workspace }, async window => {
  const page = await startSlowRun(window);
  process.kill(await engineRunning(window), "SIGKILL");
  await page.getByRole("heading", { name: "The engine stopped" }).waitFor();
  await window.notification("The engine ended unexpectedly (SIGKILL)");
  await engineGone(window);
  assert.deepEqual([...copiesIn(window), ...halfWritten(window)], []);
  await sampleReport(window);
  assert.deepEqual(copiesIn(window), ["mnist_mlp.w2.onnx"]);
});
