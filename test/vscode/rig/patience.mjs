/**
 * How long to wait before giving up. Every wait of the rig is for a condition; these are the moments at which we stop
 * believing in it, so they are generous: a passing run never waits for one.
 */

// Two shared cores are the least we run on. A slower machine sets WHITTLE_PATIENCE=2.
const patience = Number(process.env.WHITTLE_PATIENCE ?? 1);

/** The server loads 1.5 MB of script and opens a port: 1 s when alone, 10 s beside a compiler. */
export const SERVER_START_MS = 60_000 * patience;

/** Unpacking and checking an extension of 20 MB takes 3 s; ours carries native code and may weigh more. */
export const INSTALL_EXTENSION_MS = 120_000 * patience;

/** The first load of the workbench compiles 15 MB of script: 5 s when alone. */
export const WORKBENCH_MS = 90_000 * patience;

/** A click, a menu, a notification, a webview's first paint. The slowest is a webview of an extension not yet active. */
export const STEP_MS = 30_000 * patience;

/** All mocha tests of the extension together, models quantized in them included. */
export const MOCHA_MS = 300_000 * patience;

/** One flow of clicks: opening the workbench and quantizing a small model. */
export const FLOW_MS = 240_000 * patience;

/** What VS Code's processes get to end by themselves before they are killed. */
export const STOP_MS = 5_000 * patience;

/** Between two looks at a condition that has no event to wait for. */
export const LOOK_AGAIN_MS = 100;

/** Looks until `condition` gives something true, and returns that; else throws `failure()`. */
export async function until(condition, limitMs, failure) {
  const start = Date.now();
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() - start > limitMs) throw new Error(await failure());
    await new Promise(resolve => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}
