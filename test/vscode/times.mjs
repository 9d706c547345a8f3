// Seconds from the last answer of Quantize… to the first finished row, on the sample and on SqueezeNet 1.1 of the developers'
// pack: `node test/vscode/times.mjs`, after `npm run package`.
import { copyFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setup } from "./rig/setup.mjs";
import { openWorkbench } from "./rig/workbench.mjs";
import { answerQuestions, reportPage, RUN_MS, SAMPLE, SAMPLES } from "./whittle.mjs";

process.env.WHITTLE_VSIX = resolve("dist/whittle-linux-x64.vsix");
setup();
const pack = resolve("../shared/data");
const squeezenet = mkdtempSync(join(tmpdir(), "whittle-times-"));
copyFileSync(`${pack}/models/squeezenet1.1.onnx`, join(squeezenet, "squeezenet1.1.onnx"));
const pre = { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], layout: "NCHW" };
const data = { input: "data", kind: "image", calib: `${pack}/data/imagenet_calib_x_u8.npy`, pre, batch: 1 };
writeFileSync(join(squeezenet, "squeezenet1.1.json"), JSON.stringify(data));

for (const [workspace, model, answer] of [
  [SAMPLES, SAMPLE, "mnist.json"],
  [squeezenet, "squeezenet1.1.onnx", "squeezenet1.1.json"],
]) {
  const window = await openWorkbench({ workspace });
  await window.clickInExplorerMenu(model, "Quantize…");
  await answerQuestions(window, { bits: "4 bits", method: "maly-saab", data: answer });
  const started = performance.now();
  const page = await reportPage(window);
  await page.locator("[role=row][data-name][aria-expanded]").first().waitFor({ timeout: RUN_MS });
  console.log(`${model}: first row after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  await window.page.locator(".notifications-toasts", { hasText: "Saved" }).waitFor({ timeout: 3 * RUN_MS });
  console.log(`${model}: saved after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  await window.close();
}
