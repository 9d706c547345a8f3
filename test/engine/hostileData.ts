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
  { kind: "nothing there", make: () => "none.npy", said: "?" },
  { kind: "a folder without data", make: folder => (mkdirSync(join(folder, "empty")), "empty"), said: "?" },
  {
    kind: "a pipe",
    make: folder => (execFileSync("mkfifo", [join(folder, "p.npy")]), "p.npy"),
    said: "?",
    unixOnly: true,
  },
  {
    kind: "a device",
    make: folder => (symlinkSync("/dev/zero", join(folder, "zero.npy")), "zero.npy"),
    said: "?",
    unixOnly: true,
  },
  {
    kind: "a link to itself",
    make: folder => (symlinkSync("loop.npy", join(folder, "loop.npy")), "loop.npy"),
    said: "?",
    unixOnly: true,
  },
  { kind: "a kind that is not known", make: alone("unknown.bin", new Uint8Array(64)), said: "?" },
  { kind: "a glob that fits no file", make: () => "*.jpg", said: "?" },
  { kind: "a glob of twenty wildcards", make: () => `${"*a".repeat(20)}.jpg`, said: "?" },
  { kind: ".npy: empty", make: alone("x.npy", new Uint8Array(0)), said: "?" },
  { kind: ".npy: a text", make: alone("x.npy", text("1, 2, 3\n".repeat(50))), said: "?" },
  { kind: ".npy: cut in the middle", make: alone("x.npy", cut(samples)), said: "?" },
  { kind: ".npy: cut in its header", make: alone("x.npy", samples.slice(0, 60)), said: "?" },
  {
    kind: ".npy: a header of 64 KB",
    make: alone(
      "x.npy",
      changed(samples, view => view.setUint16(8, 65_535, true)),
    ),
    said: "?",
  },
  { kind: ".npy: of version 9", make: alone("x.npy", header("{}", 9)), said: "?" },
  { kind: ".npy: 10^12 samples", make: alone("x.npy", shaped("999999999999, 784")), said: "?" },
  { kind: ".npy: a dimension of 30 digits", make: alone("x.npy", shaped("9".repeat(30))), said: "?" },
  { kind: ".npy: a negative dimension", make: alone("x.npy", shaped("-2, 784")), said: "?" },
  { kind: ".npy: 20 dimensions", make: alone("x.npy", shaped("1, ".repeat(20))), said: "?" },
  { kind: ".npy: a single number", make: alone("x.npy", npy("<f4", [], new Float32Array(1))), said: "?" },
  {
    kind: ".npy: a sample of 24 thousand million numbers",
    make: alone("x.npy", shaped("1, 24000000000"), 128 + 96e9),
    said: "?",
  },
  {
    kind: ".npy: Fortran order past what is read as a whole",
    make: alone("x.npy", shaped("1048576, 784", "<f4", "True"), 128 + 4 * 784 * 2 ** 20),
    said: "?",
  },
  { kind: ".npy: Python objects", make: alone("x.npy", shaped("2,", "|O")), said: "?" },
  {
    kind: ".npy: a record of several fields",
    make: alone("x.npy", header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }")),
    said: "?",
  },
  { kind: ".npy: texts", make: alone("x.npy", shaped("2,", "<U5")), said: "?" },
  { kind: ".npy: complex numbers", make: alone("x.npy", shaped("2, 784", "<c8")), said: "?" },
  { kind: ".npy: big-endian", make: alone("x.npy", shaped("0, 784", ">f4")), said: "?" },
  {
    kind: ".npy: of another shape than the input",
    make: alone("x.npy", npy("<f4", [2, 10], new Float32Array(20))),
    said: "?",
  },
  {
    kind: ".npy: integers for an input of floats",
    make: alone("x.npy", npy("<i8", [2, 784], new BigInt64Array(2 * 784))),
    said: "?",
  },
  { kind: ".npy: without samples", make: alone("x.npy", npy("<f4", [0, 784], new Float32Array(0))), said: "?" },
  { kind: ".npy: NaN", make: alone("x.npy", npy("<f4", [2, 784], new Float32Array(2 * 784).fill(NaN))), said: "?" },
  { kind: ".npz: no archive", make: alone("x.npz", text("PK, but no archive".repeat(10))), said: "?" },
  { kind: ".npz: cut in the middle", make: alone("x.npz", cut(zip({ "input.npy": samples }))), said: "?" },
  { kind: ".npz: without arrays", make: alone("x.npz", zip({ "readme.txt": text("nothing") })), said: "?" },
  {
    kind: ".npz: names that are no inputs",
    make: alone("x.npz", zip({ "a.npy": samples, "b.npy": samples })),
    said: "?",
  },
  {
    kind: ".npz: thousands of arrays",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }), view =>
        view.setUint16(recordAt(view, "PK\u0005\u0006") + 10, 65_535, true),
      ),
    ),
    said: "?",
  },
  {
    kind: ".npz: a directory past the end",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }), view =>
        view.setUint32(recordAt(view, "PK\u0005\u0006") + 16, 2 ** 31, true),
      ),
    ),
    said: "?",
  },
  {
    kind: ".npz: an entry past the end",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }), view =>
        view.setUint32(recordAt(view, "PK\u0001\u0002") + 42, 2 ** 31, true),
      ),
    ),
    said: "?",
  },
  {
    kind: ".npz: entries that overlap",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples, "b.npy": samples }), view =>
        view.setUint32(recordAt(view, "PK\u0001\u0002") + 42, 0, true),
      ),
    ),
    said: "?",
  },
  {
    kind: ".npz: encrypted",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }), view => view.setUint16(recordAt(view, "PK\u0001\u0002") + 8, 1, true)),
    ),
    said: "?",
  },
  {
    kind: ".npz: packed by bzip2",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }), view =>
        view.setUint16(recordAt(view, "PK\u0001\u0002") + 10, 12, true),
      ),
    ),
    said: "?",
  },
  {
    kind: ".npz: an array that a bit was flipped in",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }), view => view.setUint8(1000, 1)),
    ),
    said: "?",
  },
  {
    kind: ".npz: another checksum of a packed array",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }, { deflate: true }), view =>
        view.setUint32(recordAt(view, "PK\u0001\u0002") + 16, 1, true),
      ),
    ),
    said: "?",
  },
  {
    kind: ".npz: packed bytes that are none",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": samples }, { deflate: true }), view => view.setUint32(39, 0xffffffff)),
    ),
    said: "?",
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
    said: "?",
  },
  {
    kind: ".npz: a bomb whose array promises little, too",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": Buffer.concat([samples, new Uint8Array(2 ** 25)]) }, { deflate: true }), view =>
        view.setUint32(recordAt(view, "PK\u0001\u0002") + 24, samples.length, true),
      ),
    ),
    said: "?",
  },
  {
    kind: ".npz: a bomb of gigabytes",
    make: alone(
      "x.npz",
      changed(zip({ "input.npy": shaped("1369568, 784") }, { deflate: true }), view =>
        view.setUint32(recordAt(view, "PK\u0001\u0002") + 24, 128 + 4 * 784 * 1_369_568, true),
      ),
    ),
    said: "?",
  },
  { kind: "a picture that is a text", make: alone("x.jpg", text("a picture, honestly")), said: "?" },
  { kind: "a picture that is a GIF", make: alone("x.png", text("GIF89a\u0001\u0000\u0001\u0000")), said: "?" },
  { kind: "an empty picture", make: alone("x.jpg", new Uint8Array(0)), said: "?" },
  { kind: "PNG: cut off", make: alone("x.png", cut(picture, 0.9)), said: "?" },
  {
    kind: "PNG: a side of no pixels",
    make: alone(
      "x.png",
      changed(picture, view => view.setUint32(16, 0)),
    ),
    said: "?",
  },
  {
    kind: "PNG: 60,000 x 60,000",
    make: alone(
      "x.png",
      changed(picture, view => (view.setUint32(16, 60_000), view.setUint32(20, 60_000))),
    ),
    said: "?",
  },
  {
    kind: "PNG: more pixels than bytes",
    make: alone(
      "x.png",
      changed(picture, view => view.setUint32(16, 60_000)),
    ),
    said: "?",
  },
  {
    kind: "PNG: more bytes than pixels",
    make: alone("x.png", pngOf(28, 28, 8, new Uint8Array(2 ** 22))),
    said: "?",
  },
  {
    kind: "PNG: 40 megapixels of 16 bits and alpha",
    make: alone("x.png", pngOf(6300, 6300, 16, new Uint8Array(9))),
    said: "?",
  },
  {
    kind: "PNG: bits that are not allowed",
    make: alone(
      "x.png",
      changed(picture, view => view.setUint8(24, 5)),
    ),
    said: "?",
  },
  {
    kind: "PNG: a filter that is not known",
    make: alone("x.png", pngOf(28, 28, 8, new Uint8Array(28 * 29).fill(9))),
    said: "?",
  },
  { kind: "JPEG: cut off", make: alone("x.jpg", cut(jpeg, 0.8)), said: "?" },
  { kind: "JPEG: only its head", make: alone("x.jpg", jpegOf([])), said: "?" },
  { kind: "JPEG: CMYK", make: alone("x.jpg", jpegOf([0xc0, 8, 0, 28, 0, 28, 4])), said: "?" },
  { kind: "JPEG: 12 bits a channel", make: alone("x.jpg", jpegOf([0xc1, 12, 0, 28, 0, 28, 3])), said: "?" },
  { kind: "JPEG: 65,535 x 65,535", make: alone("x.jpg", jpegOf([0xc0, 8, 255, 255, 255, 255, 3])), said: "?" },
  { kind: "JPEG: a thousand scans", make: alone("x.jpg", jpegOf([0xc2, 8, 0, 28, 0, 28, 3], 1000)), said: "?" },
  { kind: "JPEG: scans of nothing", make: alone("x.jpg", jpegOf([0xc0, 8, 0, 28, 0, 28, 3], 1)), said: "?" },
  { kind: "WebP: cut off", make: alone("x.webp", cut(webp)), said: "?" },
  { kind: "WebP: animated", make: alone("x.webp", webpHeadOf(0x02, 28, 28)), said: "?" },
  { kind: "WebP: 16 million x 16 million", make: alone("x.webp", webpHeadOf(0, 2 ** 24, 2 ** 24)), said: "?" },
  { kind: "WebP: a head alone", make: alone("x.webp", webpHeadOf(0, 28, 28)), said: "?" },
  { kind: "BMP: cut off", make: alone("x.bmp", cut(bmp(28, 28, grey))), said: "?" },
  {
    kind: "BMP: compressed",
    make: alone(
      "x.bmp",
      changed(bmp(28, 28, grey), view => view.setUint32(30, 1, true)),
    ),
    said: "?",
  },
  {
    kind: "BMP: a negative width",
    make: alone(
      "x.bmp",
      changed(bmp(28, 28, grey), view => view.setInt32(18, -28, true)),
    ),
    said: "?",
  },
  {
    kind: "BMP: four thousand million colours",
    make: alone(
      "x.bmp",
      changed(bmp(28, 28, grey), view => (view.setUint16(28, 8, true), view.setUint32(46, 2 ** 32 - 1, true))),
    ),
    said: "?",
  },
  { kind: "WAV: a text", make: soundOf(text("a sound, honestly".repeat(4))), said: "?" },
  { kind: "WAV: cut off", make: soundOf(cut(sound)), said: "?" },
  {
    kind: "WAV: sound of 4 GB",
    make: soundOf(changed(sound, view => view.setUint32(40, 2 ** 32 - 1, true))),
    said: "?",
  },
  { kind: "WAV: without sound", make: soundOf(sound.slice(0, 36)), said: "?" },
  { kind: "WAV: without a format", make: soundOf(changed(sound, view => view.setUint32(12, 0))), said: "?" },
  {
    kind: "WAV: a format that is not known",
    make: soundOf(changed(sound, view => view.setUint16(20, 85, true))),
    said: "?",
  },
  { kind: "WAV: no channels", make: soundOf(changed(sound, view => view.setUint16(22, 0, true))), said: "?" },
  { kind: "WAV: 12 bits", make: soundOf(changed(sound, view => view.setUint16(34, 12, true))), said: "?" },
  {
    kind: "WAV: doubles",
    make: soundOf(changed(sound, view => (view.setUint16(20, 3, true), view.setUint16(34, 64, true)))),
    said: "?",
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
    said: "?",
  },
  {
    kind: "a window past the end of a sound",
    make: spec(
      { data: "s.wav", kind: "audio", window: 784, starts: "starts.npy" },
      { "s.wav": sound, "starts.npy": npy("<f4", [1], Float32Array.of(0.5)) },
    ),
    said: "?",
  },
  { kind: "CSV: empty", make: alone("x.csv", new Uint8Array(0)), said: "?" },
  { kind: "CSV: titles alone", make: alone("x.csv", text("a,b\n")), said: "?" },
  { kind: "CSV: lines of different lengths", make: alone("x.csv", text("1,2,3\n1,2\n")), said: "?" },
  { kind: "CSV: a word", make: alone("x.csv", text("a,b\n1,2\n3,four\n")), said: "?" },
  { kind: "CSV: NaN", make: alone("x.csv", text("1,2\n3,NaN\n")), said: "?" },
  { kind: "CSV: infinity", make: alone("x.csv", text(`${"1,".repeat(783)}1e999\n`)), said: "?" },
  { kind: "CSV: a quote that does not end", make: alone("x.csv", text('1,2\n"3,4\n')), said: "?" },
  { kind: "CSV: a million cells in a line", make: alone("x.csv", text("1,".repeat(2 ** 20 + 1))), said: "?" },
  { kind: "CSV: a line of 20 MB", make: alone("x.csv", text(`1,${"2".repeat(20_000_000)}\n`)), said: "?" },
  { kind: "CSV: a picture", make: alone("x.csv", jpeg), said: "?" },
  { kind: ".pb: empty", make: tensorFile(new Uint8Array(0)), said: "?" },
  { kind: ".pb: a text", make: tensorFile(text("a tensor, honestly")), said: "?" },
  {
    kind: ".pb: a length of 34 GB",
    make: tensorFile(Uint8Array.of(0x4a, 0xff, 0xff, 0xff, 0xff, 0x7f)),
    said: "?",
  },
  {
    kind: ".pb: fewer bytes than dimensions",
    make: tensorFile(Uint8Array.of(0x08, 4, 0x10, 1, 0x4a, 1, 0)),
    said: "?",
  },
  {
    kind: ".pb: a negative dimension",
    make: tensorFile(Uint8Array.of(0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0x10, 1)),
    said: "?",
  },
  {
    kind: ".pb: a hundred million small numbers",
    make: tensorFile(
      Buffer.concat([Uint8Array.of(0x10, 6, 0x2a, 0x80, 0xc2, 0xd7, 0x2f), new Uint8Array(100_000_000)]),
    ),
    said: "?",
  },
  { kind: ".pb: groups in one another", make: tensorFile(new Uint8Array(100_000).fill(0x7b)), said: "?" },
  { kind: ".pb: texts", make: tensorFile(Uint8Array.of(0x10, 8)), said: "?" },
  { kind: ".pb: numbers in another file", make: tensorFile(Uint8Array.of(0x10, 1, 0x70, 1)), said: "?" },
  { kind: "data.json: no JSON", make: spec("{"), said: "?" },
  { kind: "data.json: a list", make: spec([]), said: "?" },
  {
    kind: "data.json: 100,000 lists in one another",
    make: spec("[".repeat(100_000) + "]".repeat(100_000)),
    said: "?",
  },
  { kind: "data.json: 17 MB", make: spec(`{"note": "${"a".repeat(17_000_000)}"}`), said: "?" },
  { kind: "data.json: nothing said", make: spec({}), said: "?" },
  { kind: "data.json: a name that is a number", make: spec({ data: 7 }), said: "?" },
  { kind: "data.json: a kind that is none", make: spec({ data: "x.npy", kind: "smell" }), said: "?" },
  { kind: "data.json: a kind named like a method", make: spec({ data: "x.npy", kind: "constructor" }), said: "?" },
  {
    kind: "data.json: fields named __proto__",
    make: spec('{"__proto__": {"data": "x.npy"}, "constructor": {}}'),
    said: "?",
  },
  { kind: "data.json: an input the model does not have", make: spec({ data: "x.npy", input: "other" }), said: "?" },
  { kind: "data.json: divided by zero", make: spec({ data: "x.npy", pre: { std: [0] } }), said: "?" },
  {
    kind: "data.json: pictures of a million pixels a side",
    make: spec({ data: "x.npy", pre: { resize: 1_000_000 } }),
    said: "?",
  },
  { kind: "data.json: 2^50 samples a call", make: spec({ data: "x.npy", batch: 2 ** 50 }), said: "?" },
  {
    kind: "data.json: 2^50 numbers before each chunk of sound",
    make: spec({ data: "s.wav", kind: "audio", chunk: 784, context: 2 ** 50 }),
    said: "?",
  },
  {
    kind: "data.json: a constant of 10^18 numbers",
    make: spec({ data: "x.npy", inputs: { input: { value: 0, shape: [1e9, 1e9] } } }),
    said: "?",
  },
  {
    kind: "data.json: a shape that a sample does not have",
    make: spec({ data: "x.npy", dims: [28, 29] }),
    said: "?",
  },
  { kind: "data.json: data that are a device", make: spec({ data: "/dev/zero" }), said: "?", unixOnly: true },
  { kind: "data.json: labels of inputs that are none", make: spec({ data: "x.npy", inputs: [1] }), said: "?" },
];
