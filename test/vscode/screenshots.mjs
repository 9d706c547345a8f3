/** Pictures of both pages in all four themes, into media/screenshots: `npm run screenshots`. Look at each before it is kept. */
import { join } from "node:path";
import { SLOW_DATA, SLOW_MODEL, workspaceWithSlowModel } from "./models.mjs";
import { openWorkbench, THEMES } from "./rig/workbench.mjs";
import { engineRunning, modelPage, quantizeModel, reportPage, RUN_MS, SAMPLE, sampleReport } from "./whittle.mjs";

const root = join(import.meta.dirname, "../..");
process.env.WHITTLE_SHOTS ??= join(root, "media/screenshots");

const NAMES = {
  "Dark Modern": "dark",
  "Light Modern": "light",
  "Dark High Contrast": "hc",
  "Light High Contrast": "hc-light",
};
/** Wide enough for a row's bars, and half of what a laptop has. */
const SIDE_BAR_WIDTH = 520;
const options = {
  workspace: workspaceWithSlowModel({ widths: [1000, 900, 800, 700, 600, 500, 400, 10] }),
  vsix: process.env.WHITTLE_VSIX ?? join(root, "dist/whittle-linux-x64.vsix"),
  viewport: { width: 1400, height: 720 },
};

await inWindow(async window => {
  await window.openFile(SAMPLE);
  const page = await sampleReport(window);
  await widenSideBar(window);
  await inEveryTheme(window, "report-finished", "sideBar");
  await page.locator(".row.item").first().click();
  await page.getByRole("heading", { name: /^Error by neuron/ }).waitFor();
  await window.page.setViewportSize({ width: 1400, height: 1080 });
  await inEveryTheme(window, "report-row-open", "sideBar");
  await window.page.setViewportSize(options.viewport);
  await modelPage(window);
  await inEveryTheme(window, "model-editor", "editor");
});

await inWindow(async window => {
  await quantizeModel(window, SLOW_MODEL, { bits: "2 bits", data: SLOW_DATA, target: "slow.w2.onnx" });
  const page = await reportPage(window);
  await page.locator(".row.item:not(.todo)").nth(2).waitFor({ timeout: RUN_MS });
  // It stands still while its picture is taken, so that all four show the same.
  process.kill(await engineRunning(window), "SIGSTOP");
  await widenSideBar(window);
  await inEveryTheme(window, "report-running", "sideBar");
});

async function inWindow(take) {
  const window = await openWorkbench(options);
  try {
    await take(window);
  } finally {
    await window.close();
  }
}

async function inEveryTheme(window, name, part) {
  for (const [theme, short] of Object.entries(NAMES)) {
    if (!(theme in THEMES)) throw new Error(`VS Code has no theme "${theme}".`);
    await window.setTheme(theme);
    // Neither a frame around what was clicked last nor a tooltip.
    await window.page.mouse.move(700, 5);
    await window.runCommand("Notifications: Clear All Notifications");
    console.log(await window.screenshot(`${name}-${short}`, part));
  }
}

/** Drags the edge of the side bar. */
async function widenSideBar(window) {
  const { x, width, y, height } = await window.page.locator(".part.sidebar").boundingBox();
  await window.page.mouse.move(x + width + 2, y + height / 2);
  await window.page.mouse.down();
  await window.page.mouse.move(x + SIDE_BAR_WIDTH, y + height / 2, { steps: 5 });
  await window.page.mouse.up();
}
