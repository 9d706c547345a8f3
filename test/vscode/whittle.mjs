/** The words in which a flow tells what a user does with Whittle, on top of those for VS Code (rig/workbench.mjs). */
import { readdirSync } from "node:fs";
import { STEP_MS, until } from "./rig/patience.mjs";

export const SAMPLES = new URL("../../samples", import.meta.url).pathname;
export const SAMPLE = "mnist_mlp.onnx";

/** The default method on the sample takes half a minute where the loops are plain, a second where they are compiled. */
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

/** What a row of the report says, by cell: the name of its layer first. */
export async function reportRows(page) {
  const rows = await page
    .getByRole("row")
    .filter({ has: page.getByRole("gridcell") })
    .all();
  return Promise.all(rows.map(row => row.getByRole("gridcell").allInnerTexts()));
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
