import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { flow } from "../rig/flow.mjs";
import { STEP_MS, until } from "../rig/patience.mjs";
import {
  enginesRunning,
  halfWritten,
  reportPage,
  RUN_MS,
  startBigRun,
  workspaceWithBigModel,
} from "../whittle.mjs";

const gone = window =>
  until(
    () => enginesRunning(window).length === 0,
    STEP_MS,
    () => "An engine is still at work.",
  );

flow(
  "Cancel in the notification ends the run and leaves no file",
  { workspace: workspaceWithBigModel() },
  async window => {
    await startBigRun(window);
    await window.clickInNotification("Quantizing big.onnx", "Cancel");
    const page = await reportPage(window);
    await page.getByText(/Stopped after \d+ of 8 layers/).waitFor({ timeout: RUN_MS });
    await gone(window);
    assert.deepEqual(halfWritten(window), []);
    assert.ok(!existsSync(join(window.workspace, "big.w4.onnx")));
  },
);

flow(
  "An engine that dies is a clear failure, VS Code lives, and the next run works",
  { workspace: workspaceWithBigModel() },
  async window => {
    const pid = await startBigRun(window);
    process.kill(pid, "SIGKILL");
    const page = await reportPage(window);
    await page
      .getByText(/engine/i)
      .first()
      .waitFor({ timeout: RUN_MS });
    await gone(window);
    assert.deepEqual(halfWritten(window), []);

    await startBigRun(window);
    await window.page
      .locator(".notifications-toasts", { hasText: "Saved big.w4.onnx" })
      .waitFor({ timeout: RUN_MS });
    assert.ok(existsSync(join(window.workspace, "big.w4.onnx")));
    assert.deepEqual(halfWritten(window), []);
  },
);
