import { deflateSync } from "node:zlib";

// Pictures whose heads and bodies do not fit, for tests.

/** A PNG picture that says how large it is and of how many bits, with these bytes packed in it: grey of 8 bits, else with colours and alpha. */
export function pngOf(width: number, height: number, depth: 8 | 16, raw: Uint8Array): Uint8Array {
  const chunk = (name: string, content: Uint8Array): Buffer => {
    const piece = Buffer.alloc(12 + content.length);
    piece.writeUInt32BE(content.length);
    piece.write(name, 4);
    piece.set(content, 8);
    return piece;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head[8] = depth;
  head[9] = depth === 8 ? 0 : 6;
  return Buffer.concat([
    Buffer.from("\u0089PNG\r\n\u001a\n", "latin1"),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(raw)),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** A JPEG picture of one frame (its marker and its first bytes), and so many scans without a pixel in them. */
export function jpegOf(frame: readonly number[], scans = 0): Uint8Array {
  const [marker, ...content] = frame;
  const segment = marker === undefined ? [] : [0xff, marker, 0, content.length + 2, ...content];
  const scan = [0xff, 0xda, 0, 2, 0];
  return Uint8Array.from([0xff, 0xd8, ...segment, ...Array.from({ length: scans }, () => scan).flat(), 0xff, 0xd9]);
}

/** The head of an extended WebP picture, without a picture. */
export function webpHeadOf(flags: number, width: number, height: number): Uint8Array {
  const file = Buffer.alloc(30);
  file.write("RIFF");
  file.writeUInt32LE(22, 4);
  file.write("WEBPVP8X", 8);
  file.writeUInt32LE(10, 16);
  file[20] = flags;
  file.writeUIntLE(width - 1, 24, 3);
  file.writeUIntLE(height - 1, 27, 3);
  return new Uint8Array(file);
}
