import { CsvError, type Options, parse } from "csv-parse";
import { createReadStream } from "node:fs";
import { pipeline, Transform } from "node:stream";
import { type Bytes, failureOf, inMemory, openBytes, unreadable } from "./bytes";
import type { Source } from "./source";
import { spool } from "./spool";

/** The disk is the user's; the numbers of a longer table would not fit a temporary one either. */
const MAX_FILE_BYTES = 2 ** 32;
/** The numbers of tables up to this size are kept in memory, those of longer ones in a temporary file. */
const MAX_IN_MEMORY = 2 ** 25;
/** A line of 3 x 512 x 512 numbers; a file without line ends would be one line. */
const MAX_LINE_BYTES = 2 ** 24;
/** 3 x 512 x 512 and some; a line of as many bytes could have ten times the cells, and takes seconds to be taken apart. */
const MAX_CELLS = 2 ** 20;
/** Numbers take some twenty; titles may be sentences. */
const MAX_CELL_BYTES = 4096;
/** Numbers are handed on so many bytes at a time. */
const PIECE_BYTES = 2 ** 20;

const FORMAT: Options = {
  bom: true,
  delimiter: [",", ";", "\t"],
  trim: true,
  skip_empty_lines: true,
  max_record_size: MAX_LINE_BYTES,
};

/**
 * A table of numbers, a line a sample; a first line that is not numbers holds the titles. Cells are parted by commas,
 * semicolons or tabs.
 *
 * @throws {Failure} `data-unreadable`, naming the line.
 */
export async function csvSource(path: string): Promise<Source> {
  const { size } = await openBytes(path);
  if (size > MAX_FILE_BYTES)
    throw unreadable(path, `has ${size} bytes, and a table may have ${MAX_FILE_BYTES}`, "Save it as .npy.");
  let width = 0;
  const pieces = numbersOf(path, cells => {
    width = cells;
  });
  const numbers = size > MAX_IN_MEMORY ? await spool(path, pieces) : await together(path, pieces);
  const bytesPerSample = Float32Array.BYTES_PER_ELEMENT * width;
  if (numbers.size === 0) throw unreadable(path, "holds no numbers");
  return {
    name: path,
    count: numbers.size / bytesPerSample,
    type: "float32",
    dims: [width],
    async read(sample) {
      const bytes = await numbers.read(sample * bytesPerSample, bytesPerSample);
      return { type: "float32", dims: [width], data: new Float32Array(bytes.buffer) };
    },
  };
}

/** The numbers of a table, as bytes of float32 values. */
async function* numbersOf(path: string, onWidth: (cells: number) => void): AsyncGenerator<Uint8Array> {
  const parser = parse(FORMAT);
  // What goes wrong reading is thrown by the parser.
  pipeline(createReadStream(path), boundedLines(path), parser, () => {});
  let piece: Float32Array[] = [];
  let line = 0;
  try {
    for await (const cells of parser as AsyncIterable<string[]>) {
      const numbers = Float32Array.from(cells, cell => (cell === "" ? NaN : Number(cell)));
      line++;
      if (numbers.some(Number.isNaN)) {
        if (line === 1) continue;
        throw unreadable(path, `has a cell in row ${line} that is no number`);
      }
      onWidth(numbers.length);
      piece.push(numbers);
      if (piece.length * numbers.byteLength < PIECE_BYTES) continue;
      yield joined(piece);
      piece = [];
    }
  } catch (error) {
    if (error instanceof CsvError) throw unreadable(path, `is no table: ${error.message}`);
    throw failureOf(path, error);
  }
  yield joined(piece);
}

const LINE_END = 10;
const PARTS = new Set([",", ";", "\t"].map(one => one.charCodeAt(0)));

/** Hands the table on as it is, up to a line of too many cells or a cell that is too long. */
function boundedLines(path: string): Transform {
  let [parts, cellBytes] = [0, 0];
  return new Transform({
    transform(piece: Buffer, _, done) {
      for (const byte of piece) {
        if (byte === LINE_END) parts = cellBytes = 0;
        else if (PARTS.has(byte)) {
          cellBytes = 0;
          if (++parts >= MAX_CELLS) return done(unreadable(path, `has a line of more than ${MAX_CELLS} cells`));
        } else if (++cellBytes > MAX_CELL_BYTES) {
          return done(unreadable(path, `has a cell of more than ${MAX_CELL_BYTES} bytes`));
        }
      }
      done(null, piece);
    },
  });
}

function joined(rows: readonly Float32Array[]): Uint8Array {
  return Buffer.concat(
    rows.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
  );
}

async function together(path: string, pieces: AsyncIterable<Uint8Array>): Promise<Bytes> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return inMemory(path, new Uint8Array(Buffer.concat(all)));
}
