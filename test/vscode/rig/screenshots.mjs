/** Where pictures, and the logs that belong to them, go: dist/screenshots, or WHITTLE_SHOTS. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** @returns {string} the path of a file of that name; what a file name cannot hold becomes a dash. */
export function shotPath(name, extension = "png") {
  const folder = process.env.WHITTLE_SHOTS ?? join(import.meta.dirname, "../../../dist/screenshots");
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name.replaceAll(/[^\w.-]+/g, "-")}.${extension}`);
}

/** Of the log, so much is printed at once: enough to see why, where nobody can open the file. */
const TAIL_LINES = 60;

/** Saves a picture of the window and a log beside it, says where, and prints the log's end. The page may be gone: then only the log. */
export async function saveFailure(name, page, log) {
  const picture = shotPath(name);
  const text = shotPath(name, "log");
  writeFileSync(text, log);
  const taken = await page?.screenshot({ path: picture }).then(
    () => true,
    () => false,
  );
  console.error(
    [
      taken && `The window when it failed: ${picture}`,
      `What VS Code said: ${text}, which ends:`,
      log.split("\n").filter(Boolean).slice(-TAIL_LINES).join("\n"),
    ]
      .filter(Boolean)
      .join("\n"),
  );
}
