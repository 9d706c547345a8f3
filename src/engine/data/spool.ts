import { randomBytes } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bytes, unreadable } from "./bytes";

/** Said of a disk without room, or a folder that may not be written. */
const NO_ROOM = ["ENOSPC", "EDQUOT", "EFBIG", "EACCES"];

/**
 * Writes what cannot be read in pieces (a compressed array) to a temporary file that can. The file has no name any more once
 * it is open, so that it is gone when this process ends, however it ends.
 *
 * @param name what to call it in a failure.
 */
export async function spool(name: string, pieces: AsyncIterable<Uint8Array>): Promise<Bytes> {
  const path = join(tmpdir(), `whittle-${randomBytes(6).toString("hex")}.spool`);
  let file: FileHandle | undefined;
  let size = 0;
  try {
    file = await open(path, "wx+", 0o600);
    await unlink(path);
    for await (const piece of pieces) {
      for (let done = 0; done < piece.length;)
        done += (await file.write(piece, done, piece.length - done, size + done)).bytesWritten;
      size += piece.length;
    }
  } catch (error) {
    await file?.close();
    if (error instanceof Error && "code" in error && NO_ROOM.includes(String(error.code)))
      throw unreadable(name, `cannot be unpacked to ${tmpdir()} (${String(error.code)})`, "Make room there.");
    throw error;
  }
  const opened = file;
  return {
    name,
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const { bytesRead } = await opened.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0)
          throw unreadable(name, `ends at byte ${size}, and its data should reach ${offset + length}`);
        done += bytesRead;
      }
      return bytes;
    },
  };
}
