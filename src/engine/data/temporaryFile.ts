import { randomBytes } from "node:crypto";
import { readSync } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file without a name: gone when it is closed or this process ends, however that ends. */
export interface TemporaryFile {
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** Fewer bytes than asked for where the file ends. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** The same without waiting for others. */
  readNow(offset: number, length: number): Uint8Array;
  close(): Promise<void>;
}

/** One call reads or writes less than 2 GiB. */
const MOST_AT_ONCE = 2 ** 30;

export async function openTemporaryFile(): Promise<TemporaryFile> {
  const path = join(tmpdir(), `whittle-${randomBytes(6).toString("hex")}.spool`);
  const file: FileHandle = await open(path, "wx+", 0o600);
  try {
    await unlink(path);
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    async write(bytes, offset) {
      for (let done = 0; done < bytes.length;) {
        const length = Math.min(bytes.length - done, MOST_AT_ONCE);
        done += (await file.write(bytes, done, length, offset + done)).bytesWritten;
      }
    },
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const { bytesRead } = await file.read(bytes, done, Math.min(length - done, MOST_AT_ONCE), offset + done);
        if (bytesRead === 0) return bytes.subarray(0, done);
        done += bytesRead;
      }
      return bytes;
    },
    readNow(offset, length) {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const read = readSync(file.fd, bytes, done, Math.min(length - done, MOST_AT_ONCE), offset + done);
        if (read === 0) return bytes.subarray(0, done);
        done += read;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}

/** Said of a disk without room, or a folder that may not be written or is not there. */
const NO_ROOM = ["ENOSPC", "EDQUOT", "EFBIG", "EACCES", "EROFS", "ENOENT", "ENOTDIR"];

/** Why there is no room for a temporary file; undefined for any other error. */
export function noRoom(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return NO_ROOM.includes(code) ? code : undefined;
}
