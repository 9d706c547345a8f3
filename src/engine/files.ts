import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, type Stats, statSync, writeSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Failure } from "../core/failure";
import { bytePieces } from "../core/onnx/bytes";
import type { Part } from "../core/onnx/splice";

/** A data file names samples: the largest met, a list of some models' data, has 6 KB. One of more bytes is something else. */
const MAX_DATA_FILE_BYTES = 2 ** 24;

/**
 * Reads a whole data file.
 *
 * @throws {Failure} `data-missing` or `data-unreadable`.
 */
export async function readWhole(path: string): Promise<Uint8Array> {
  const fail = (kind: "missing" | "unreadable", happened: string, next: string): Failure =>
    new Failure(`data-${kind}`, happened, next);
  try {
    const info = await stat(path);
    if (info.isDirectory()) throw fail("unreadable", `${path} is a folder.`, "Name a file in it.");
    if (!info.isFile()) throw fail("unreadable", `${path} is ${kindOf(info)}, not a regular file.`, "Name a file.");
    if (info.size > MAX_DATA_FILE_BYTES) {
      throw fail(
        "unreadable",
        `${path} has ${info.size} bytes, and a data file has ${MAX_DATA_FILE_BYTES} at most.`,
        "Name a file that says where the samples are.",
      );
    }
    // Not a Buffer: its `slice` shares memory where that of a Uint8Array copies.
    const { buffer, byteOffset, length } = await readFile(path);
    return new Uint8Array(buffer, byteOffset, length);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR")
      throw fail("missing", `There is no file ${path}.`, "Check the path.");
    throw fail("unreadable", `${path} cannot be read (${code}).`, "Check its permissions.");
  }
}

/** What stands at a path where a regular file should; to open some of these is to wait for ever. */
export function kindOf(info: Stats): string {
  if (info.isDirectory()) return "a folder";
  if (info.isFIFO()) return "a pipe";
  if (info.isSocket()) return "a socket";
  return "a device";
}

/**
 * Refuses a target before any work is done.
 *
 * @throws {Failure} `output-is-model` or `output-exists`.
 */
export function checkTarget(output: string, model: string, overwrite: boolean): void {
  const target = identityOf(output);
  if (resolve(output) === resolve(model) || (target !== undefined && target === identityOf(model))) {
    throw new Failure(
      "output-is-model",
      `${output} is the model itself.`,
      "A copy never replaces the file it was made from; choose another name.",
    );
  }
  if (target !== undefined && !overwrite) {
    throw new Failure(
      "output-exists",
      `${output} is there already.`,
      "Choose another name, or allow it with --overwrite.",
    );
  }
}

/**
 * Tries whether a file can be made where the target shall be, so that a long run does not end at a closed door.
 *
 * @param id of the temporary name, as for `writePending`.
 * @throws {Failure} `output-unwritable`.
 */
export function checkWritable(target: string, id?: string): void {
  writePending(target, [], id).discard();
}

/** Device and inode, so that links to the model are seen through; undefined where there is no file. */
function identityOf(path: string): string | undefined {
  try {
    const info = statSync(path);
    return `${info.dev}:${info.ino}`;
  } catch {
    // No file, or one that cannot be looked at: writing will say so.
    return undefined;
  }
}

/** A file on its way: written under a temporary name beside its target. */
export interface PendingFile {
  readonly temporaryPath: string;
  /** Puts it in the place of its target, in one step. */
  commit(): void;
  /** Takes it away again. */
  discard(): void;
}

const pending = new Set<string>();
// A process that ends early (a failure, Ctrl-C) leaves nothing half-written behind.
process.on("exit", () => {
  for (const path of pending) rmSync(path, { recursive: true });
});

/** What is on its way under a name, and how it is taken away again. */
export function pendingAt(temporaryPath: string): { done: () => void; discard: () => void } {
  pending.add(temporaryPath);
  const done = (): void => void pending.delete(temporaryPath);
  const discard = (): void => {
    done();
    rmSync(temporaryPath, { recursive: true });
  };
  return { done, discard };
}

/** `<target>.<id>.part`: whoever ends this process by force knows what to take away. */
export function temporaryName(target: string, id: string = randomBytes(6).toString("hex")): string {
  return `${target}.${id}.part`;
}

/**
 * Writes a file under a temporary name in the target's folder and syncs it to the disk.
 *
 * @param id makes the temporary name.
 * @throws {Failure} `output-unwritable`; nothing is left behind then.
 */
export function writePending(target: string, parts: readonly Part[], id?: string): PendingFile {
  const temporaryPath = temporaryName(target, id);
  const file = orUnwritable(target, () => openSync(temporaryPath, "wx"));
  const { done, discard } = pendingAt(temporaryPath);
  const orDiscard = <T>(work: () => T): T => {
    try {
      return orUnwritable(target, work);
    } catch (error) {
      discard();
      throw error;
    }
  };
  orDiscard(() => writeParts(file, parts));
  return {
    temporaryPath,
    commit() {
      orDiscard(() => renameSync(temporaryPath, target));
      done();
      syncFolder(dirname(target));
    },
    discard,
  };
}

/** One call writes less than 2 GiB. */
const MOST_AT_ONCE = 2 ** 30;

/** Writes all parts, one after the other, to an open file, syncs and closes it. */
export function writeParts(file: number, parts: readonly Part[]): void {
  const write = (bytes: Uint8Array): void => {
    for (let done = 0; done < bytes.length;)
      done += writeSync(file, bytes, done, Math.min(bytes.length - done, MOST_AT_ONCE));
  };
  try {
    for (const part of parts) {
      if (part instanceof Uint8Array) write(part);
      else for (const piece of bytePieces(part)) write(piece);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Writes a whole file in one step, as a pending file that is committed at once. */
export function writeWhole(target: string, bytes: Uint8Array): void {
  writePending(target, [bytes]).commit();
}

/** The new name itself reaches the disk. Windows cannot open folders; there the rename is already durable. */
export function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const WORDS: Record<string, string> = {
  ENOENT: "its folder does not exist",
  ENOTDIR: "its folder is a file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the disk is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would pass the size limit",
  EISDIR: "it is a folder",
};

/** @throws {Failure} `output-unwritable` for what the system says; any other as it is. */
export function orUnwritable<T>(target: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof Failure ? error : unwritable(target, error);
  }
}

function unwritable(target: string, error: unknown): Failure {
  const code = errorCode(error);
  return new Failure(
    "output-unwritable",
    `${target} cannot be written: ${WORDS[code] ?? code}.`,
    "Choose another place, or make room; nothing was left behind.",
  );
}

/** What the system calls it. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
