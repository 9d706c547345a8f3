/** What axe-core, the rules screen reader users are served by, finds wrong in a page of ours. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/**
 * @param {import("playwright-core").Frame} frame a webview.
 * @returns {Promise<string[]>} one line a fault: rule, element, what to do. Empty when there is none.
 */
export async function accessibilityFaults(frame) {
  // Handed over by the debugger, so the page's content security policy does not stop it.
  await frame.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  const { violations } = await frame.evaluate(() => globalThis.axe.run(document));
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target }) => `${id} at ${target.join(" ")}: ${help}`),
  );
}
