import { mkdirSync, openSync, renameSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ModelFiles } from "../core/onnx/external";
import {
  checkTarget,
  orUnwritable,
  pendingAt,
  type PendingFile,
  syncFolder,
  temporaryName,
  writeParts,
  writePending,
} from "./files";

/** Where the tensors of a copy lie that are not in its message. */
export function dataFileOf(output: string): string {
  return `${output}.data`;
}

/**
 * Refuses a target before any work is done; where the copy may become a pair, both of them.
 *
 * @param sources the files of the model.
 * @throws {Failure} `output-is-model` or `output-exists`.
 */
export function checkTargets(
  output: string,
  sources: readonly string[],
  { pair, overwrite }: { readonly pair: boolean; readonly overwrite: boolean },
): void {
  for (const target of pair ? [output, dataFileOf(output)] : [output])
    for (const source of sources) checkTarget(target, source, overwrite);
}

/**
 * Writes the files of a copy under temporary names in the target's folder: one file under a name of its own, or two of their
 * last names in a folder of its own, so that what is loaded and checked is what is kept.
 *
 * @throws {Failure} `output-unwritable`; nothing is left behind then.
 */
export function writePendingCopy(target: string, { message, data }: ModelFiles, id?: string): PendingFile {
  if (!data) return writePending(target, message, id);
  const folder = temporaryName(target, id);
  orUnwritable(target, () => mkdirSync(folder));
  const { discard } = pendingAt(folder);
  const inside = (path: string): string => join(folder, basename(path));
  // The data first: a message is not there before what it speaks of.
  const targets = [dataFileOf(target), target];
  try {
    for (const [path, parts] of [
      [targets[0]!, data],
      [targets[1]!, message],
    ] as const)
      orUnwritable(path, () => writeParts(openSync(inside(path), "wx"), parts));
  } catch (error) {
    discard();
    throw error;
  }
  return {
    temporaryPath: inside(target),
    commit() {
      const moves = targets.map(path => ({ from: inside(path), to: path }));
      // The old message goes before the old data and the new one comes after the new data: no message ever stands beside
      // data of another.
      const old = moves
        // A folder of that name is nobody's copy; a rename onto it fails.
        .filter(({ to }) => statSync(to, { throwIfNoEntry: false })?.isFile())
        .map(({ from, to }) => ({ from: to, to: `${from}.old` }))
        .reverse();
      try {
        orUnwritable(target, () => renameAll([...old, ...moves]));
      } finally {
        discard();
      }
      syncFolder(dirname(target));
    },
    discard,
  };
}

/** All or none: where one fails, those before it are taken back. */
function renameAll(moves: readonly { readonly from: string; readonly to: string }[]): void {
  const made: (typeof moves)[number][] = [];
  try {
    for (const move of moves) {
      renameSync(move.from, move.to);
      made.push(move);
    }
  } catch (error) {
    for (const { from, to } of made.reverse()) renameSync(to, from);
    throw error;
  }
}
