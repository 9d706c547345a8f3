/**
 * All tests in a real VS Code, after `npm run package`: mocha in the extension host, then the flows on the installed .vsix.
 *   node test/vscode/run.mjs [only flows whose file name holds this]
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const VSIX = "dist/whittle-linux-x64.vsix";
const [only] = process.argv.slice(2);

const parts = {
  "set-up of VS Code": ["setup"],
  "tests in the extension host": ["mocha", ".", "test/vscode", "samples"],
  "flows on the .vsix": ["flows", VSIX, "test/vscode/flows", ...(only ? [only] : [])],
};

let failed = false;
const told = [];
for (const [name, args] of Object.entries(parts)) {
  console.log(`\n${name}`);
  const began = performance.now();
  let status = run(args);
  if (status !== 0) {
    // On a machine that does other things a real VS Code now and then misses a click. What fails twice in a row fails.
    console.log("It failed, and is run once more. dist/screenshots has the picture and the log of the first time.");
    status = run(args);
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  told.push(`${status === 0 ? "passed" : `FAILED (${status})`}  ${name}, ${seconds} s`);
  failed ||= status !== 0;
  // Without VS Code nothing else can run.
  if (failed && args[0] === "setup") break;
}
console.log(`\n${told.join("\n")}`);
process.exit(failed ? 1 : 0);

function run(args) {
  return spawnSync(process.execPath, [join(root, "test/vscode/rig/run.mjs"), ...args], {
    cwd: root,
    stdio: "inherit",
  }).status;
}
