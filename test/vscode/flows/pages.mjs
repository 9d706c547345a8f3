import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { accessibilityFaults } from "../rig/accessibility.mjs";
import { flow } from "../rig/flow.mjs";
import { THEMES } from "../rig/workbench.mjs";
import { modelPage, reportPage, reportRows, SAMPLE, sampleReport, SAMPLES } from "../whittle.mjs";

flow("A double click on a model opens its layers", { workspace: SAMPLES }, async window => {
  await (await window.explorerRow(SAMPLE)).dblclick();
  await window.waitForTab(SAMPLE);
  const page = await modelPage(window);
  await page.locator(".row.item").nth(2).waitFor();
  const layers = await page.locator(".row.item .name").evaluateAll(all => all.map(one => one.ariaLabel));
  assert.deepEqual(layers.sort(), ["/net/net.0/Gemm", "/net/net.2/Gemm", "/net/net.4/Gemm"]);
  await page.getByText("A copy would weigh").waitFor();
  await page.getByRole("button", { name: "Quantize…" }).click();
  assert.ok((await window.picks()).includes("4 bits"));
});

flow("A text file named .onnx is called what it is", { workspace: SAMPLES }, async window => {
  writeFileSync(join(window.workspace, "notes.onnx"), "These are notes, and no model.\n".repeat(20));
  await window.openFile("notes.onnx");
  const page = await modelPage(window, "notes.onnx");
  await page.getByRole("heading", { name: "This file cannot be read" }).waitFor();
  await page.getByText("notes.onnx is a text, not an ONNX model.").waitFor();
  await page.getByRole("button", { name: "Open as Text" }).waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);

  await window.clickInExplorerMenu("notes.onnx", "Quantize…");
  await window.notification("notes.onnx is a text, not an ONNX model.");
});

flow("Both pages follow the theme and are accessible in all four", { workspace: SAMPLES }, async window => {
  await window.openFile(SAMPLE);
  await sampleReport(window);
  for (const theme of Object.keys(THEMES)) {
    await window.setTheme(theme);
    const [report, model] = [await reportPage(window), await modelPage(window)];
    assert.equal((await reportRows(report)).length, 3);
    assert.equal(await model.locator(".row.item").count(), 3);
    assert.deepEqual(await accessibilityFaults(report), [], `The report in ${theme}`);
    assert.deepEqual(await accessibilityFaults(model), [], `The model editor in ${theme}`);
  }
});

flow(
  "The report is still there after hiding the panel and reloading the window",
  { workspace: SAMPLES },
  async window => {
    const page = await sampleReport(window);
    const before = await reportRows(page);
    await page.locator(".row.item").first().click();
    await page.getByRole("heading", { name: "What the method did" }).waitFor();

    await window.openView("Explorer");
    await window.explorerRow(SAMPLE);
    await window.openView("Whittle");
    const shown = await reportPage(window);
    await shown.getByRole("heading", { name: "What the method did" }).waitFor();
    assert.deepEqual(await reportRows(shown), before);

    await window.reload();
    await window.openView("Whittle");
    const reloaded = await reportPage(window);
    await reloaded.locator(".row.item").nth(2).waitFor();
    assert.deepEqual(await reportRows(reloaded), before);
    // What a row opens to is kept as well.
    if ((await reloaded.getByRole("heading", { name: "What the method did" }).count()) === 0)
      await reloaded.locator(".row.item").first().click();
    await reloaded.getByRole("heading", { name: /^Error by neuron/ }).waitFor();
  },
);

flow("The report keeps its rows when it is moved to the panel below", { workspace: SAMPLES }, async window => {
  const before = await reportRows(await sampleReport(window));
  await window.runCommand("View: Move View");
  await window.pick("Layer Report");
  await window.pick("New Panel Entry");
  await window.page.locator('.part.panel [aria-label^="Layer Report"]').first().waitFor({ state: "attached" });
  const moved = await reportPage(window);
  await moved.locator(".row.item").nth(2).waitFor();
  // It is wider there and shows more of each layer; what it showed before is among that.
  const after = await reportRows(moved);
  assert.deepEqual(namesOf(after), namesOf(before));
  for (const [k, { cells }] of before.entries()) {
    assert.deepEqual(
      cells.filter(cell => !after[k].cells.includes(cell)),
      [],
    );
  }
});

flow("An untrusted workspace may look and not run", { workspace: SAMPLES, trusted: false }, async window => {
  await window.openFile(SAMPLE);
  const page = await modelPage(window);
  await page.locator(".row.item").nth(2).waitFor();
  await page.getByText("This workspace is not trusted").waitFor();
  assert.equal(await page.getByRole("button", { name: "Quantize…" }).count(), 0);
});

function namesOf(rows) {
  return rows.map(row => row.name);
}
