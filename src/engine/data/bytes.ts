import { open, readFile, stat } from "node:fs/promises";
import { Failure } from "../../core/failure";

/** Bytes that can be read piece by piece: a file, or a part of one. */
export interface Bytes {
  /** What to call them in a failure. */
  readonly name: string;
  readonly size: number;
  /** @throws {Failure} `data-unreadable` where there are fewer bytes than asked for. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * Opens a data file for reading in pieces. It is opened anew for each piece, so nothing has to be closed.
 *
 * @throws {Failure} `data-missing` or `data-unreadable`.
 */
export async function openBytes(path: string): Promise<Bytes> {
  const size = await fileSize(path);
  return {
    name: path,
    size,
    async read(offset, length) {
      if (offset + length > size) throw tooShort(path, offset + length, size);
      const bytes = new Uint8Array(length);
      let done = 0;
      const file = await open(path).catch((error: unknown) => {
        throw failureOf(path, error);
      });
      try {
        while (done < length) {
          const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
          if (bytesRead === 0) throw tooShort(path, offset + length, offset + done);
          done += bytesRead;
        }
      } catch (error) {
        throw failureOf(path, error);
      } finally {
        await file.close();
      }
      return bytes;
    },
  };
}

/** A stretch of other bytes, such as an entry of an archive. */
export function partOf(bytes: Bytes, name: string, start: number, size: number): Bytes {
  return {
    name,
    size,
    read(offset, length) {
      if (offset + length > size) throw tooShort(name, offset + length, size);
      return bytes.read(start + offset, length);
    },
  };
}

export function inMemory(name: string, content: Uint8Array): Bytes {
  return {
    name,
    size: content.length,
    read(offset, length) {
      if (offset + length > content.length) throw tooShort(name, offset + length, content.length);
      return Promise.resolve(content.slice(offset, offset + length));
    },
  };
}

/**
 * Reads a file that is used as a whole.
 *
 * @param mostBytes the bound of its kind.
 */
export async function readFileWhole(path: string, mostBytes: number): Promise<Uint8Array> {
  const size = await fileSize(path);
  if (size > mostBytes) throw unreadable(path, `has ${size} bytes, and a file of this kind may have ${mostBytes}`);
  const content = await readFile(path).catch((error: unknown) => {
    throw failureOf(path, error);
  });
  // Not a Buffer: its `slice` shares memory where that of a Uint8Array copies.
  return new Uint8Array(content.buffer, content.byteOffset, content.length);
}

async function fileSize(path: string): Promise<number> {
  const info = await stat(path).catch((error: unknown) => {
    throw failureOf(path, error);
  });
  if (info.isDirectory()) throw unreadable(path, "is a folder", "Name a file in it.");
  // A device or a pipe may never end.
  if (!info.isFile()) throw unreadable(path, "is not a regular file", "Name a file.");
  return info.size;
}

export function failureOf(path: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  if (code === "ENOENT" || code === "ENOTDIR")
    return new Failure("data-missing", `There is no file ${path}.`, "Check the path.");
  if (code === "ELOOP") return unreadable(path, "is a link that leads to itself", "Name the file itself.");
  return unreadable(path, `cannot be read (${code})`, "Check its permissions.");
}

export function unreadable(name: string, why: string, next = "Save it again, or leave it out."): Failure {
  return new Failure("data-unreadable", `${name} ${why}.`, next);
}

function tooShort(name: string, wanted: number, found: number): Failure {
  return unreadable(name, `ends at byte ${found}, and its data should reach byte ${wanted}`);
}
