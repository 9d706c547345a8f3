// Pictures of the pages and what axe-core finds in them: `node webview/preview/shoot.mjs [name…]` builds the preview, opens every
// state in every theme and width in a headless Chromium (CHROMIUM, or /usr/bin/chromium) and writes dist/preview/pictures/*.png.
// Fails where axe-core, the console or a page wider than its window has something to say. THEMES and WIDTHS narrow it down.
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";
import "./build.mjs";

const themes = (process.env.THEMES ?? "dark light hc hc-light").split(" ");
const widths = (process.env.WIDTHS ?? "250 320 900").split(" ").map(Number);

const openRows = async page => {
  for (const name of ["Conv_37", "Conv_22"]) await page.locator(`.row[data-name="${name}"]`).click();
};
const openGroups = async page => {
  for (const group of await page.locator(".group").all()) await group.click();
};
const alone = states => Object.fromEntries(states.split(" ").map(state => [state, { state }]));
const reports = {
  ...alone(
    "empty restricted ready ready-restricted nothing reading running checking finished few synthetic no-data",
  ),
  ...alone("failed failed-midway cancelled"),
  open: { state: "finished", act: openRows },
  "open-methods": {
    state: "methods",
    act: async page => {
      for (const row of await page.locator(".row.item").all()) await row.click();
    },
  },
  many: { state: "many", viewport: true, huge: true },
  "many-running": { state: "many-running", viewport: true, huge: true },
  menu: { state: "finished", viewport: true, act: page => page.locator(".tools .tool").click() },
  "none-found": { state: "finished", act: page => page.locator(".filter input").fill("nothing like it") },
};
const models = {
  ...alone("loading model nothing failed"),
  "model-many": { state: "many", viewport: true, huge: true },
  "left-alone": { state: "left", act: openGroups },
};
const pictures = [
  ...Object.entries(reports).map(([name, picture]) => ({ name: `report-${name}`, page: "report", ...picture })),
  ...Object.entries(models).map(([name, picture]) => ({ name: `editor-${name}`, page: "model", ...picture })),
];

const wanted = process.argv.slice(2);
const out = "dist/preview/pictures";
mkdirSync(out, { recursive: true });
const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});

/** One picture; answers with what is wrong. */
async function shoot({ name, page: file, state, act, viewport, huge }, theme, width) {
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
  complaints.push(...(await page.evaluate(cutNumbers)));
  await page.evaluate(() => scrollTo(0, 0));
  // Rows out of sight are not painted, so the window is made as high as the page rather than the picture.
  if (!viewport) {
    const height = await page.evaluate(() => Math.ceil(document.documentElement.scrollHeight));
    await page.setViewportSize({ width, height: Math.max(height, 200) });
  }
  await page.waitForTimeout(60);
  // Before axe: it scrolls.
  await page.screenshot({ path: join(out, `${name}-${width}-${theme}.png`) });
  await page.evaluate(axe);
  // A thousand rows take axe-core minutes, and they are all alike.
  const where = huge ? { exclude: [".row.item"] } : undefined;
  const { violations } = await page.evaluate(context => globalThis.axe.run(context ?? document), where);
  for (const { id, nodes } of violations) {
    const places = nodes.map(node => node.html).join(" | ");
    complaints.push(`axe ${id}: ${places.slice(0, 300)}`);
  }
  await context.close();
  return complaints.map(complaint => `${name} ${width} ${theme}: ${complaint}`);
}

/** Numbers whose text is wider than their place: they may never be cut, nor run into what stands beside them. */
function cutNumbers() {
  return [...document.querySelectorAll(".number, .value, .stats .tiny")]
    .filter(one => one.getClientRects().length > 0 && one.scrollWidth > one.clientWidth + 1)
    .filter(one => getComputedStyle(one).display !== "inline" && !one.closest(".unseen"))
    .map(one => `"${one.textContent.trim()}" is wider than its place`)
    .slice(0, 5);
}

let found = 0;
for (const picture of pictures) {
  if (wanted.length > 0 && !wanted.includes(picture.name)) continue;
  for (const theme of themes) {
    const complaints = await Promise.all(widths.map(width => shoot(picture, theme, width)));
    for (const complaint of complaints.flat()) {
      console.log(complaint);
      found++;
    }
  }
}
await browser.close();
console.log(found === 0 ? "Nothing found." : `${found} things found.`);
process.exitCode = found === 0 ? 0 : 1;
