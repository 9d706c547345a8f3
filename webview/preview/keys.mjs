// The keyboard on both pages: `node webview/preview/keys.mjs` builds the preview, types at it in a headless Chromium (CHROMIUM,
// or /usr/bin/chromium) and fails where a key does not do what the same key does in a tree of VS Code.
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { chromium } from "playwright-core";
import "./build.mjs";

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});

async function open(file, state) {
  const page = await browser.newPage({ viewport: { width: 320, height: 800 } });
  await page.goto(`file://${resolve("dist/preview", `${file}.html`)}?state=${state}`);
  await page.waitForSelector("main > *");
  return page;
}

/** Names, from the top: rows by what they are called, an open row's details by that and a sign. */
const rows = page =>
  page
    .locator("[role=treegrid] > [data-name]")
    .evaluateAll(all => all.map(row => row.dataset.name + (row.ariaLevel === "2" ? " >" : "")));
const focused = page =>
  page.evaluate(() => {
    const at = document.activeElement;
    if (!at?.dataset?.name) return at?.className || at?.tagName || "";
    return at.dataset.name + (at.ariaLevel === "2" ? " >" : "");
  });

const drawn = page =>
  page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));

async function press(page, key, expected) {
  await page.keyboard.press(key);
  await drawn(page);
  if (expected !== undefined) assert.equal(await focused(page), expected, `after ${key}`);
}

const checks = {
  async "arrows, Home and End move through the rows"() {
    const page = await open("report", "finished");
    const [first, second] = await rows(page);
    const last = (await rows(page)).at(-1);
    await page.locator(`[data-name="${first}"]`).focus();
    await press(page, "ArrowUp", first);
    await press(page, "ArrowDown", second);
    await press(page, "ArrowUp", first);
    await press(page, "End", last);
    await press(page, "ArrowDown", last);
    await press(page, "Home", first);
  },
  async "Right and Enter open a row, Right goes in, Left comes out and closes"() {
    const page = await open("report", "finished");
    const [first, second] = await rows(page);
    const row = page.locator(`.item[data-name="${first}"]`);
    await row.focus();
    await press(page, "ArrowRight", first);
    assert.equal(await row.getAttribute("aria-expanded"), "true");
    await press(page, "ArrowRight", `${first} >`);
    await press(page, "ArrowDown", second);
    await press(page, "ArrowUp", `${first} >`);
    await press(page, "ArrowLeft", first);
    await press(page, "ArrowLeft", first);
    assert.equal(await row.getAttribute("aria-expanded"), "false");
    await press(page, "Enter", first);
    assert.equal(await row.getAttribute("aria-expanded"), "true");
    await press(page, "Enter", first);
    assert.equal(await row.getAttribute("aria-expanded"), "false");
  },
  async "a row that is not done does not open"() {
    const page = await open("report", "running");
    const last = (await rows(page)).at(-1);
    await page.locator(`[data-name="${last}"]`).focus();
    for (const key of ["Enter", "ArrowRight"]) await press(page, key, last);
    assert.equal(await page.locator(".detail").count(), 0);
  },
  async "one row is reached by Tab, the one that was last on"() {
    const page = await open("report", "finished");
    const [, , third] = await rows(page);
    await page.locator(`[data-name="${third}"]`).focus();
    await press(page, "Shift+Tab", "tool");
    await press(page, "Tab", third);
    assert.equal(await page.locator('[role=treegrid] [tabindex="0"]').count(), 1);
  },
  async "Ctrl+F filters, Down goes to the rows, Escape clears"() {
    const page = await open("report", "finished");
    const all = (await rows(page)).length;
    await press(page, "Control+f");
    await page.keyboard.type("@worst");
    await drawn(page);
    await press(page, "ArrowDown");
    assert.deepEqual(await rows(page), ["Conv_37", "Conv_40", "Conv_7"]);
    assert.equal(await focused(page), "Conv_37");
    await press(page, "Control+f");
    await press(page, "Escape");
    assert.equal((await rows(page)).length, all);
  },
  async "the Sort menu opens, moves, chooses and closes"() {
    const page = await open("report", "finished");
    await page.locator(".tools .tool").focus();
    await press(page, "Enter");
    const item = () => page.evaluate(() => document.activeElement.textContent.trim());
    assert.equal(await item(), "Error");
    await press(page, "ArrowUp");
    assert.equal(await item(), "Order in the model");
    await press(page, "Enter", "tool");
    assert.equal((await rows(page))[0], "Conv_0");
    await press(page, "ArrowDown");
    await press(page, "Escape", "tool");
    assert.equal(await page.locator(".menu").count(), 0);
  },
  async "the model editor filters and sorts without a mouse"() {
    const page = await open("model", "model");
    await press(page, "Control+f");
    await page.keyboard.type("conv_6");
    await press(page, "Tab");
    assert.equal(await page.locator(".row.item").count(), 1);
    await press(page, "Control+f");
    await press(page, "Escape");
    await page.getByRole("button", { name: "Layer", exact: true }).focus();
    await press(page, "Enter");
    assert.match(await page.locator(".row.item .name").first().innerText(), /Conv_0/);
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok: ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED: ${name}\n${error.message}`);
  }
}
await browser.close();
process.exitCode = failed === 0 ? 0 : 1;
