/**
 * Time from the command to the report's first row: `node test/vscode/first-row.mjs model.onnx data.json [times]`, after
 * `npm run package`. The data file lies beside its samples; it and the model are copied into one workspace.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { STEP_MS } from "./rig/patience.mjs";
import { openWorkbench } from "./rig/workbench.mjs";
import { engineGone, quantizeModel, reportPage, RUN_MS } from "./whittle.mjs";

const [model, data, times = "3"] = process.argv.slice(2);
const temporary = mkdtempSync(join(tmpdir(), "whittle-first-row-"));
const workspace = join(temporary, "models");
cpSync(model, join(workspace, basename(model)));
cpSync(data, join(workspace, basename(data)));
const { calib, data: other } = JSON.parse(readFileSync(data, "utf8"));
const samples = calib ?? other;
cpSync(join(dirname(data), samples), join(workspace, basename(samples)));

const seconds = ms => `${(ms / 1000).toFixed(2)} s`;
try {
  for (let time = 1; time <= Number(times); time++) {
    const window = await openWorkbench({
      workspace,
      vsix: process.env.WHITTLE_VSIX ?? "dist/whittle-linux-x64.vsix",
    });
    const bits = `${[4, 3, 2][(time - 1) % 3]} bits`;
    await quantizeModel(window, basename(model), { bits, data: basename(data) });
    // The last answer starts the run.
    const began = performance.now();
    const page = await reportPage(window);
    await page.locator(".row.item").first().waitFor({ timeout: STEP_MS });
    const planned = performance.now() - began;
    await page.locator(".row.item:not(.todo)").first().waitFor({ timeout: RUN_MS });
    const done = performance.now() - began;
    await page.getByRole("button", { name: "Save Copy As…" }).waitFor({ timeout: 3 * RUN_MS });
    const all = performance.now() - began;
    await engineGone(window);
    await window.close();
    console.log(
      `${basename(model)}, ${bits}: first row with its size ${seconds(planned)}, with its error ${seconds(done)}, finished ${seconds(all)}`,
    );
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
