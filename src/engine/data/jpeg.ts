import decode, { init } from "@jsquash/jpeg/decode.js";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Picture } from "../../core/calibration/pictures";
import { webAssembly } from "../../kernels/webAssembly";
import { bundleFolder } from "../bundle";
import { unreadable } from "./bytes";
import { type Rgba, withoutAlpha } from "./webp";

interface JpegHead {
  readonly width: number;
  readonly height: number;
}

/** Frames whose segment gives the size; C4, C8 and CC are other segments. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
/** A progressive picture has some ten scans; each goes over all of it, however few bytes it has. */
const MAX_SCANS = 100;
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;
/** Markers without a segment: restarts, start of image, and a stray byte. */
const isBare = (marker: number): boolean => (marker >= 0xd0 && marker <= 0xd8) || marker === 0x01;

/**
 * Width and height, for the bound on pictures before anything is unpacked.
 *
 * The decoder fills up a picture that was cut off with grey and says nothing, so the way to the end marker is walked here.
 *
 * @throws {Failure} `data-unreadable` for a damaged picture, one that was cut off, or one in CMYK or of more than 8 bits.
 */
export function jpegHead(bytes: Uint8Array, file: string): JpegHead {
  const cutOff = () => unreadable(file, `is a JPEG picture cut off at byte ${bytes.length}`);
  let head: JpegHead | undefined;
  let [at, scans] = [2, 0];
  for (;;) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    if (at + 1 >= bytes.length) throw cutOff();
    if (bytes[at] !== 0xff) throw unreadable(file, `is a JPEG picture damaged at byte ${at}`);
    const marker = bytes[at + 1]!;
    at += 2;
    if (marker === END_OF_IMAGE) break;
    if (isBare(marker)) continue;
    if (at + 2 > bytes.length) throw cutOff();
    const length = (bytes[at]! << 8) | bytes[at + 1]!;
    if (at + length > bytes.length) throw cutOff();
    if (isFrame(marker)) head = frame(bytes.subarray(at, at + length), file);
    at += length;
    if (marker !== START_OF_SCAN) continue;
    if (++scans > MAX_SCANS) throw unreadable(file, `is a JPEG picture of more than ${MAX_SCANS} scans`);
    at = endOfScan(bytes, at);
  }
  if (!head) throw unreadable(file, "is a JPEG picture without a picture in it");
  return head;
}

function frame(segment: Uint8Array, file: string): JpegHead {
  const [bits, components] = [segment[2], segment[7]];
  if (bits !== 8)
    throw unreadable(file, `is a JPEG picture of ${bits} bits a channel`, "Save it with 8, or as PNG.");
  if (components === 4) {
    throw unreadable(
      file,
      "is a JPEG picture in CMYK (four inks), and models see red, green and blue",
      "Convert it to RGB.",
    );
  }
  return { height: (segment[3]! << 8) | segment[4]!, width: (segment[5]! << 8) | segment[6]! };
}

/** Where the next marker is; in a scan the byte FF is followed by 00, or by a restart. */
function endOfScan(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    at = bytes.indexOf(0xff, at);
    if (at < 0) return bytes.length;
    const next = bytes[at + 1];
    if (next !== undefined && next !== 0 && !(next >= 0xd0 && next <= 0xd7)) return at;
    at += 2;
  }
}

/** Its types leave the second parameter out. */
const initQuietly = init as (module: object, options: { printErr: () => void }) => Promise<void>;
let ready: Promise<void> | undefined;

/** @throws {Failure} `data-unreadable`. */
export async function decodeJpeg(bytes: Uint8Array, file: string): Promise<Picture> {
  ready ??= readFile(join(bundleFolder(), "jpeg.wasm")).then(async wasm => {
    // The decoder's own words for a damaged picture are not the user's.
    await initQuietly(await webAssembly.compile(wasm), { printErr: () => {} });
  });
  await ready;
  try {
    return withoutAlpha((await decode(bytes.slice().buffer, { preserveOrientation: true })) as Rgba);
  } catch (error) {
    // After an error the decoder's memory cannot be trusted; the next picture gets a new one.
    ready = undefined;
    if (!(error instanceof Error)) throw unreadable(file, "is a damaged JPEG picture");
    throw unreadable(file, `is a damaged JPEG picture (${error.message})`);
  }
}
