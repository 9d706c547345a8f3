/** Folders that live as long as a server or a flow, and go when this process does. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const made = new Set();
process.on("exit", () => made.forEach(removeFolder));

/** Short, because VS Code makes Unix sockets in one and their paths end at 107 bytes. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "whittle-"));
  made.add(folder);
  return folder;
}

/** A copy of a workspace under its own name, so that a test may write in it. The copy's parent is temporary. */
export function copyOf(workspace) {
  const folder = join(temporaryFolder(), basename(workspace));
  cpSync(workspace, folder, { recursive: true });
  return folder;
}

/** WHITTLE_RIG_KEEP=1 leaves folders for a look at what went wrong. */
export function removeFolder(folder) {
  if (!made.delete(folder)) return;
  if (process.env.WHITTLE_RIG_KEEP) console.error(`Kept: ${folder}`);
  else rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
