import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, type Stats, statSync, unlinkSync, writeSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Failure, type FailureCode } from "../core/failure";

/** Protobuf, and so onnxruntime, takes no single message of 2 GiB or more. */
const MAX_FILE_BYTES = 2 ** 31 - 1;

/**
 * Reads a whole file.
 *
 * @param what "model" or "data": decides the codes of the failures.
 * @throws {Failure} `…-missing`, `…-unreadable` or `model-too-large`.
 */
export async function readWhole(path: string, what: "model" | "data"): Promise<Uint8Array> {
  const fail = (kind: "missing" | "unreadable", happened: string, next: string): Failure =>
    new Failure(`${what}-${kind}` as FailureCode, happened, next);
  try {
    const info = await stat(path);
    if (info.isDirectory()) throw fail("unreadable", `${path} is a folder.`, "Name a file in it.");
    if (!info.isFile()) throw fail("unreadable", `${path} is ${kindOf(info)}, not a regular file.`, "Name a file.");
    if (info.size > MAX_FILE_BYTES) {
      throw new Failure(
        "model-too-large",
        `${path} has ${info.size} bytes, and one file may have 2 GiB.`,
        "Files this large are not handled yet.",
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
  writePending(target, new Uint8Array(0), id).discard();
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
  for (const path of pending) unlinkSync(path);
});

/**
 * Writes bytes under a temporary name in the target's folder and syncs them to the disk.
 *
 * @param id makes the temporary name, `<target>.<id>.part`: whoever ends this process by force knows what to take away.
 * @throws {Failure} `output-unwritable`; nothing is left behind then.
 */
export function writePending(
  target: string,
  bytes: Uint8Array,
  id: string = randomBytes(6).toString("hex"),
): PendingFile {
  const temporaryPath = `${target}.${id}.part`;
  const forget = (): void => {
    pending.delete(temporaryPath);
    unlinkSync(temporaryPath);
  };
  let file: number;
  try {
    file = openSync(temporaryPath, "wx");
  } catch (error) {
    throw unwritable(target, error);
  }
  pending.add(temporaryPath);
  try {
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    forget();
    throw unwritable(target, error);
  }
  return {
    temporaryPath,
    commit() {
      try {
        renameSync(temporaryPath, target);
      } catch (error) {
        forget();
        throw unwritable(target, error);
      }
      pending.delete(temporaryPath);
      syncFolder(dirname(target));
    },
    discard: forget,
  };
}

/** Writes a whole file in one step, as a pending file that is committed at once. */
export function writeWhole(target: string, bytes: Uint8Array): void {
  writePending(target, bytes).commit();
}

/** The new name itself reaches the disk. Windows cannot open folders; there the rename is already durable. */
function syncFolder(folder: string): void {
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

function unwritable(target: string, error: unknown): Failure {
  const code = errorCode(error);
  return new Failure(
    "output-unwritable",
    `${target} cannot be written: ${WORDS[code] ?? code}.`,
    "Choose another place, or make room; nothing was left behind.",
  );
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
