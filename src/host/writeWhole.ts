import { randomBytes } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import * as vscode from "vscode";
import { Failure } from "../core/failure";

/**
 * Writes a file under a temporary name first: a full disk leaves the old file, never half a new one.
 *
 * @throws {Failure} `output-unwritable`; then nothing is left behind.
 */
export async function writeWhole(path: string, write: (pending: string) => Promise<void>): Promise<void> {
  const pending = `${path}.${randomBytes(6).toString("hex")}.part`;
  try {
    await write(pending);
    await rename(pending, path);
  } catch (error) {
    await rm(pending, { force: true });
    throw new Failure(
      "output-unwritable",
      vscode.l10n.t("{0} cannot be written: {1}.", path, error instanceof Error ? error.message : String(error)),
      vscode.l10n.t("Choose another place, or make room; nothing was left behind."),
    );
  }
}
