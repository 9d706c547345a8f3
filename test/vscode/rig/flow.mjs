/** One flow of clicks is one test of node:test: `node --test --test-concurrency=1 test/vscode/flows/*.mjs`. */
import { test } from "node:test";
import { FLOW_MS } from "./patience.mjs";
import { saveFailure } from "./screenshots.mjs";
import { openWorkbench } from "./workbench.mjs";

/**
 * @param {string} name a sentence a user would understand.
 * @param {Parameters<typeof openWorkbench>[0]} options of `openWorkbench`.
 * @param {(workbench: Awaited<ReturnType<typeof openWorkbench>>) => Promise<void>} tell
 *   told without sub-tests: node:test would go on after one that failed, in a window nobody knows.
 */
export function flow(name, options, tell) {
  test(name, { timeout: FLOW_MS }, async () => {
    const workbench = await openWorkbench(options);
    const pageErrors = [];
    workbench.page.on("pageerror", error => pageErrors.push(error.stack ?? String(error)));
    try {
      await tell(workbench);
    } catch (error) {
      await saveFailure(`FAILED ${name}`, workbench.page, [...pageErrors, workbench.log()].join("\n"));
      throw error;
    } finally {
      await workbench.close();
    }
  });
}
