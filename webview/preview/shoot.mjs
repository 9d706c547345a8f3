// Pictures of the pages and what axe-core finds in them: `node webview/preview/shoot.mjs [name…]` builds the preview, opens it in
// a headless Chromium (CHROMIUM, or /usr/bin/chromium) and writes dist/preview/pictures/*.png.
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";
import "./build.mjs";

const themes = (process.env.THEMES ?? "dark light hc hc-light").split(" ");
const open = async page => {
  for (const name of ["Conv_37", "Conv_22"]) await page.locator(`.row[data-name="${name}"]`).click();
};
const pictures = [
  { name: "finished", page: "report", state: "finished", width: 320, act: open },
  { name: "finished-250", page: "report", state: "finished", width: 250 },
  { name: "finished-900", page: "report", state: "finished", width: 900, act: open },
  { name: "finished-700", page: "report", state: "finished", width: 700 },
  { name: "running", page: "report", state: "running", width: 320 },
  { name: "synthetic", page: "report", state: "synthetic", width: 320 },
  { name: "no-data", page: "report", state: "no-data", width: 320 },
  { name: "many", page: "report", state: "many", width: 320, viewport: true },
  {
    name: "menu",
    page: "report",
    state: "finished",
    width: 320,
    viewport: true,
    act: page => page.locator(".tools .tool").click(),
  },
  ...["empty", "restricted", "ready", "nothing", "reading", "checking", "failed", "failed-midway", "cancelled"].map(
    state => ({ name: state, page: "report", state, width: 300 }),
  ),
  { name: "model", page: "model", state: "model", width: 1000 },
  { name: "model-420", page: "model", state: "model", width: 420 },
  {
    name: "model-left",
    page: "model",
    state: "left",
    width: 900,
    act: async page => {
      for (const group of await page.locator(".group").all()) await group.click();
    },
  },
  { name: "model-nothing", page: "model", state: "nothing", width: 700 },
  { name: "model-failed", page: "model", state: "failed", width: 600 },
  { name: "model-loading", page: "model", state: "loading", width: 600 },
];

const wanted = process.argv.slice(2);
const out = "dist/preview/pictures";
mkdirSync(out, { recursive: true });
const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
let found = 0;
for (const { name, page: file, state, width, act, viewport } of pictures) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const theme of themes) {
    const context = await browser.newContext({ viewport: { width, height: 800 } });
    const page = await context.newPage();
    const complaints = [];
    page.on("console", message => message.type() !== "log" && complaints.push(message.text()));
    page.on("pageerror", error => complaints.push(String(error)));
    await page.goto(`file://${resolve("dist/preview", `${file}.html`)}?state=${state}&theme=${theme}`);
    await page.waitForSelector("main > *");
    await page.waitForTimeout(60);
    await act?.(page);
    await page.waitForTimeout(60);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) complaints.push(`${wide} px wider than the page`);
    await page.evaluate(() => scrollTo(0, 0));
    await page.waitForTimeout(60);
    // Rows out of sight are not painted, so the window is made as high as the page rather than the picture.
    if (!viewport) {
      const height = await page.evaluate(() => Math.ceil(document.documentElement.scrollHeight));
      await page.setViewportSize({ width, height: Math.max(height, 200) });
      await page.waitForTimeout(60);
    }
    // After the picture: axe scrolls.
    await page.screenshot({ path: join(out, `${name}-${theme}.png`) });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    for (const { id, nodes } of violations)
      complaints.push(
        `axe ${id}: ${nodes
          .map(node => node.html)
          .join(" | ")
          .slice(0, 300)}`,
      );
    for (const complaint of complaints) console.log(`${name} ${theme}: ${complaint}`);
    found += complaints.length;
    await context.close();
  }
}
await browser.close();
console.log(found === 0 ? "Nothing found." : `${found} things found.`);
process.exitCode = found === 0 ? 0 : 1;
