import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, type Stats, statSync } from "node:fs";
import { Failure } from "../core/failure";
import type { FileSource } from "../core/onnx/bytes";
import { errorCode, kindOf } from "./files";

/** One call reads less than 2 GiB. */
const MOST_AT_ONCE = 2 ** 30;

/**
 * A file of a model that is read piece by piece. It is opened anew for each piece, so nothing has to be closed.
 *
 * @returns a source whose `read` throws {Failure} `model-changed` where the file is not the one it was.
 * @throws {Failure} `model-missing` or `model-unreadable`.
 */
export function modelSource(path: string): FileSource {
  let file: string;
  let first: Stats;
  try {
    file = realpathSync(path);
    first = statSync(file);
  } catch (error) {
    throw unreachable(path, error);
  }
  if (first.isDirectory()) throw unreadable(path, "is a folder", "Name a file in it.");
  // Before it is opened: to open a pipe is to wait for its other end.
  if (!first.isFile()) throw unreadable(path, `is ${kindOf(first)}, not a regular file`, "Name a file.");
  return {
    file,
    length: first.size,
    read(offset, length) {
      const handle = opened(file, path);
      try {
        const now = fstatSync(handle);
        if (now.ino !== first.ino || now.size !== first.size || now.mtimeMs !== first.mtimeMs) throw changed(path);
        const bytes = new Uint8Array(length);
        for (let done = 0; done < length;) {
          const read = readSync(handle, bytes, done, Math.min(length - done, MOST_AT_ONCE), offset + done);
          if (read === 0) throw changed(path);
          done += read;
        }
        return bytes;
      } finally {
        closeSync(handle);
      }
    },
  };
}

function opened(file: string, path: string): number {
  try {
    // Should a pipe have taken the file's place meanwhile, this returns instead of waiting.
    return openSync(file, constants.O_RDONLY | (process.platform === "win32" ? 0 : constants.O_NONBLOCK));
  } catch (error) {
    throw unreachable(path, error);
  }
}

function changed(path: string): Failure {
  return new Failure("model-changed", `${path} was changed while it was read.`, "Run again when it is whole.");
}

function unreachable(path: string, error: unknown): Failure {
  const code = errorCode(error);
  if (code === "ENOENT" || code === "ENOTDIR")
    return new Failure("model-missing", `There is no file ${path}.`, "Check the path.");
  return unreadable(path, `cannot be read (${code})`, "Check its permissions.");
}

function unreadable(path: string, why: string, next: string): Failure {
  return new Failure("model-unreadable", `${path} ${why}.`, next);
}
