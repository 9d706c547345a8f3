// Pictures of the pages in a real VS Code, in all four themes, into media/screenshots: `npm run screenshots`.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { THEMES, openWorkbench } from "./rig/workbench.mjs";
import { setup } from "./rig/setup.mjs";
import {
  modelPage,
  quantizeSample,
  reportPage,
  RUN_MS,
  SAMPLE,
  SAMPLES,
  startBigRun,
  workspaceWithBigModel,
} from "./whittle.mjs";

process.env.WHITTLE_VSIX = resolve("dist/whittle-linux-x64.vsix");
const folder = resolve("media/screenshots");
mkdirSync(folder, { recursive: true });
setup();

/** The side bar is the page for the report, the editor for a model. */
const shoot = (window, part, name) =>
  window.page.locator(part).screenshot({ path: join(folder, `${name}.png`), animations: "disabled" });

for (const theme of Object.keys(THEMES)) {
  const name = theme.toLowerCase().replaceAll(" ", "-");
  const window = await openWorkbench({ workspace: SAMPLES });
  await window.setTheme(theme);
  await window.openFile(SAMPLE);
  await (await modelPage(window)).getByText("net.4").first().waitFor();
  await shoot(window, ".part.editor", `model-editor-${name}`);
  await quantizeSample(window, { bits: "2 bits", method: "maly-saab", data: "mnist.json" });
  await window.page.locator(".notifications-toasts", { hasText: "Saved mnist_mlp" }).waitFor({ timeout: RUN_MS });
  const page = await reportPage(window);
  await page.locator('[role=row][data-name="/net/net.0/Gemm"]').waitFor();
  await shoot(window, ".part.sidebar", `report-finished-${name}`);
  await page.locator('[role=row][data-name="/net/net.0/Gemm"]').click();
  await page
    .getByText(/of the grid|held out|Fitted/i)
    .first()
    .waitFor();
  await shoot(window, ".part.sidebar", `report-open-${name}`);
  await window.close();

  const busy = await openWorkbench({ workspace: workspaceWithBigModel() });
  await busy.setTheme(theme);
  await startBigRun(busy);
  await (await reportPage(busy)).locator('[role=row][data-name="fc2"]').waitFor();
  await shoot(busy, ".part.sidebar", `report-running-${name}`);
  await busy.close();
}
