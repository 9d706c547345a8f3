/**
 * Kills the engine at random moments of a run, and looks what is left: `node test/vscode/kill.mjs [times] [seed]`, after
 * `npm run package`. A kill is random in time from the engine's start to its usual end.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { seeded, SLOW_DATA, SLOW_MODEL, workspaceWithSlowModel } from "./models.mjs";
import { STEP_MS, until } from "./rig/patience.mjs";
import { isAlive } from "./rig/processes.mjs";
import { openWorkbench } from "./rig/workbench.mjs";
import { copiesIn, engineGone, engineRunning, halfWritten, quantizeModel, reportPage, RUN_MS } from "./whittle.mjs";

const [times = 20, seed = 1] = process.argv.slice(2).map(Number);
const COPY = "slow.w2.onnx";
const random = seeded(seed);
const window = await openWorkbench({
  workspace: workspaceWithSlowModel({ widths: [400, 400, 400, 400], samples: 400 }),
  vsix: process.env.WHITTLE_VSIX ?? "dist/whittle-linux-x64.vsix",
});
const faults = [];
try {
  await quantizeModel(window, SLOW_MODEL, { bits: "2 bits", data: SLOW_DATA, target: COPY });
  await finished();
  const host = window.processes().find(({ command }) => command.includes("--type=extensionHost"));
  if (!host) throw new Error("No extension host is among the processes.");
  let usual = await runToItsEnd();
  console.log(`seed ${seed}; a run takes ${usual} ms`);

  let killed = 0;
  let early = 0;
  while (killed < times) {
    await again();
    const pid = await engineRunning(window);
    const after = Math.round(random() * usual);
    await new Promise(resolve => setTimeout(resolve, after));
    if (!isAlive(pid)) {
      // It was quicker than usual. That run counts as one to its end.
      early++;
      await finished();
      continue;
    }
    process.kill(pid, "SIGKILL");
    const page = await reportPage(window);
    // A run that had just written its copy may still end well.
    const shown = await until(
      async () => {
        if ((await page.getByRole("heading", { name: "The engine stopped" }).count()) > 0) return "failure";
        return copiesIn(window).includes(COPY) && "finished";
      },
      STEP_MS,
      () => "The report does not say that the engine stopped.",
    );
    await engineGone(window);
    const left = [...copiesIn(window), ...halfWritten(window)];
    killed++;
    const alive = isAlive(host.pid);
    const next = shown === "failure" ? await runToItsEnd() : null;
    usual = next ?? usual;
    const line = `${killed}: killed after ${after} ms; shown: ${shown}; VS Code alive: ${alive}; left: ${left.join(", ") || "nothing"}; next run: ${next} ms`;
    console.log(line);
    if (!alive || left.length > 0 || shown !== "failure") faults.push(line);
  }
  console.log(`${killed} killed, ${faults.length} with a fault; ${early} runs were over before their moment came.`);
} finally {
  await window.close();
}
process.exit(faults.length > 0 ? 1 : 0);

/** Starts the run anew, without questions, in place of the copy that is there. */
async function again() {
  rmSync(join(window.workspace, COPY), { force: true });
  await window.clickInExplorerMenu(SLOW_MODEL, "Quantize with Last Settings");
}

async function runToItsEnd() {
  await again();
  await engineRunning(window);
  const began = performance.now();
  await finished();
  return Math.round(performance.now() - began);
}

/** A run has ended well when its copy has its name and its engine is gone. */
async function finished() {
  await until(
    () => copiesIn(window).includes(COPY),
    RUN_MS,
    () => `No ${COPY} came.`,
  );
  await engineGone(window);
  rmSync(join(window.workspace, COPY), { force: true });
  await until(
    async () => (await (await reportPage(window)).getByRole("button", { name: "Save Copy As…" }).count()) > 0,
    STEP_MS,
    () => "The report does not say that the run is finished.",
  );
}
