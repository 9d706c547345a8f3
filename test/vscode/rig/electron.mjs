/** The desktop's VS Code, where it can be downloaded and has a screen. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { copyOf, removeFolder } from "./folders.mjs";

// Where @vscode/test-electron asks for the newest VS Code; it redirects to the download itself, which is what may be shut.
const DOWNLOAD = "https://update.code.visualstudio.com/latest/linux-x64/stable";

// An open network answers in half a second; a closed one may never.
const PROBE_MS = 5_000;

/**
 * Whether to run the tests in Electron. WHITTLE_VSCODE=electron or code-server decides; else a quick look does.
 *
 * @returns {Promise<boolean>}
 */
export async function electronAvailable() {
  const wanted = process.env.WHITTLE_VSCODE;
  if (wanted === "electron") return true;
  if (wanted === "code-server") return false;
  if (wanted) throw new Error(`WHITTLE_VSCODE is "${wanted}"; it may be electron or code-server.`);
  // The other way exists on Linux x64 alone.
  if (process.platform !== "linux" || process.arch !== "x64") return true;
  // Electron needs a screen; in CI that is `xvfb-run`.
  if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return false;
  if (existsSync(join(import.meta.dirname, "../../../.vscode-test"))) return true; // It has been downloaded before.
  try {
    return (await fetch(DOWNLOAD, { method: "HEAD", signal: AbortSignal.timeout(PROBE_MS) })).ok;
  } catch {
    return false;
  }
}

/** As `runMocha` of mocha.mjs, in Electron, with VS Code's default settings. @returns {Promise<number>} the exit code. */
export async function runMochaInElectron({ extensionPath, testsPath, workspace, env }) {
  // Not above: who runs code-server need not have it.
  const { runTests } = await import("@vscode/test-electron");
  const folder = copyOf(workspace);
  try {
    return await runTests({
      extensionDevelopmentPath: extensionPath,
      extensionTestsPath: testsPath,
      extensionTestsEnv: env,
      launchArgs: [folder, "--disable-extensions", "--disable-workspace-trust"],
    });
  } catch (error) {
    if (typeof error.code === "number") return error.code; // The tests failed, and have said so.
    throw error;
  } finally {
    removeFolder(dirname(folder));
  }
}
