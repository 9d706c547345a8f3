import { parse } from "csv-parse/sync";
import { readFileWhole, unreadable } from "./bytes";
import type { Source } from "./source";

const MAX_FILE_BYTES = 2 ** 28;

/**
 * A table of numbers, a line a sample; a first line that is not numbers holds the titles. Cells are parted by commas,
 * semicolons or tabs.
 *
 * @throws {Failure} `data-unreadable`, naming the line.
 */
export async function csvSource(path: string): Promise<Source> {
  const bytes = await readFileWhole(path, MAX_FILE_BYTES);
  let lines: string[][];
  try {
    lines = parse(bytes, { bom: true, delimiter: [",", ";", "\t"], trim: true, skip_empty_lines: true });
  } catch (error) {
    throw unreadable(path, `is no table: ${error instanceof Error ? error.message : String(error)}`);
  }
  const numbers = lines.map(cells => Float32Array.from(cells, cell => (cell === "" ? NaN : Number(cell))));
  const titles = numbers[0]?.some(Number.isNaN) ? 1 : 0;
  const samples = numbers.slice(titles);
  const width = samples[0]?.length;
  if (width === undefined) throw unreadable(path, "holds no numbers");
  const odd = samples.findIndex(sample => sample.some(Number.isNaN));
  if (odd >= 0) throw unreadable(path, `has a cell in row ${odd + titles + 1} that is no number`);
  return {
    name: path,
    count: samples.length,
    type: "float32",
    dims: [width],
    read: sample => Promise.resolve({ type: "float32", dims: [width], data: samples[sample]!.slice() }),
  };
}
