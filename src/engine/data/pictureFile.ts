import type { Picture } from "../../core/calibration/pictures";
import { bmpHead, decodeBmp } from "./bmp";
import { readFileWhole, unreadable } from "./bytes";
import { decodeJpeg, jpegHead } from "./jpeg";
import { decodePng, pngHead } from "./png";
import { decodeWebp, webpHead } from "./webp";

/** Names that a folder of pictures is searched for. */
export const PICTURE_FILES = /\.(jpe?g|png|webp|bmp)$/i;

/** A photograph as cameras save it has up to 60 MB. */
const MAX_FILE_BYTES = 2 ** 28;
/** 40 megapixels; decoding takes some ten bytes a pixel, and one picture shall not take half a gigabyte. */
const MAX_PIXELS = 40e6;
/** As in JPEG and WebP, where a side takes at most 16 bits. */
const MAX_SIDE = 65_535;

interface Format {
  readonly name: string;
  readonly isIt: (bytes: Uint8Array) => boolean;
  readonly head: (bytes: Uint8Array, file: string) => { width: number; height: number };
  readonly decode: (bytes: Uint8Array, file: string) => Picture | Promise<Picture>;
}

const begins = (bytes: Uint8Array, at: number, text: string): boolean =>
  Array.from(text).every((letter, i) => bytes[at + i] === letter.charCodeAt(0));

/** Told by their first bytes; a name's ending is often wrong. */
const FORMATS: readonly Format[] = [
  { name: "JPEG", isIt: bytes => begins(bytes, 0, "\u00ff\u00d8\u00ff"), head: jpegHead, decode: decodeJpeg },
  { name: "PNG", isIt: bytes => begins(bytes, 0, "\u0089PNG\r\n\u001a\n"), head: pngHead, decode: decodePng },
  {
    name: "WebP",
    isIt: bytes => begins(bytes, 0, "RIFF") && begins(bytes, 8, "WEBP"),
    head: webpHead,
    decode: decodeWebp,
  },
  { name: "BMP", isIt: bytes => begins(bytes, 0, "BM"), head: bmpHead, decode: decodeBmp },
];

/**
 * Reads a picture file, turned as its EXIF says (JPEG).
 *
 * @throws {Failure} `data-missing` or `data-unreadable`, with the cause.
 */
export async function readPicture(path: string): Promise<Picture> {
  const bytes = await readFileWhole(path, MAX_FILE_BYTES);
  if (bytes.length === 0) throw unreadable(path, "is empty");
  const format = FORMATS.find(({ isIt }) => isIt(bytes));
  if (!format) throw unreadable(path, "is no JPEG, PNG, WebP or BMP picture", "Convert it, or leave it out.");
  const { width, height } = format.head(bytes, path);
  if (!(width > 0 && height > 0))
    throw unreadable(path, `is a ${format.name} picture of ${width} x ${height} pixels`);
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS) {
    throw unreadable(
      path,
      `is a ${format.name} picture of ${width} x ${height} pixels, and ${MAX_PIXELS / 1e6} million are the most`,
      "Make it smaller; a model sees a few hundred pixels of it.",
    );
  }
  return format.decode(bytes, path);
}
