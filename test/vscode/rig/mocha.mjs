/** Runs mocha tests inside the real extension host. */
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { format } from "node:util";
import { build } from "esbuild";
import { openPage } from "./browser.mjs";
import { copyOf, removeFolder } from "./folders.mjs";
import { MOCHA_MS } from "./patience.mjs";
import { startServer } from "./server.mjs";
import { saveFailure } from "./screenshots.mjs";

// The workbench says a great deal beside the tests. Lines with this mark are the tests' own.
const MARK = "[mocha] ";

// When no test ran, the reason stands at the end of what the workbench said.
const TAIL_LINES = 20;

// What `timeout` of coreutils says too.
const TIMED_OUT = 124;

/**
 * Bundles the tests under a folder, found by their ending, and beside them an index with the `run` that VS Code calls
 * and mocha in it. Tests say `suite` and `test`.
 *
 * @param {object} options
 * @param {string} options.from   folder of the `*.test.ts` files.
 * @param {string} options.outdir emptied first.
 * @returns {Promise<string>} the index, as `testsPath` of `runMocha`.
 */
export async function bundleTests({ from, outdir }) {
  const tests = readdirSync(from, { recursive: true }).filter(name => name.endsWith(".test.ts"));
  if (tests.length === 0) throw new Error(`There is no test under ${from}.`);
  rmSync(outdir, { recursive: true, force: true });
  const shared = {
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    sourcemap: true,
    external: ["vscode", "onnxruntime-node"],
    logLevel: "warning",
  };
  await build({ ...shared, entryPoints: tests.map(name => join(from, name)), outbase: from, outdir });
  await build({
    ...shared,
    entryPoints: { index: join(import.meta.dirname, "mocha-index.cjs") },
    outdir,
    // Mocha looks for two files of its parallel mode, which a bundle has no use for.
    logOverride: { "require-resolve-not-external": "silent" },
  });
  // What esbuild writes is CommonJS, whatever the package around it says.
  writeFileSync(join(outdir, "package.json"), `{ "type": "commonjs" }`);
  return join(outdir, "index.js");
}

/**
 * Runs the tests and prints what they print. When they fail, a picture of the window and VS Code's log are kept.
 *
 * @param {object} options
 * @param {string} options.extensionPath folder of the extension under test.
 * @param {string} options.testsPath     a bundle made by `bundleTests`.
 * @param {string} options.workspace     folder of which a copy is opened; tests may write in it.
 * @param {object} [options.settings]    user settings.
 * @param {object} [options.env]         added to the extension host's environment.
 * @param {number} [options.limitMs]
 * @returns {Promise<number>} the tests' exit code: 0 when all pass; 124 when they did not end in time.
 */
export async function runMocha({ extensionPath, testsPath, workspace, settings, env = {}, limitMs = MOCHA_MS }) {
  const folder = copyOf(workspace);
  const server = await startServer({ settings, env: { ...env, WHITTLE_MOCHA_MARK: MARK } });
  const workbenchSaid = [];
  let testsSpoke = false;
  const show = (type, args) => {
    const text = format(...args);
    if (text.startsWith(MARK)) {
      testsSpoke = true;
      console.log(text.slice(MARK.length));
    } else workbenchSaid.push(...`${type} ${text}`.split("\n"));
  };
  let opening, limit;
  try {
    const code = await new Promise((resolve, reject) => {
      limit = setTimeout(resolve, limitMs, TIMED_OUT);
      opening = openPage({
        server,
        workspace: folder,
        development: { extensionPath, testsPath },
        prepare: async page => {
          // VS Code calls these two, when the page has them, with each log line and at the end of the tests.
          await page.exposeFunction("codeAutomationLog", show);
          await page.exposeFunction("codeAutomationExit", resolve);
        },
      });
      opening.catch(reject);
    });
    if (code !== 0) {
      console.error(
        code === TIMED_OUT ? `The tests did not end within ${limitMs / 1000} s.` : `Exit code ${code}.`,
      );
      if (!testsSpoke) console.error(`No test ran. VS Code said:\n${workbenchSaid.slice(-TAIL_LINES).join("\n")}`);
      const { page } = (await opening.catch(() => undefined)) ?? {};
      await saveFailure("mocha-failed", page, [...workbenchSaid, server.log()].join("\n"));
    }
    return code;
  } finally {
    clearTimeout(limit);
    await opening?.then(({ browser }) => browser.close()).catch(() => undefined); // It may never have opened.
    await server.stop();
    removeFolder(dirname(folder));
  }
}
