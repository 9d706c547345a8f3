import type { Picture } from "../../core/calibration/pictures";
import { unreadable } from "./bytes";

/** What the head of a `.bmp` file says; `rows` counts from the top where `height` is negative in the file. */
interface BmpHead {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  readonly start: number;
  readonly palette: number;
  readonly colours: number;
}

const UNCOMPRESSED = 0;
const BIT_FIELDS = 3;

/** Width and height, for the bound on pictures before anything is unpacked. */
export function bmpHead(bytes: Uint8Array, file: string): BmpHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const infoBytes = bytes.length >= 54 ? view.getUint32(14, true) : 0;
  if (infoBytes < 40) throw unreadable(file, "is a BMP picture with a damaged or very old header");
  const height = view.getInt32(22, true);
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  const isPlain = compression === UNCOMPRESSED || (compression === BIT_FIELDS && bits === 32);
  if (![1, 4, 8, 24, 32].includes(bits) || !isPlain) {
    throw unreadable(file, `is a BMP picture of ${bits} bits, packed by method ${compression}`, "Save it as PNG.");
  }
  return {
    width: view.getInt32(18, true),
    height: Math.abs(height),
    topDown: height < 0,
    bits,
    start: view.getUint32(10, true),
    palette: 14 + infoBytes,
    colours: bits <= 8 ? view.getUint32(46, true) || 2 ** bits : 0,
  };
}

/**
 * Unpacks a BMP picture of 1, 4, 8, 24 or 32 bits a pixel.
 *
 * @throws {Failure} `data-unreadable`.
 */
export function decodeBmp(bytes: Uint8Array, file: string): Picture {
  const { width, height, topDown, bits, start, palette, colours } = bmpHead(bytes, file);
  // Rows are padded to four bytes.
  const stride = 4 * Math.ceil((width * bits) / 32);
  const end = Math.max(start + stride * height, palette + 4 * colours);
  if (end > bytes.length) throw unreadable(file, `is a BMP picture that ends at byte ${bytes.length} of ${end}`);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = start + stride * (topDown ? y : height - 1 - y);
    for (let x = 0; x < width; x++) {
      const at =
        bits > 8 ? row + x * (bits / 8) : palette + 4 * Math.min(colours - 1, entryAt(bytes, row, x, bits));
      // Stored blue first.
      data[3 * (y * width + x)] = bytes[at + 2]!;
      data[3 * (y * width + x) + 1] = bytes[at + 1]!;
      data[3 * (y * width + x) + 2] = bytes[at]!;
    }
  }
  return { width, height, channels: 3, data };
}

/** An index of 1, 4 or 8 bits, the leftmost pixel in the highest bits. */
function entryAt(bytes: Uint8Array, row: number, x: number, bits: number): number {
  const perByte = 8 / bits;
  const byte = bytes[row + Math.floor(x / perByte)]!;
  return (byte >> (8 - bits * ((x % perByte) + 1))) & (2 ** bits - 1);
}
