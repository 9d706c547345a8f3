// The engine killed 20 times at random moments (seeded): `node test/vscode/kill.mjs`, after `npm run package`. Outside CI: minutes.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { STEP_MS, until } from "./rig/patience.mjs";
import { setup } from "./rig/setup.mjs";
import { openWorkbench } from "./rig/workbench.mjs";
import { enginesRunning, halfWritten, reportPage, RUN_MS, startBigRun, workspaceWithBigModel } from "./whittle.mjs";

process.env.WHITTLE_VSIX = resolve("dist/whittle-linux-x64.vsix");
const TIMES = 20;
/** A run on the big model takes about this long; moments are drawn from all of it. */
const LONGEST_MS = 8000;
setup();
const window = await openWorkbench({ workspace: workspaceWithBigModel() });
let state = 7;
for (let k = 1; k <= TIMES; k++) {
  const pid = await startBigRun(window);
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  const moment = (state / 2 ** 32) * LONGEST_MS;
  await new Promise(done => setTimeout(done, moment));
  let died = true;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    died = false; // The run was over before its moment came.
  }
  await until(
    () => enginesRunning(window).length === 0,
    STEP_MS,
    () => "An engine is still at work.",
  );
  assert.deepEqual(
    await until(
      () => halfWritten(window).length === 0 && [],
      STEP_MS,
      () => "A file was left.",
    ),
    [],
  );
  console.log(
    `${k}: ${died ? "killed" : "was done"} after ${Math.round(moment)} ms, VS Code alive, no file left half-written`,
  );
  for (const close of await window.page.locator(".notifications-toasts .codicon-notifications-clear").all()) {
    await close.click().catch(() => undefined); // A toast may leave by itself.
  }
}
await startBigRun(window);
await window.page.locator(".notifications-toasts", { hasText: "Saved big" }).waitFor({ timeout: RUN_MS });
assert.ok(existsSync(join(window.workspace, "big.w4.onnx")));
assert.ok(await reportPage(window));
console.log("The next run worked.");
await window.close();
