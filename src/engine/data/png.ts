import { constants, inflateSync } from "node:zlib";
import type { Picture } from "../../core/calibration/pictures";
import { unreadable } from "./bytes";

// Our own, because a picture from anywhere must not unpack to more than its size says, nor be filled up where it was cut off;
// the libraries for Node that are small enough do both.

/** What the first chunk of a `.png` file says. */
interface PngHead {
  readonly width: number;
  readonly height: number;
  /** Bits of one channel. */
  readonly depth: number;
  readonly channels: number;
  readonly palette: boolean;
  readonly interlaced: boolean;
}

/** 40 megapixels with alpha at 8 bits, 20 at 16; what is made of them is as large again, or larger. */
const MAX_UNPACKED_BYTES = 161e6;

const SIGNATURE_BYTES = 8;
/** Channels and bits by colour type: grey, colours, palette, grey with alpha, colours with alpha. */
const COLOURS: Record<number, { channels: number; depths: readonly number[] }> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  3: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
};
const PALETTE = 3;

/** Where the pixels of the seven passes of an interlaced picture lie: first column and row, steps. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const AT_ONCE = [[0, 0, 1, 1]] as const;

/** Width, height and kind, for the bound on pictures before anything is unpacked. */
export function pngHead(bytes: Uint8Array, file: string): PngHead {
  if (bytes.length < 33) throw unreadable(file, `is a PNG picture cut off at byte ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const colour = COLOURS[bytes[25]!];
  const depth = bytes[24]!;
  if (chunkName(bytes, SIGNATURE_BYTES) !== "IHDR" || !colour?.depths.includes(depth) || bytes[26] || bytes[27])
    throw unreadable(file, "is a damaged PNG picture");
  return {
    width: view.getUint32(16),
    height: view.getUint32(20),
    depth,
    channels: colour.channels,
    palette: bytes[25] === PALETTE,
    interlaced: bytes[28] === 1,
  };
}

/**
 * Unpacks a PNG picture; alpha is dropped, 16 bits are kept as fractions of 0..255.
 *
 * @throws {Failure} `data-unreadable`.
 * @see PNG specification (W3C), sections 7 to 9.
 */
export function decodePng(bytes: Uint8Array, file: string): Picture {
  const { width, height, depth, channels, palette, interlaced } = pngHead(bytes, file);
  const { packed, colours } = chunksOf(bytes, file);
  const pixelBits = depth * channels;
  const passes = (interlaced ? ADAM7 : AT_ONCE).map(([x, y, stepX, stepY]) => {
    const columns = Math.max(0, Math.ceil((width - x) / stepX));
    const rows = columns === 0 ? 0 : Math.max(0, Math.ceil((height - y) / stepY));
    return { x, y, stepX, stepY, columns, rows, rowBytes: Math.ceil((columns * pixelBits) / 8) };
  });
  const expected = passes.reduce((sum, { rows, rowBytes }) => sum + rows * (rowBytes + 1), 0);
  if (expected > MAX_UNPACKED_BYTES) {
    throw unreadable(
      file,
      `is a PNG picture that unpacks to ${expected} bytes, and ${MAX_UNPACKED_BYTES} are the most`,
      "Save it with 8 bits a channel, or make it smaller; a model sees a few hundred pixels of it.",
    );
  }
  const raw = inflated(packed, expected, file);

  const kept = palette || channels > 2 ? 3 : 1;
  const data = depth === 16 ? new Float32Array(width * height * kept) : new Uint8Array(width * height * kept);
  const full = 255 / (2 ** depth - 1);
  let at = 0;
  for (const { x, y, stepX, stepY, columns, rows, rowBytes } of passes) {
    let before: Uint8Array = new Uint8Array(rowBytes);
    for (let row = 0; row < rows; row++, at += rowBytes + 1) {
      const line = raw.subarray(at + 1, at + 1 + rowBytes);
      if (!unfilter(raw[at]!, line, before, Math.max(1, pixelBits >> 3)))
        throw unreadable(file, "is a damaged PNG picture");
      before = line;
      for (let column = 0; column < columns; column++) {
        const to = ((y + row * stepY) * width + x + column * stepX) * kept;
        for (let c = 0; c < kept; c++) {
          data[to + c] = palette
            ? (colours[3 * sampleAt(line, column, depth) + c] ?? 0)
            : sampleAt(line, column * channels + c, depth) * full;
        }
      }
    }
  }
  return { width, height, channels: kept, data };
}

/** The compressed pixels and the palette; all other chunks say nothing about values. */
function chunksOf(bytes: Uint8Array, file: string): { packed: Uint8Array; colours: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pixels: Uint8Array[] = [];
  let colours = new Uint8Array(0);
  for (let at = SIGNATURE_BYTES; ;) {
    const end = at + 12 <= bytes.length ? at + 12 + view.getUint32(at) : Infinity;
    if (end > bytes.length) throw unreadable(file, `is a PNG picture cut off at byte ${bytes.length}`);
    const name = chunkName(bytes, at);
    if (name === "IDAT") pixels.push(bytes.subarray(at + 8, end - 4));
    if (name === "PLTE") colours = bytes.slice(at + 8, end - 4);
    if (name === "IEND") return { packed: Buffer.concat(pixels), colours };
    at = end;
  }
}

function inflated(packed: Uint8Array, expected: number, file: string): Uint8Array {
  let raw: Uint8Array;
  try {
    raw = inflateSync(packed, { maxOutputLength: expected + 1, finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    if (error instanceof RangeError) throw unreadable(file, "is a PNG picture that unpacks to more than its size");
    throw unreadable(file, "is a damaged PNG picture");
  }
  if (raw.length < expected)
    throw unreadable(file, `is a PNG picture with ${raw.length} of ${expected} bytes of pixels`);
  return raw;
}

/** Undoes the filter of one line in place; `back` is how many bytes to the left the pixel before begins. */
function unfilter(kind: number, line: Uint8Array, above: Uint8Array, back: number): boolean {
  if (kind > 4) return false;
  if (kind === 0) return true;
  for (let i = 0; i < line.length; i++) {
    const left = i >= back ? line[i - back]! : 0;
    const up = above[i]!;
    if (kind === 1) line[i] = line[i]! + left;
    else if (kind === 2) line[i] = line[i]! + up;
    else if (kind === 3) line[i] = line[i]! + ((left + up) >> 1);
    else line[i] = line[i]! + paeth(left, up, i >= back ? above[i - back]! : 0);
  }
  return true;
}

function paeth(left: number, up: number, upLeft: number): number {
  const guess = left + up - upLeft;
  const [ofLeft, ofUp, ofUpLeft] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - upLeft)];
  if (ofLeft <= ofUp && ofLeft <= ofUpLeft) return left;
  return ofUp <= ofUpLeft ? up : upLeft;
}

/** A sample of 1 to 16 bits in a line; the first in the highest bits. */
function sampleAt(line: Uint8Array, index: number, depth: number): number {
  if (depth === 8) return line[index]!;
  if (depth === 16) return (line[2 * index]! << 8) | line[2 * index + 1]!;
  const perByte = 8 / depth;
  return (line[Math.floor(index / perByte)]! >> (8 - depth * ((index % perByte) + 1))) & (2 ** depth - 1);
}

function chunkName(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at + 4, at + 8));
}
