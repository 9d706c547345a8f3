/** Chromium on the workbench of a server. */
import { chromium } from "playwright-core";
import { setup } from "./setup.mjs";

// Chromium itself should ask the network for nothing while a test runs.
const FLAGS = [
  "--no-first-run",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Opens the workbench on a folder. With `development` an extension is loaded from its folder, and its tests are run.
 *
 * @param {object} options
 * @param {{ url: string, authority: string }} options.server
 * @param {string} options.workspace absolute path.
 * @param {{ width: number, height: number }} [options.viewport]
 * @param {{ extensionPath: string, testsPath?: string }} [options.development]
 * @param {(page: import("playwright-core").Page) => Promise<void>} [options.prepare] called before the workbench loads.
 * @returns {Promise<{ browser: import("playwright-core").Browser, page: import("playwright-core").Page }>}
 */
export async function openPage({
  server,
  workspace,
  viewport = { width: 1280, height: 860 },
  development,
  prepare,
}) {
  const browser = await chromium.launch({ executablePath: setup().chromium, headless: true, args: FLAGS });
  try {
    const page = await browser.newPage({ viewport, reducedMotion: "reduce" });
    if (development) await develop(page, server, development);
    await prepare?.(page);
    await page.goto(`${server.url}/?folder=${encodeURIComponent(workspace)}`);
    return { browser, page };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/**
 * Puts the extension under development into the configuration that the page hands to the workbench, which is the
 * embedder's own way in. The address line's `payload` is ignored by a built workbench unless the server runs with
 * --enable-smoke-test-driver, and that switches notifications off.
 */
async function develop(page, { authority }, { extensionPath, testsPath }) {
  const uri = path => ({ $mid: 1, scheme: "vscode-remote", authority, path }); // $mid 1 marks a URI in VS Code's JSON.
  const options = {
    extensions: [uri(extensionPath)],
    ...(testsPath && { extensionTestsPath: uri(testsPath) }),
  };
  await page.addInitScript(options => {
    // "interactive" comes when the page is parsed and before its module scripts run, which read this element.
    document.addEventListener("readystatechange", () => {
      const element = document.getElementById("vscode-workbench-web-configuration");
      if (document.readyState !== "interactive" || !element) return; // A webview's page has no such element.
      const configuration = JSON.parse(element.getAttribute("data-settings"));
      configuration.developmentOptions = { ...configuration.developmentOptions, ...options };
      element.setAttribute("data-settings", JSON.stringify(configuration));
    });
  }, options);
}
