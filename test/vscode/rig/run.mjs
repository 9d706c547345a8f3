/**
 * The rig from the command line:
 *   node test/vscode/rig/run.mjs setup
 *   node test/vscode/rig/run.mjs mocha <extension> <folder of *.test.ts> <workspace>
 *   node test/vscode/rig/run.mjs flows <extension.vsix> <folder of flows> [only flows whose file name holds this]
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { electronAvailable, runMochaInElectron } from "./electron.mjs";
import { bundleTests, runMocha } from "./mocha.mjs";
import { setup } from "./setup.mjs";

const [command, ...args] = process.argv.slice(2);
const commands = { setup: async () => (setup(), 0), mocha, flows };
const run = commands[command];
if (!run) {
  console.error(`Say what to run: ${Object.keys(commands).join(", ")}.`);
  process.exit(2);
}
process.exit(await run(...args));

async function mocha(extension, tests, workspace) {
  const extensionPath = resolve(extension);
  const testsPath = await bundleTests({ from: resolve(tests), outdir: join(extensionPath, "dist/test/vscode") });
  const runIt = (await electronAvailable()) ? runMochaInElectron : runMocha;
  return runIt({ extensionPath, testsPath, workspace: resolve(workspace) });
}

function flows(vsix, folder, only = "") {
  setup(); // Here once, rather than in the first flow, whose time is limited.
  const files = readdirSync(folder)
    .filter(name => name.endsWith(".mjs") && name.includes(only))
    .map(name => join(folder, name));
  if (files.length === 0) {
    console.error(`There is no flow in ${folder}.`);
    return 1;
  }
  // One window at a time: two would wait for each other on two cores.
  const { status } = spawnSync(
    process.execPath,
    ["--test", "--test-concurrency=1", "--test-reporter=spec", ...files],
    {
      stdio: "inherit",
      env: { ...process.env, WHITTLE_VSIX: resolve(vsix) },
    },
  );
  return status ?? 1;
}
