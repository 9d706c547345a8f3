/** The words in which a flow tells what a user does with Whittle, on top of those for VS Code (rig/workbench.mjs). */
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeBigModel } from "./bigModel.mjs";
import { STEP_MS, until } from "./rig/patience.mjs";

export const SAMPLES = new URL("../../samples", import.meta.url).pathname;
export const SAMPLE = "mnist_mlp.onnx";

/** A run on the sample takes two or three seconds on an idle machine. */
export const RUN_MS = 4 * STEP_MS;

/**
 * Answers the four questions of Quantize….
 *
 * @param {object} answers labels of the rows to pick; what is left out is the proposal that Enter takes.
 */
export async function answerQuestions(window, { bits, method, data, target }) {
  for (const [question, answer] of [
    ["Bits of a weight", bits],
    ["Method", method],
    ["Calibration data", data],
    ["Where to save", target],
  ]) {
    await until(
      async () => (await window.asked()).includes(question),
      STEP_MS,
      async () => `Nothing asks "${question}", but: ${await window.asked()}`,
    );
    if (answer) await window.pick(answer);
    else await window.page.keyboard.press("Enter");
  }
}

/** Right-clicks the sample, chooses Quantize… and answers. */
export async function quantizeSample(window, answers) {
  await window.clickInExplorerMenu(SAMPLE, "Quantize…");
  await answerQuestions(window, answers);
}

/** The Layer Report's page; when it was hidden or moved, ask again. */
export function reportPage(window) {
  return window.webview(async frame => (await frame.title()) === "Layer Report");
}

/** The page of a model that is open. */
export function modelPage(window, name = SAMPLE) {
  return window.webview(async frame => (await frame.title()) === name);
}

/** The rows of the report: the layer's whole name, and what the cells say. */
export async function reportRows(page) {
  const rows = await page.locator("[role=row][data-name]").all();
  return Promise.all(
    rows.map(async row => ({
      name: await row.getAttribute("data-name"),
      cells: await row.getByRole("gridcell").allInnerTexts(),
    })),
  );
}

/** Processes of the engine that run a job, by pid. Those that look at models are others. */
export function enginesRunning(window) {
  return window
    .processes()
    .filter(({ command }) => /dist\/engine\.js run$/.test(command))
    .map(({ pid }) => pid);
}

export async function engineRunning(window) {
  const pids = await until(
    () => enginesRunning(window).length > 0 && enginesRunning(window),
    STEP_MS,
    () => "No engine came up.",
  );
  return pids[0];
}

/** Files that a run leaves half-written: there should be none. */
export function halfWritten(window) {
  return readdirSync(window.workspace).filter(name => name.endsWith(".part"));
}

/** A workspace with one file; the Explorer does not always hear of files that come later. */
export function workspaceWith(name, content) {
  const folder = mkdtempSync(join(tmpdir(), "whittle-flow-"));
  writeFileSync(join(folder, name), content);
  return folder;
}

/** A workspace with a model that takes long enough to be cancelled; `samples` is not touched. */
export function workspaceWithBigModel() {
  const folder = mkdtempSync(join(tmpdir(), "whittle-flow-"));
  writeBigModel(folder);
  return folder;
}

/** Starts a run on the big model and waits until an engine is at work on its layers. */
export async function startBigRun(window) {
  await window.clickInExplorerMenu("big.onnx", "Quantize…");
  await answerQuestions(window, { bits: "4 bits", method: "maly-saab", data: "big.npy" });
  const pid = await engineRunning(window);
  const page = await reportPage(window);
  await page.getByRole("row").filter({ hasText: "fc0" }).first().waitFor({ timeout: RUN_MS });
  return pid;
}
