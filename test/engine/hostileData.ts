import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode as png } from "fast-png";
import { bmp, npy, wav, zip } from "./containers";
import { bytesOf } from "./files";
import { jpegOf, pngOf, webpHeadOf } from "./hostilePictures";

/** Hostile or broken data, and what Whittle says of it. */
export interface HostileData {
  readonly kind: string;
  /** Makes it in an empty folder; returns what is named as the data, relative to the folder. */
  readonly make: (folder: string) => string;
  /** All of the failure, the folder taken out. */
  readonly said: string;
  /** Of systems that have such files. */
  readonly unixOnly?: true;
}

const text = (words: string): Uint8Array => new Uint8Array(Buffer.from(words, "latin1"));
const cut = (file: Uint8Array, share = 0.5): Uint8Array => file.subarray(0, Math.floor(share * file.length));
const changed = (file: Uint8Array, change: (view: DataView) => void): Uint8Array => {
  const copy = new Uint8Array(file);
  change(new DataView(copy.buffer));
  return copy;
};
/** Where a record of a zip archive begins, the last of its kind. */
const recordAt = ({ buffer }: DataView, signature: string): number =>
  Buffer.from(buffer).lastIndexOf(signature, undefined, "latin1");

const samples = npy("<f4", [2, 784], new Float32Array(2 * 784));
const header = (words: string, version = 1): Uint8Array => {
  const padded = words.padEnd(117) + "\n";
  return Buffer.concat([text(`\u0093NUMPY${String.fromCharCode(version, 0, padded.length, 0)}`), text(padded)]);
};
const shaped = (shape: string, descr = "<f4", fortran = "False"): Uint8Array =>
  header(`{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${shape}), }`);
const grey = new Uint8Array(784).fill(7);
const picture = png({ width: 28, height: 28, data: grey, channels: 1, depth: 8 });
const jpeg = bytesOf("test/data/pictures/7_first.jpg");
const webp = bytesOf("test/data/pictures/7_first.webp");
const sound = wav(new Int16Array(2000));

/** A file that is named as the data itself. */
const alone =
  (name: string, content: Uint8Array, longer?: number) =>
  (folder: string): string => {
    writeFileSync(join(folder, name), content);
    if (longer !== undefined) truncateSync(join(folder, name), longer);
    return name;
  };
/** A data file, and the files it names. */
const spec =
  (fields: object | string, files: Readonly<Record<string, Uint8Array>> = { "x.npy": samples }) =>
  (folder: string): string => {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    writeFileSync(join(folder, "data.json"), typeof fields === "string" ? fields : JSON.stringify(fields));
    return "data.json";
  };
const soundOf = (content: Uint8Array, more: object = {}) =>
  spec({ data: "s.wav", kind: "audio", window: 784, ...more }, { "s.wav": content });
const tensorFile =
  (content: Uint8Array) =>
  (folder: string): string => {
    writeFileSync(join(folder, "input_0.pb"), content);
    return ".";
  };

export const HOSTILE_DATA: readonly HostileData[] = [
  {
    kind: "nothing there",
    make: () => "none.npy",
    said: "data-missing: There is no file none.npy. Check the path.",
  },
  {
    kind: "a folder without data",
    make: folder => (mkdirSync(join(folder, "empty")), "empty"),
    said: "data-unreadable: empty holds no pictures (JPEG, PNG, WebP, BMP), and no test_data_set_* with inputs. Name the folder or the files.",
  },
  {
    kind: "a pipe",
    make: folder => (execFileSync("mkfifo", [join(folder, "p.npy")]), "p.npy"),
    said: "data-unreadable: p.npy is not a regular file. Name a file.",
    unixOnly: true,
  },
  {
    kind: "a device",
    make: folder => (symlinkSync("/dev/zero", join(folder, "zero.npy")), "zero.npy"),
    said: "data-unreadable: zero.npy is not a regular file. Name a file.",
    unixOnly: true,
  },
  {
    kind: "a link to itself",
    make: folder => (symlinkSync("loop.npy", join(folder, "loop.npy")), "loop.npy"),
    said: "data-unreadable: loop.npy is a link that leads to itself. Name the file itself.",
    unixOnly: true,
  },
  {
    kind: "a kind that is not known",
    make: alone("unknown.bin", new Uint8Array(64)),
    said: "data-unreadable: unknown.bin is no kind of data that can be read. Give .npy, .npz, .csv or .wav, a folder or a glob of pictures (JPEG, PNG, WebP, BMP), or a folder with test_data_set_*.",
  },
  {
    kind: "a glob that fits no file",
    make: () => "*.jpg",
    said: "data-unreadable: *.jpg matches no file. Name the folder or the files.",
  },
  {
    kind: "a glob of twenty wildcards",
    make: () => `${"*a".repeat(20)}.jpg`,
    said: "data-unreadable: *a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a.jpg is a glob with more than 4 wildcards in a name. Use fewer.",
  },
  {
    kind: ".npy: empty",
    make: alone("x.npy", new Uint8Array(0)),
    said: "data-unreadable: x.npy is not a NumPy array file (.npy). Save the array again with numpy.save.",
  },
  {
    kind: ".npy: a text",
    make: alone("x.npy", text("1, 2, 3\n".repeat(50))),
    said: "data-unreadable: x.npy is not a NumPy array file (.npy). Save the array again with numpy.save.",
  },
  {
    kind: ".npy: cut in the middle",
    make: alone("x.npy", cut(samples)),
    said: "data-unreadable: x.npy promises 6272 bytes of data for [2, 784] and holds 3072. Save the array again with numpy.save.",
  },
  {
    kind: ".npy: cut in its header",
    make: alone("x.npy", samples.slice(0, 60)),
    said: "data-unreadable: x.npy has a damaged header. Save the array again with numpy.save.",
  },
  {
    kind: ".npy: a header of 64 KB",
    make: alone(
      "x.npy",
      changed(samples, view => view.setUint16(8, 65_535, true)),
    ),
    said: "data-unreadable: x.npy has a damaged header. Save the array again with numpy.save.",
  },
  {
    kind: ".npy: of version 9",
    make: alone("x.npy", header("{}", 9)),
    said: "data-unreadable: x.npy is of version 9, and 3 is known. Save the array again with numpy.save.",
  },
  {
    kind: ".npy: 10^12 samples",
    make: alone("x.npy", shaped("999999999999, 784")),
    said: "data-unreadable: x.npy promises 3135999999996864 bytes of data for [999999999999, 784] and holds 0. Save the array again with numpy.save.",
  },
  {
    kind: ".npy: a dimension of 30 digits",
    make: alone("x.npy", shaped("9".repeat(30))),
    said: "data-unreadable: x.npy has impossible dimensions [1e+30]. Save the array again with numpy.save.",
  },
  {
    kind: ".npy: a negative dimension",
    make: alone("x.npy", shaped("-2, 784")),
    said: "data-unreadable: x.npy holds something other than one plain array. Save the array again with numpy.save.",
  },
  {
    kind: ".npy: 20 dimensions",
    make: alone("x.npy", shaped("1, ".repeat(20))),
    said: "data-unreadable: x.npy has 20 dimensions. Save the array again with numpy.save.",
  },
  {
    kind: ".npy: a single number",
    make: alone("x.npy", npy("<f4", [], new Float32Array(1))),
    said: "data-unreadable: x.npy holds a single number, not a row of samples. Save it again, or leave it out.",
  },
  {
    kind: ".npy: a sample of 24 thousand million numbers",
    make: alone("x.npy", shaped("1, 24000000000"), 128 + 96e9),
    said: "data-unreadable: x.npy holds samples of 24000000000 numbers, and 268435456 are the most. The first axis counts samples; save them so.",
  },
  {
    kind: ".npy: Fortran order past what is read as a whole",
    make: alone("x.npy", shaped("1048576, 784", "<f4", "True"), 128 + 4 * 784 * 2 ** 20),
    said: "data-unreadable: x.npy has 3288334464 bytes where at most 536870912 can be used at once. Save samples in C order (numpy.ascontiguousarray); those are read one by one, however many there are.",
  },
  {
    kind: ".npy: Python objects",
    make: alone("x.npy", shaped("2,", "|O")),
    said: "data-unreadable: x.npy holds something other than one plain array. Save the array again with numpy.save.",
  },
  {
    kind: ".npy: a record of several fields",
    make: alone("x.npy", header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }")),
    said: "data-unreadable: x.npy holds something other than one plain array. Save the array again with numpy.save.",
  },
  {
    kind: ".npy: texts",
    make: alone("x.npy", shaped("2,", "<U5")),
    said: "data-unreadable: x.npy holds elements of type U5, which no model takes. Save the array again with numpy.save.",
  },
  {
    kind: ".npy: complex numbers",
    make: alone("x.npy", shaped("2, 784", "<c8")),
    said: "data-unreadable: x.npy holds elements of type c8, which no model takes. Save the array again with numpy.save.",
  },
  {
    kind: ".npy: big-endian",
    make: alone("x.npy", shaped("0, 784", ">f4")),
    said: "data-unreadable: x.npy is stored big-endian. Save the array again with numpy.save.",
  },
  {
    kind: ".npy: of another shape than the input",
    make: alone("x.npy", npy("<f4", [2, 10], new Float32Array(20))),
    said: 'data-does-not-fit: Input "input" wants float32 [N, 784]; x.npy gives float32 [2, 10]. Reshape the array, or say in a data file how samples become inputs.',
  },
  {
    kind: ".npy: integers for an input of floats",
    make: alone("x.npy", npy("<i8", [2, 784], new BigInt64Array(2 * 784))),
    said: 'data-does-not-fit: Input "input" wants float32 [N, 784]; x.npy gives int64 [2, 784]. Save the array as float32, or say in a data file how samples become inputs ("kind": "image" of bytes).',
  },
  {
    kind: ".npy: pictures for an input of vectors",
    make: alone("x.npy", npy("<f4", [3, 28, 28], new Float32Array(3 * 784))),
    said: 'data-does-not-fit: Input "input" wants float32 [N, 784]; x.npy gives 3 samples of float32 [28, 28]. Reshape the array, or say in a data file how samples become inputs.',
  },
  {
    kind: ".npy: without samples",
    make: alone("x.npy", npy("<f4", [0, 784], new Float32Array(0))),
    said: "data-does-not-fit: x.npy holds no samples. Give an array whose first axis counts samples, a folder with files, or a sound as long as one call.",
  },
  {
    kind: ".npy: NaN",
    make: alone("x.npy", npy("<f4", [2, 784], new Float32Array(2 * 784).fill(NaN))),
    said: "data-not-finite: x.npy holds NaN in sample 0. Errors measured on it would mean nothing; remove the sample, or mend it.",
  },
  {
    kind: ".npz: no archive",
    make: alone("x.npz", text("PK, but no archive".repeat(10))),
    said: "data-unreadable: x.npz is not an .npz archive, or its end is missing. Save the arrays again with numpy.savez.",
  },
  {
    kind: ".npz: cut in the middle",
    make: alone("x.npz", cut(zip({ "input.npy": samples }))),
    said: "data-unreadable: x.npz is not an .npz archive, or its end is missing. Save the arrays again with numpy.savez.",
  },
  {
    kind: ".npz: without arrays",
    make: alone("x.npz", zip({ "readme.txt": text("nothing") })),
    said: "data-unreadable: x.npz holds no arrays. Save them with numpy.savez.",
  },
  {
    kind: ".npz: names that are no inputs",
    make: alone("x.npz", zip({ "a.npy": samples, "b.npy": samples })),
    said: 'data-does-not-fit: The arrays "a", "b" of x.npz have other names than the inputs "input". Name them like the inputs: numpy.savez(FILE, NAME=array).',
  },
  {
    kind: ".npz: thousands of arrays",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }), view =>
        view.setUint16(recordAt(view, "PK\u0005\u0006") + 10, 65_535, true),
      ),
    ),
    said: "data-unreadable: x.npz has 65535 entries, and 4096 are the most. Save the arrays again with numpy.savez.",
  },
  {
    kind: ".npz: a directory past the end",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }), view =>
        view.setUint32(recordAt(view, "PK\u0005\u0006") + 16, 2 ** 31, true),
      ),
    ),
    said: "data-unreadable: x.npz has a damaged directory. Save the arrays again with numpy.savez.",
  },
  {
    kind: ".npz: an entry past the end",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }), view =>
        view.setUint32(recordAt(view, "PK\u0001\u0002") + 42, 2 ** 31, true),
      ),
    ),
    said: 'data-unreadable: x.npz has its entry "input.npy" beyond its end. Save the arrays again with numpy.savez.',
  },
  {
    kind: ".npz: entries that overlap",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples, "b.npy": samples }), view =>
        view.setUint32(recordAt(view, "PK\u0001\u0002") + 42, 0, true),
      ),
    ),
    said: "data-unreadable: x.npz has entries that overlap. Save the arrays again with numpy.savez.",
  },
  {
    kind: ".npz: encrypted",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }), view => view.setUint16(recordAt(view, "PK\u0001\u0002") + 8, 1, true)),
    ),
    said: "data-unreadable: x.npz is encrypted. Save the arrays again with numpy.savez.",
  },
  {
    kind: ".npz: packed by bzip2",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }), view =>
        view.setUint16(recordAt(view, "PK\u0001\u0002") + 10, 12, true),
      ),
    ),
    said: 'data-unreadable: x.npz packs "input.npy" by a method that NumPy does not use. Save the arrays again with numpy.savez.',
  },
  {
    kind: ".npz: an array that a bit was flipped in",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }), view => view.setUint8(1000, 1)),
    ),
    said: "data-unreadable: x.npz: input.npy is damaged: its checksum is another. Save it again, or leave it out.",
  },
  {
    kind: ".npz: another checksum of a packed array",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }, { deflate: true }), view =>
        view.setUint32(recordAt(view, "PK\u0001\u0002") + 16, 1, true),
      ),
    ),
    said: "data-unreadable: x.npz: input.npy is damaged: its checksum is another. Save it again, or leave it out.",
  },
  {
    kind: ".npz: packed bytes that are none",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }, { deflate: true }), view => view.setUint32(39, 0xffffffff)),
    ),
    said: "data-unreadable: x.npz: input.npy is damaged. Save it again, or leave it out.",
  },
  {
    kind: ".npz: a bomb that promises little",
    make: alone(
      "x.npz",
      changed(
        zip({ "input.npy": npy("<f4", [2 ** 14, 784], new Float32Array(2 ** 14 * 784)) }, { deflate: true }),
        view => view.setUint32(recordAt(view, "PK\u0001\u0002") + 24, samples.length, true),
      ),
    ),
    said: "data-unreadable: x.npz: input.npy promises 51380224 bytes of data for [16384, 784] and holds 6272. Save the array again with numpy.save.",
  },
  {
    kind: ".npz: a bomb whose array promises little, too",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": Buffer.concat([samples, new Uint8Array(2 ** 25)]) }, { deflate: true }), view =>
        view.setUint32(recordAt(view, "PK\u0001\u0002") + 24, samples.length, true),
      ),
    ),
    said: "data-unreadable: x.npz: input.npy unpacks to more than the 6400 bytes it promises. Save it again, or leave it out.",
  },
  {
    kind: ".npz: a bomb of gigabytes",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": shaped("1369568, 784") }, { deflate: true }), view =>
        view.setUint32(recordAt(view, "PK\u0001\u0002") + 24, 128 + 4 * 784 * 1_369_568, true),
      ),
    ),
    said: "data-unreadable: x.npz: input.npy unpacks to 128 bytes and not the 4294965376 bytes it promises. Save it again, or leave it out.",
  },
  {
    kind: "a picture that is a text",
    make: alone("x.jpg", text("a picture, honestly")),
    said: "data-unreadable: x.jpg is no JPEG, PNG, WebP or BMP picture. Convert it, or leave it out.",
  },
  {
    kind: "a picture that is a GIF",
    make: alone("x.png", text("GIF89a\u0001\u0000\u0001\u0000")),
    said: "data-unreadable: x.png is no JPEG, PNG, WebP or BMP picture. Convert it, or leave it out.",
  },
  {
    kind: "an empty picture",
    make: alone("x.jpg", new Uint8Array(0)),
    said: "data-unreadable: x.jpg is empty. Save it again, or leave it out.",
  },
  {
    kind: "PNG: cut off",
    make: alone("x.png", cut(picture, 0.9)),
    said: "data-unreadable: x.png is a PNG picture cut off at byte 71. Save it again, or leave it out.",
  },
  {
    kind: "PNG: a side of no pixels",
    make: alone(
      "x.png",
      changed(picture, view => view.setUint32(16, 0)),
    ),
    said: "data-unreadable: x.png is a PNG picture of 0 x 28 pixels. Save it again, or leave it out.",
  },
  {
    kind: "PNG: 60,000 x 60,000",
    make: alone(
      "x.png",
      changed(picture, view => (view.setUint32(16, 60_000), view.setUint32(20, 60_000))),
    ),
    said: "data-unreadable: x.png is a PNG picture of 60000 x 60000 pixels, and 40 million are the most. Make it smaller; a model sees a few hundred pixels of it.",
  },
  {
    kind: "PNG: more pixels than bytes",
    make: alone(
      "x.png",
      changed(picture, view => view.setUint32(16, 60_000)),
    ),
    said: "data-unreadable: x.png is a PNG picture with 812 of 1680028 bytes of pixels. Save it again, or leave it out.",
  },
  {
    kind: "PNG: more bytes than pixels",
    make: alone("x.png", pngOf(28, 28, 8, new Uint8Array(2 ** 22))),
    said: "data-unreadable: x.png is a PNG picture that unpacks to more than its size. Save it again, or leave it out.",
  },
  {
    kind: "PNG: 40 megapixels of 16 bits and alpha",
    make: alone("x.png", pngOf(6300, 6300, 16, new Uint8Array(9))),
    said: "data-unreadable: x.png is a PNG picture that unpacks to 317526300 bytes, and 161000000 are the most. Save it with 8 bits a channel, or make it smaller; a model sees a few hundred pixels of it.",
  },
  {
    kind: "PNG: bits that are not allowed",
    make: alone(
      "x.png",
      changed(picture, view => view.setUint8(24, 5)),
    ),
    said: "data-unreadable: x.png is a damaged PNG picture. Save it again, or leave it out.",
  },
  {
    kind: "PNG: a filter that is not known",
    make: alone("x.png", pngOf(28, 28, 8, new Uint8Array(28 * 29).fill(9))),
    said: "data-unreadable: x.png is a damaged PNG picture. Save it again, or leave it out.",
  },
  {
    kind: "JPEG: cut off",
    make: alone("x.jpg", cut(jpeg, 0.8)),
    said: "data-unreadable: x.jpg is a JPEG picture cut off at byte 682. Save it again, or leave it out.",
  },
  {
    kind: "JPEG: only its head",
    make: alone("x.jpg", jpegOf([])),
    said: "data-unreadable: x.jpg is a JPEG picture without a picture in it. Save it again, or leave it out.",
  },
  {
    kind: "JPEG: CMYK",
    make: alone("x.jpg", jpegOf([0xc0, 8, 0, 28, 0, 28, 4])),
    said: "data-unreadable: x.jpg is a JPEG picture in CMYK (four inks), and models see red, green and blue. Convert it to RGB.",
  },
  {
    kind: "JPEG: 12 bits a channel",
    make: alone("x.jpg", jpegOf([0xc1, 12, 0, 28, 0, 28, 3])),
    said: "data-unreadable: x.jpg is a JPEG picture of 12 bits a channel. Save it with 8, or as PNG.",
  },
  {
    kind: "JPEG: 65,535 x 65,535",
    make: alone("x.jpg", jpegOf([0xc0, 8, 255, 255, 255, 255, 3])),
    said: "data-unreadable: x.jpg is a JPEG picture of 65535 x 65535 pixels, and 40 million are the most. Make it smaller; a model sees a few hundred pixels of it.",
  },
  {
    kind: "JPEG: a thousand scans",
    make: alone("x.jpg", jpegOf([0xc2, 8, 0, 28, 0, 28, 3], 1000)),
    said: "data-unreadable: x.jpg is a JPEG picture of more than 100 scans. Save it again, or leave it out.",
  },
  {
    kind: "JPEG: scans of nothing",
    make: alone("x.jpg", jpegOf([0xc0, 8, 0, 28, 0, 28, 3], 1)),
    said: "data-unreadable: x.jpg is a damaged JPEG picture. Save it again, or leave it out.",
  },
  {
    kind: "WebP: cut off",
    make: alone("x.webp", cut(webp)),
    said: "data-unreadable: x.webp is a WebP picture cut off at byte 93. Save it again, or leave it out.",
  },
  {
    kind: "WebP: animated",
    make: alone("x.webp", webpHeadOf(0x02, 28, 28)),
    said: "data-unreadable: x.webp is an animated WebP picture. Save one frame of it.",
  },
  {
    kind: "WebP: 16 million x 16 million",
    make: alone("x.webp", webpHeadOf(0, 2 ** 24, 2 ** 24)),
    said: "data-unreadable: x.webp is a WebP picture of 16777216 x 16777216 pixels, and 40 million are the most. Make it smaller; a model sees a few hundred pixels of it.",
  },
  {
    kind: "WebP: a head alone",
    make: alone("x.webp", webpHeadOf(0, 28, 28)),
    said: "data-unreadable: x.webp is a damaged WebP picture (Decoding error). Save it again, or leave it out.",
  },
  {
    kind: "BMP: cut off",
    make: alone("x.bmp", cut(bmp(28, 28, grey))),
    said: "data-unreadable: x.bmp is a BMP picture that ends at byte 1203 of 2406. Save it again, or leave it out.",
  },
  {
    kind: "BMP: compressed",
    make: alone(
      "x.bmp",
      changed(bmp(28, 28, grey), view => view.setUint32(30, 1, true)),
    ),
    said: "data-unreadable: x.bmp is a BMP picture of 24 bits, packed by method 1. Save it as PNG.",
  },
  {
    kind: "BMP: a negative width",
    make: alone(
      "x.bmp",
      changed(bmp(28, 28, grey), view => view.setInt32(18, -28, true)),
    ),
    said: "data-unreadable: x.bmp is a BMP picture of -28 x 28 pixels. Save it again, or leave it out.",
  },
  {
    kind: "BMP: four thousand million colours",
    make: alone(
      "x.bmp",
      changed(bmp(28, 28, grey), view => (view.setUint16(28, 8, true), view.setUint32(46, 2 ** 32 - 1, true))),
    ),
    said: "data-unreadable: x.bmp is a BMP picture that ends at byte 2406 of 17179869234. Save it again, or leave it out.",
  },
  {
    kind: "WAV: a text",
    make: soundOf(text("a sound, honestly".repeat(4))),
    said: "data-unreadable: s.wav is not a WAV file. Save it again, or leave it out.",
  },
  {
    kind: "WAV: cut off",
    make: soundOf(cut(sound)),
    said: "data-unreadable: s.wav ends at byte 2022, and its sound should reach byte 4044. Save it again, or leave it out.",
  },
  {
    kind: "WAV: sound of 4 GB",
    make: soundOf(changed(sound, view => view.setUint32(40, 2 ** 32 - 1, true))),
    said: "data-unreadable: s.wav ends at byte 4044, and its sound should reach byte 4294967339. Save it again, or leave it out.",
  },
  {
    kind: "WAV: without sound",
    make: soundOf(sound.slice(0, 36)),
    said: "data-unreadable: s.wav holds no sound. Save it again, or leave it out.",
  },
  {
    kind: "WAV: without a format",
    make: soundOf(changed(sound, view => view.setUint32(12, 0))),
    said: "data-unreadable: s.wav does not say how its sound is stored. Save it again, or leave it out.",
  },
  {
    kind: "WAV: a format that is not known",
    make: soundOf(changed(sound, view => view.setUint16(20, 85, true))),
    said: "data-unreadable: s.wav stores 1 channels of 16 bits in format 85. Save it as 16-bit PCM.",
  },
  {
    kind: "WAV: no channels",
    make: soundOf(changed(sound, view => view.setUint16(22, 0, true))),
    said: "data-unreadable: s.wav stores 0 channels of 16 bits in format 1. Save it as 16-bit PCM.",
  },
  {
    kind: "WAV: 12 bits",
    make: soundOf(changed(sound, view => view.setUint16(34, 12, true))),
    said: "data-unreadable: s.wav stores 1 channels of 12 bits in format 1. Save it as 16-bit PCM.",
  },
  {
    kind: "WAV: doubles",
    make: soundOf(changed(sound, view => (view.setUint16(20, 3, true), view.setUint16(34, 64, true)))),
    said: "data-unreadable: s.wav stores 1 channels of 64 bits in format 3. Save it as 16-bit PCM.",
  },
  {
    kind: "WAV: NaN",
    make: soundOf(
      changed(
        sound,
        view => (
          view.setUint16(20, 3, true),
          view.setUint16(34, 32, true),
          view.setUint32(44, 0x7fc0, false),
          view.setUint32(48, 0x0000c07f)
        ),
      ),
    ),
    said: "data-not-finite: s.wav holds NaN in sample 0. Errors measured on it would mean nothing; remove the sample, or mend it.",
  },
  {
    kind: "a window past the end of a sound",
    make: spec(
      { data: "s.wav", kind: "audio", window: 784, starts: "starts.npy" },
      { "s.wav": sound, "starts.npy": npy("<f4", [1], Float32Array.of(0.5)) },
    ),
    said: 'data-does-not-fit: A window of 784 samples at 0.5 is not within the 2000 of s.wav. Correct "starts" or "window" in the data file.',
  },
  {
    kind: "CSV: empty",
    make: alone("x.csv", new Uint8Array(0)),
    said: "data-unreadable: x.csv holds no numbers. Save it again, or leave it out.",
  },
  {
    kind: "CSV: titles alone",
    make: alone("x.csv", text("a,b\n")),
    said: "data-unreadable: x.csv holds no numbers. Save it again, or leave it out.",
  },
  {
    kind: "CSV: lines of different lengths",
    make: alone("x.csv", text("1,2,3\n1,2\n")),
    said: "data-unreadable: x.csv is no table: Invalid Record Length: expect 3, got 2 on line 2. Save it again, or leave it out.",
  },
  {
    kind: "CSV: a word",
    make: alone("x.csv", text("a,b\n1,2\n3,four\n")),
    said: "data-unreadable: x.csv has a cell in row 3 that is no number. Save it again, or leave it out.",
  },
  {
    kind: "CSV: NaN",
    make: alone("x.csv", text("1,2\n3,NaN\n")),
    said: "data-unreadable: x.csv has a cell in row 2 that is no number. Save it again, or leave it out.",
  },
  {
    kind: "CSV: infinity",
    make: alone("x.csv", text(`${"1,".repeat(783)}1e999\n`)),
    said: "data-not-finite: x.csv holds Infinity in sample 0. Errors measured on it would mean nothing; remove the sample, or mend it.",
  },
  {
    kind: "CSV: a quote that does not end",
    make: alone("x.csv", text('1,2\n"3,4\n')),
    said: "data-unreadable: x.csv is no table: Quote Not Closed: the parsing is finished with an opening quote at line 2. Save it again, or leave it out.",
  },
  {
    kind: "CSV: a million cells in a line",
    make: alone("x.csv", text("1,".repeat(2 ** 20 + 1))),
    said: "data-unreadable: x.csv has a line of more than 1048576 cells. Save it again, or leave it out.",
  },
  {
    kind: "CSV: a line of 20 MB",
    make: alone("x.csv", text(`1,${"2".repeat(20_000_000)}\n`)),
    said: "data-unreadable: x.csv has a cell of more than 4096 bytes. Save it again, or leave it out.",
  },
  {
    kind: "CSV: a picture",
    make: alone("x.csv", jpeg),
    said: 'data-unreadable: x.csv is no table: Invalid Closing Quote: got "å" at line 5 instead of delimiter, record delimiter, trimable character (if activated) or comment. Save it again, or leave it out.',
  },
  {
    kind: ".pb: empty",
    make: tensorFile(new Uint8Array(0)),
    said: "data-unreadable: input_0.pb is empty. Save it again, or leave it out.",
  },
  {
    kind: ".pb: a text",
    make: tensorFile(text("a tensor, honestly")),
    said: "data-unreadable: input_0.pb is not a tensor in ONNX's format, or damaged at byte 9: float_data is stored as something else. Save it again, or leave it out.",
  },
  {
    kind: ".pb: a length of 34 GB",
    make: tensorFile(Uint8Array.of(0x4a, 0xff, 0xff, 0xff, 0xff, 0x7f)),
    said: "data-unreadable: input_0.pb is not a tensor in ONNX's format, or damaged at byte 0: raw_data claims 34359738367 bytes, and protobuf ends at 2147483647. Save it again, or leave it out.",
  },
  {
    kind: ".pb: fewer bytes than dimensions",
    make: tensorFile(Uint8Array.of(0x08, 4, 0x10, 1, 0x4a, 1, 0)),
    said: 'data-unreadable: input_0.pb is no usable tensor: Tensor "" promises 16 bytes and holds 1. Save it again, or leave it out.',
  },
  {
    kind: ".pb: a negative dimension",
    make: tensorFile(Uint8Array.of(0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0x10, 1)),
    said: 'data-unreadable: input_0.pb is no usable tensor: Tensor "" has impossible dimensions [-1]. Save it again, or leave it out.',
  },
  {
    kind: ".pb: a hundred million small numbers",
    make: tensorFile(
      Buffer.concat([Uint8Array.of(0x10, 6, 0x2a, 0x80, 0xc2, 0xd7, 0x2f), new Uint8Array(100_000_000)]),
    ),
    said: "data-unreadable: input_0.pb holds more nodes and numbers than 2048 MB of memory hold. Save it again, or leave it out.",
  },
  {
    kind: ".pb: groups in one another",
    make: tensorFile(new Uint8Array(100_000).fill(0x7b)),
    said: "data-unreadable: input_0.pb is not a tensor in ONNX's format, or damaged at byte 0: a field is of a kind that ONNX does not use. Save it again, or leave it out.",
  },
  {
    kind: ".pb: texts",
    make: tensorFile(Uint8Array.of(0x10, 8)),
    said: "data-unreadable: input_0.pb holds elements of type string, which cannot be fed here. Save it again, or leave it out.",
  },
  {
    kind: ".pb: numbers in another file",
    make: tensorFile(Uint8Array.of(0x10, 1, 0x70, 1)),
    said: "data-unreadable: input_0.pb keeps its numbers in another file. Save it again, or leave it out.",
  },
  {
    kind: "data.json: no JSON",
    make: spec("{"),
    said: "data-unreadable: data.json is not JSON (Expected property name or '}' in JSON at position 1). The README says what a data file holds.",
  },
  {
    kind: "data.json: a list",
    make: spec([]),
    said: "data-unreadable: data.json does not hold an object. The README says what a data file holds.",
  },
  {
    kind: "data.json: 100,000 lists in one another",
    make: spec("[".repeat(100_000) + "]".repeat(100_000)),
    said: "data-unreadable: data.json does not hold an object. The README says what a data file holds.",
  },
  {
    kind: "data.json: 17 MB",
    make: spec(`{"note": "${"a".repeat(17_000_000)}"}`),
    said: "data-unreadable: data.json has 17000012 bytes, and a data file has 16777216 at most. Name a file that says where the samples are.",
  },
  {
    kind: "data.json: nothing said",
    make: spec({}),
    said: 'data-unreadable: data.json names no "data" to evaluate on. Give "calib" for a fit and "data" (and "labels") for a score.',
  },
  {
    kind: "data.json: a name that is a number",
    make: spec({ data: 7 }),
    said: 'data-unreadable: data.json has a "data" that is not a text. The README says what a data file holds.',
  },
  {
    kind: "data.json: a kind that is none",
    make: spec({ data: "x.npy", kind: "smell" }),
    said: 'data-unreadable: data.json is of kind "smell"; there are image, tensor, tokens, audio, u8. The README says what a data file holds.',
  },
  {
    kind: "data.json: a kind named like a method",
    make: spec({ data: "x.npy", kind: "constructor" }),
    said: 'data-unreadable: data.json is of kind "constructor"; there are image, tensor, tokens, audio, u8. The README says what a data file holds.',
  },
  {
    kind: "data.json: fields named __proto__",
    make: spec('{"__proto__": {"data": "x.npy"}, "constructor": {}}'),
    said: 'data-unreadable: data.json names no "data" to evaluate on. Give "calib" for a fit and "data" (and "labels") for a score.',
  },
  {
    kind: "data.json: an input the model does not have",
    make: spec({ data: "x.npy", input: "other" }),
    said: 'data-does-not-fit: data.json is for an input "other", and the model has "input". Correct the name in the data file.',
  },
  {
    kind: "data.json: divided by zero",
    make: spec({ data: "x.npy", pre: { std: [0] } }),
    said: 'data-unreadable: data.json has a "std" that is not free of zeros. The README says what a data file holds.',
  },
  {
    kind: "data.json: pictures of a million pixels a side",
    make: spec({ data: "x.npy", pre: { resize: 1_000_000 } }),
    said: 'data-unreadable: data.json has a "resize" that is not a number of pixels, or [height, width]. The README says what a data file holds.',
  },
  {
    kind: "data.json: 2^50 samples a call",
    make: spec({ data: "x.npy", batch: 2 ** 50 }),
    said: 'data-unreadable: data.json has a "batch" that is not a whole number from 1 to 67108864. The README says what a data file holds.',
  },
  {
    kind: "data.json: 2^50 numbers before each chunk of sound",
    make: spec({ data: "s.wav", kind: "audio", chunk: 784, context: 2 ** 50 }),
    said: 'data-unreadable: data.json has a "context" that is not a whole number from 0 to 67108864. The README says what a data file holds.',
  },
  {
    kind: "data.json: a constant of 10^18 numbers",
    make: spec({ data: "x.npy", inputs: { input: { value: 0, shape: [1e9, 1e9] } } }),
    said: 'data-does-not-fit: data.json fills every input of the model under "inputs" or "state", so that its data are for none. Take the one that the data are for out of "inputs".',
  },
  {
    kind: "data.json: a shape that a sample does not have",
    make: spec({ data: "x.npy", dims: [28, 29] }),
    said: 'data-does-not-fit: data.json brings samples to [28, 29], and those of x.npy are of [784]. Correct "dims" in the data file.',
  },
  {
    kind: "data.json: data that are a device",
    make: spec({ data: "/dev/zero" }),
    said: "data-unreadable: /dev/zero is not a regular file. Name a file.",
    unixOnly: true,
  },
  {
    kind: "data.json: labels of inputs that are none",
    make: spec({ data: "x.npy", inputs: [1] }),
    said: 'data-unreadable: data.json has an "inputs" that is not an object. The README says what a data file holds.',
  },
];
