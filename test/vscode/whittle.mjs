/** The words in which a flow tells what a user does with Whittle, on top of those for VS Code (rig/workbench.mjs). */
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STEP_MS, until } from "./rig/patience.mjs";

export const SAMPLE = "mnist_mlp.onnx";
/** What ships; a user who ran README's first command has a copy and a report of its own beside it. */
const SHIPPED = [SAMPLE, "mnist.json", "mnist_calibration.npy", "mnist_test.npy", "mnist_labels.npy"];
/** A workspace with the sample as it ships; it goes when this process ends. */
export const SAMPLES = shippedSamples();

function shippedSamples() {
  const parent = mkdtempSync(join(tmpdir(), "whittle-samples-"));
  process.once("exit", () => rmSync(parent, { recursive: true, force: true }));
  for (const name of SHIPPED)
    cpSync(join(import.meta.dirname, "../../samples", name), join(parent, "samples", name));
  return join(parent, "samples");
}

/** The default method takes some seconds on the sample; a machine under load gets ten times that. */
export const RUN_MS = 4 * STEP_MS;

/**
 * Answers the four questions of Quantize….
 *
 * @param {object} answers labels of the rows to pick; what is left out is the proposal that Enter takes.
 */
export async function answerQuestions(window, { bits, ...others }) {
  await answerEach(window, [["Bits of a weight", bits]]);
  await answerOtherQuestions(window, others);
}

/** Those after the number of bits. */
export function answerOtherQuestions(window, { method, data, target }) {
  return answerEach(window, [
    ["Method", method],
    ["Calibration data", data],
    ["Where to save", target],
  ]);
}

async function answerEach(window, answers) {
  for (const [question, answer] of answers) {
    await until(
      async () => (await window.asked()).includes(question),
      STEP_MS,
      async () => `Nothing asks "${question}", but: ${await window.asked()}`,
    );
    if (answer) await window.pick(answer);
    else await window.page.keyboard.press("Enter");
  }
}

/** Right-clicks a model, chooses Quantize… and answers. */
export async function quantizeModel(window, name, answers) {
  await window.clickInExplorerMenu(name, "Quantize…");
  await answerQuestions(window, answers);
}

export function quantizeSample(window, answers) {
  return quantizeModel(window, SAMPLE, { data: "mnist.json", ...answers });
}

/** Answers VS Code's own save dialog, and agrees when it asks whether to replace a file. */
export async function saveAs(window, path, title) {
  const widget = window.page.locator(".quick-input-widget");
  const input = widget.locator(".quick-input-filter input").first();
  const soon = { timeout: 1000 };
  await until(
    async () => (await window.asked()).includes(title),
    STEP_MS,
    () => `Nothing asks "${title}".`,
  );
  // What is typed before the dialog has read its folder and proposed a name, it takes for a path below that folder.
  await until(
    async () => (await input.inputValue()).match(/\.(onnx|html)$/),
    STEP_MS,
    () => "The dialog proposes no name.",
  );
  await widget.locator(".quick-input-list .monaco-list-row").first().waitFor();
  await input.fill(path);
  await input.press("Enter");
  await until(
    async () => {
      if (!(await widget.isVisible())) return true;
      if ((await window.asked()).includes("already exists"))
        await input.press("Enter", soon).catch(() => undefined);
      return false;
    },
    STEP_MS,
    async () => `The dialog stays open and says: ${await window.asked()}`,
  );
}

/** The Layer Report's page; when it was hidden or moved, ask again. */
export function reportPage(window) {
  return window.webview(async frame => (await frame.title()) === "Layer Report");
}

/** The page of a model that is open. */
export function modelPage(window, name = SAMPLE) {
  return window.webview(async frame => (await frame.title()) === name);
}

/** The rows of the report, sorted as shown: the whole name of its layer, and what its cells say. */
export async function reportRows(page) {
  const rows = await page.locator(".row.item").all();
  return Promise.all(
    rows.map(async row => ({
      name: await row.getAttribute("data-name"),
      cells: await row.getByRole("gridcell").allInnerTexts(),
    })),
  );
}

/** Waits until the notification that ends a run says so; the progress of one has another text. */
export async function waitForSaved(window, copy) {
  await window.page
    .locator(".notifications-toasts", { hasText: `Saved ${copy}` })
    .first()
    .waitFor({ timeout: RUN_MS });
}

/** The sample in its default way, to the end: what most flows begin with. */
export async function sampleReport(window) {
  await quantizeSample(window, { bits: "2 bits", target: "mnist_mlp.w2.onnx" });
  await waitForSaved(window, "mnist_mlp.w2.onnx");
  return reportPage(window);
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

/** Waits until no engine runs a job any more. */
export function engineGone(window) {
  return until(
    () => enginesRunning(window).length === 0,
    STEP_MS,
    () => `Engines still run: ${enginesRunning(window).join(", ")}.`,
  );
}

/** Files that a run leaves half-written: there should be none. */
export function halfWritten(window) {
  return readdirSync(window.workspace).filter(name => name.endsWith(".part"));
}

/** All copies in the workspace, by name. */
export function copiesIn(window) {
  return readdirSync(window.workspace).filter(name => /\.w\d(-\d+)?\.onnx$/.test(name));
}
