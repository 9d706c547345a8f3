import decode, { init } from "@jsquash/webp/decode.js";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Picture } from "../../core/calibration/pictures";
import { webAssembly } from "../../kernels/webAssembly";
import { bundleFolder } from "../bundle";
import { unreadable } from "./bytes";

const ANIMATED = 0x02;

/**
 * Width and height, for the bound on pictures before anything is unpacked.
 *
 * @see WebP Container Specification; VP8: RFC 6386, section 9.1.
 */
export function webpHead(bytes: Uint8Array, file: string): { width: number; height: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const promised = bytes.length >= 30 ? 8 + view.getUint32(4, true) : Infinity;
  if (promised > bytes.length) throw unreadable(file, `is a WebP picture cut off at byte ${bytes.length}`);
  switch (String.fromCharCode(...bytes.subarray(12, 16))) {
    case "VP8 ":
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
    }
    case "VP8X":
      if (bytes[20]! & ANIMATED) throw unreadable(file, "is an animated WebP picture", "Save one frame of it.");
      return {
        width: (view.getUint32(24, true) & 0xff_ffff) + 1,
        height: (view.getUint32(26, true) >>> 8) + 1,
      };
    default:
      throw unreadable(file, "is a damaged WebP picture");
  }
}

let ready: Promise<void> | undefined;

/** @throws {Failure} `data-unreadable`. */
export async function decodeWebp(bytes: Uint8Array, file: string): Promise<Picture> {
  ready ??= readFile(join(bundleFolder(), "webp.wasm")).then(async wasm => {
    await init(await webAssembly.compile(wasm));
  });
  await ready;
  try {
    return withoutAlpha((await decode(bytes.slice().buffer)) as Rgba);
  } catch (error) {
    // After an error the decoder's memory cannot be trusted; the next picture gets a new one.
    ready = undefined;
    throw unreadable(file, `is a damaged WebP picture (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** What the decoders give, a browser's ImageData: red, green, blue, alpha, 8 bits each. */
export interface Rgba {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

export function withoutAlpha({ data, width, height }: Rgba): Picture {
  const out = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    out[3 * pixel] = data[4 * pixel]!;
    out[3 * pixel + 1] = data[4 * pixel + 1]!;
    out[3 * pixel + 2] = data[4 * pixel + 2]!;
  }
  return { width, height, channels: 3, data: out };
}
