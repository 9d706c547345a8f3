import { randomBytes } from "node:crypto";
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bytes, openBytes, unreadable } from "./bytes";

const spools = new Set<string>();
process.on("exit", () => {
  for (const path of spools) unlinkSync(path);
});

/**
 * Writes what cannot be read in pieces (a compressed array, a table of text) to a temporary file that can; it is gone when
 * this process ends.
 *
 * @param name what to call it in a failure.
 */
export async function spool(name: string, pieces: AsyncIterable<Uint8Array>): Promise<Bytes> {
  const path = join(tmpdir(), `whittle-${randomBytes(6).toString("hex")}.spool`);
  let file: number | undefined;
  try {
    file = openSync(path, "wx", 0o600);
    spools.add(path);
    for await (const piece of pieces) {
      for (let done = 0; done < piece.length;) done += writeSync(file, piece, done);
    }
  } catch (error) {
    if (
      error instanceof Error &&
      "code" in error &&
      ["ENOSPC", "EDQUOT", "EFBIG", "EACCES"].includes(String(error.code))
    )
      throw unreadable(name, `cannot be unpacked to ${tmpdir()} (${String(error.code)})`, "Make room there.");
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
  const bytes = await openBytes(path);
  return { ...bytes, name };
}
