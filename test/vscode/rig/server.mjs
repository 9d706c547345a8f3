/** A VS Code server of our own: its folders, its settings, its log, its end. */
import { execFile, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { removeFolder, temporaryFolder } from "./folders.mjs";
import { INSTALL_EXTENSION_MS, SERVER_START_MS, until } from "./patience.mjs";
import { descendants, killTree, stopTree } from "./processes.mjs";
import { setup } from "./setup.mjs";

/** What a test never wants to meet: first-run pages, the network, and anything that moves by itself. */
const SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.reduceMotion": "on",
  "chat.disableAIFeatures": true,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  // The theme is the one asked for, not the one the browser says the system prefers.
  "window.autoDetectColorScheme": false,
  // A click opens a file for good, where otherwise a second click would have to follow.
  "workbench.editor.enablePreview": false,
  // One folder, one row, so that a flow finds "a/b/c.onnx" by its parts.
  "explorer.compactFolders": false,
  // VS Code's own file dialog can be answered by a flow; the system's cannot.
  "files.simpleDialog.enable": true,
};

// What an interrupted run left behind would hold a gigabyte of memory: it ends with us, and before its folder goes.
const running = new Set();
process.prependListener("exit", () => running.forEach(pid => killTree(pid)));
for (const [name, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
]) {
  process.once(name, () => process.exit(128 + number));
}

/**
 * Starts a server and waits until it answers.
 *
 * @param {object} [options]
 * @param {string} [options.userData]      folder of the settings; a temporary one unless given.
 * @param {object} [options.settings]      user settings, over ours. Written before the start: the server does not see later edits.
 * @param {string} [options.extensionsDir] folder of installed extensions; an empty one unless given.
 * @param {string[]} [options.vsix]        extensions to install first.
 * @param {boolean} [options.trusted]      false: the workspace opens in Restricted Mode.
 * @param {object} [options.env]           added to the environment of the server and of the extension host.
 * @returns {Promise<{ url: string, authority: string, stop(): Promise<void>, log(): string, processes():
 *   { pid: number, command: string }[] }>} `log` is what the server printed and what the extension host wrote; `processes`
 *   are those the server has started, the extension host's own included.
 */
export async function startServer({
  userData,
  settings = {},
  extensionsDir,
  vsix = [],
  trusted = true,
  env = {},
} = {}) {
  const { node, server } = setup();
  const folder = temporaryFolder();
  userData ??= join(folder, "user");
  extensionsDir ??= join(folder, "extensions");
  for (const made of [join(userData, "User"), extensionsDir, join(folder, "home"), join(folder, "tmp")]) {
    mkdirSync(made, { recursive: true });
  }
  writeFileSync(join(userData, "User", "settings.json"), JSON.stringify({ ...SETTINGS, ...settings }, null, 2));

  const folders = [
    ...["--server-data-dir", join(folder, "server")],
    ...["--user-data-dir", userData],
    ...["--extensions-dir", extensionsDir],
  ];
  const environment = {
    ...ownEnvironment(),
    HOME: join(folder, "home"),
    XDG_DATA_HOME: join(folder, "home"),
    XDG_RUNTIME_DIR: join(folder, "tmp"),
    TMPDIR: join(folder, "tmp"),
    ...env,
  };
  for (const file of vsix) await installExtension({ node, server, file, folders, env: environment });

  const port = await freePort();
  const logFile = join(folder, "server.log");
  const output = openSync(logFile, "w");
  const child = spawn(
    node,
    [
      server,
      ...["--host", "127.0.0.1", "--port", String(port), "--without-connection-token"],
      ...["--accept-server-license-terms", "--disable-telemetry"],
      ...(trusted ? ["--disable-workspace-trust"] : []),
      ...folders,
    ],
    // Leader of its own session, by which stopTree finds what it left behind.
    { detached: true, stdio: ["ignore", output, output], env: environment },
  );
  closeSync(output);
  running.add(child.pid);

  const authority = `127.0.0.1:${port}`;
  const log = () => [logFile, ...hostLogs(userData)].map(file => readFileSync(file, "utf8")).join("\n");
  const stop = async () => {
    await stopTree(child.pid);
    running.delete(child.pid);
    removeFolder(folder);
  };
  try {
    await until(
      () => {
        if (child.exitCode !== null) throw new Error(`The server ended with code ${child.exitCode}.`);
        return answers(`http://${authority}/version`);
      },
      SERVER_START_MS,
      () => `The server did not answer within ${SERVER_START_MS / 1000} s.`,
    );
  } catch (error) {
    console.error(log());
    await stop();
    throw error;
  }
  return { url: `http://${authority}`, authority, stop, log, processes: () => descendants(child.pid) };
}

/** Ours, less what a VS Code terminal or node:test around us would tell the server to do. */
function ownEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VSCODE_|NODE_TEST_)/.test(name)));
}

async function installExtension({ node, server, file, folders, env }) {
  try {
    await promisify(execFile)(
      node,
      [server, "--accept-server-license-terms", "--install-extension", file, ...folders],
      { env, timeout: INSTALL_EXTENSION_MS },
    );
  } catch (error) {
    throw new Error(`${file} could not be installed:\n${error.stdout ?? ""}${error.stderr ?? error}`);
  }
}

/** The extension host's own logs and the extensions' output channels, once there are some. */
function hostLogs(userData) {
  const logs = join(userData, "logs");
  try {
    return readdirSync(logs, { recursive: true })
      .filter(name => /exthost.*\.log$/.test(name))
      .map(name => join(logs, name));
  } catch {
    return []; // The server ended before it made the folder.
  }
}

async function answers(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false; // Not yet.
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
