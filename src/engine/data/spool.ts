import { tmpdir } from "node:os";
import { type Bytes, unreadable } from "./bytes";
import { noRoom, openTemporaryFile, type TemporaryFile } from "./temporaryFile";

/**
 * Writes what cannot be read in pieces (a compressed array) to a temporary file that can.
 *
 * @param name what to call it in a failure.
 */
export async function spool(name: string, pieces: AsyncIterable<Uint8Array>): Promise<Bytes> {
  let file: TemporaryFile | undefined;
  let size = 0;
  try {
    file = await openTemporaryFile();
    for await (const piece of pieces) {
      await file.write(piece, size);
      size += piece.length;
    }
  } catch (error) {
    await file?.close();
    const reason = noRoom(error);
    if (reason === undefined) throw error;
    throw unreadable(name, `cannot be unpacked to ${tmpdir()} (${reason})`, "Make room there.");
  }
  const opened = file;
  return {
    name,
    size,
    async read(offset, length) {
      const bytes = await opened.read(offset, length);
      if (bytes.length === length) return bytes;
      throw unreadable(name, `ends at byte ${size}, and its data should reach ${offset + length}`);
    },
  };
}
