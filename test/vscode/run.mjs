// The tests in a real VS Code, as `npm run test:vscode` calls them once the package is made: mocha in the extension host, then
// the clicking flows on the installed .vsix. Either that fails makes the whole fail.
import { spawnSync } from "node:child_process";

const rig = (...words) =>
  spawnSync(process.execPath, ["test/vscode/rig/run.mjs", ...words], { stdio: "inherit" }).status ?? 1;

const mocha = rig("mocha", ".", "test/vscode", "samples");
let flows = rig("flows", "dist/whittle-linux-x64.vsix", "test/vscode/flows");
if (flows !== 0) {
  // On a machine that does other things a real VS Code now and then misses a click. What fails twice in a row fails.
  console.log(
    "A flow failed; all of them are run once more. dist/screenshots has the picture and the log of the first time.",
  );
  flows = rig("flows", "dist/whittle-linux-x64.vsix", "test/vscode/flows");
}
process.exit(mocha || flows);
