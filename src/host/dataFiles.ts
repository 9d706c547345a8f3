import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A data file names other files and some numbers; whatever is larger is something else. */
const MAX_DATA_FILE_BYTES = 65_536;
/** A folder of thousands of annotations is not searched on the way to a question. */
const MAX_LOOKED_AT = 50;

/**
 * Calibration data in a model's folder: the array named like the model, then data files (JSON that names samples), those
 * named like the model first.
 */
export async function dataBeside(model: string): Promise<string[]> {
  const folder = dirname(model);
  const base = basename(model, ".onnx");
  // The second is written by Whittle where it guesses how pictures are prepared.
  const own = [`${base}.json`, `${base}.data.json`];
  const all = await readdir(folder);
  const array = `${base}.npy`;
  const names = all.filter(name => name.endsWith(".json"));
  const rank = (name: string): number => (own.includes(name) ? own.indexOf(name) : own.length);
  const ordered = names.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  const paths = ordered.slice(0, MAX_LOOKED_AT).map(name => join(folder, name));
  const are = await Promise.all(paths.map(isDataFile));
  return [...(all.includes(array) ? [join(folder, array)] : []), ...paths.filter((_, k) => are[k])];
}

async function isDataFile(path: string): Promise<boolean> {
  try {
    const info = await stat(path);
    if (!info.isFile() || info.size > MAX_DATA_FILE_BYTES) return false;
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof value !== "object" || value === null) return false;
    return ["calib", "data"].some(key => typeof (value as Record<string, unknown>)[key] === "string");
  } catch {
    // Unreadable, or not JSON: nothing to offer. Chosen by hand, the engine says what is wrong with it.
    return false;
  }
}
