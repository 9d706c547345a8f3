import assert from "node:assert/strict";
import { encode as png } from "fast-png";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Failure } from "../../src/core/failure";
import { readDataFile } from "../../src/engine/dataFile";
import { openModel } from "../../src/engine/modelFile";
import { feedsOf, openSamples } from "../../src/engine/samples";
import { openTensorStore } from "../../src/engine/tensorStore";
import { bmp, npy, wav, zip } from "./containers";
import { folderOf } from "./files";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const cut = (file: Uint8Array, share = 0.5): Uint8Array => file.slice(0, Math.floor(share * file.length));
const changed = (file: Uint8Array, change: (view: DataView) => void): Uint8Array => {
  const copy = file.slice();
  change(new DataView(copy.buffer));
  return copy;
};
const grey = new Uint8Array(784).fill(7);
const samples = npy("<f4", [2, 784], new Float32Array(2 * 784));
const header = (text: string): Uint8Array => {
  const padded = text.padEnd(117) + "\n";
  return Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00", "latin1"),
    Buffer.from([padded.length, 0]),
    bytes(padded),
  ]);
};
const picture = png({ width: 28, height: 28, data: grey, channels: 1, depth: 8 });
const jpeg = new Uint8Array(readFileSync("test/data/pictures/7_first.jpg"));

/** What a file may be instead of data, and what is said of it. */
const KINDS: readonly (readonly [name: string, content: Uint8Array, said: RegExp])[] = [
  ["empty.npy", bytes(""), /is not a NumPy array file/],
  ["text.npy", bytes("1, 2, 3\n".repeat(50)), /is not a NumPy array file/],
  ["short.npy", cut(samples), /promises 6272 bytes of data for \[2, 784\] and holds/],
  [
    "huge.npy",
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999, 784), }"),
    /promises \d+ bytes/,
  ],
  [
    "objects.npy",
    header("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }"),
    /something other than one plain array/,
  ],
  ["big-endian.npy", header("{'descr': '>f4', 'fortran_order': False, 'shape': (0, 784), }"), /big-endian/],
  [
    "deep.npy",
    header(`{'descr': '<f4', 'fortran_order': False, 'shape': (${"1, ".repeat(20)}), }`),
    /has 20 dimensions/,
  ],
  [
    "wrong-shape.npy",
    npy("<f4", [2, 10], new Float32Array(20)),
    /Input "input" wants float32 \[N, 784\]; .* gives float32 \[2, 10\]/,
  ],
  [
    "whole-numbers.npy",
    npy("<i8", [2, 784], new BigInt64Array(2 * 784)),
    /wants float32 \[N, 784\]; .* gives int64 \[2, 784\]\.$/,
  ],
  ["square.npy", npy("<f4", [3, 28, 28], new Float32Array(3 * 784)), /gives 3 samples of float32 \[28, 28\]\.$/],
  ["words.npz", bytes("PK, but no archive".repeat(10)), /is not an \.npz archive, or its end is missing/],
  ["cut.npz", cut(zip({ "input.npy": samples })), /is not an \.npz archive, or its end is missing/],
  [
    "other-names.npz",
    zip({ "a.npy": samples, "b.npy": samples }),
    /The arrays "a", "b" of \S+ have other names than the inputs "input"/,
  ],
  ["empty.npz", zip({ "readme.txt": bytes("nothing") }), /holds no arrays/],
  [
    "bomb.npz",
    changed(
      zip({ "input.npy": npy("<f4", [2 ** 14, 784], new Float32Array(2 ** 14 * 784)) }, { deflate: true }),
      view => {
        // The directory promises less than comes out.
        const text = Buffer.from(view.buffer);
        view.setUint32(text.lastIndexOf("PK\x01\x02", undefined, "latin1") + 24, 2 ** 14 * 784, true);
      },
    ),
    /promises \d+ bytes of data|unpacks to more than/,
  ],
  ["cut.png", cut(picture, 0.9), /is a PNG picture cut off at byte/],
  [
    "huge.png",
    changed(picture, view => view.setUint32(16, 60_000)),
    /60000 x 28 pixels|unpacks|of \d+ bytes of pixels/,
  ],
  [
    "gigantic.png",
    changed(picture, view => (view.setUint32(16, 60_000), view.setUint32(20, 60_000))),
    /40 million are the most/,
  ],
  ["cut.jpg", cut(jpeg, 0.8), /is a JPEG picture cut off at byte/],
  ["word.jpg", bytes("a picture, honestly"), /is no JPEG, PNG, WebP or BMP picture/],
  ["cut.bmp", cut(bmp(28, 28, grey)), /is a BMP picture that ends at byte/],
  ["packed.bmp", changed(bmp(28, 28, grey), view => view.setUint32(30, 1, true)), /packed by method 1/],
  ["cut.wav", cut(wav(new Int16Array(2000))), /its sound should reach byte/],
  ["word.wav", bytes("a sound, honestly".repeat(4)), /is not a WAV file/],
  ["format.wav", changed(wav(new Int16Array(2000)), view => view.setUint16(20, 85, true)), /in format 85/],
  ["ragged.csv", bytes("1,2,3\n1,2\n"), /is no table/],
  ["words.csv", bytes("a,b\n1,2\n3,four\n"), /has a cell in row 3 that is no number/],
  ["titles.csv", bytes("a,b\n"), /holds no numbers/],
  ["infinite.csv", bytes(`${"1,".repeat(783)}1e999\n`), /holds Infinity in sample 0/],
  ["broken.json", bytes("{"), /is not JSON/],
  ["list.json", bytes("[]"), /does not hold an object/],
  ["kind.json", bytes('{"data": "a.npy", "kind": "smell"}'), /is of kind "smell"; there are image, tensor/],
  ["nothing.json", bytes("{}"), /names no "data" to evaluate on/],
  ["std.json", bytes('{"data": "a.npy", "pre": {"std": [0]}}'), /"std" that is not free of zeros/],
  [
    "input.json",
    bytes('{"data": "x.npy", "input": "other"}'),
    /is for an input "other", and the model has "input"/,
  ],
  ["unknown.bin", new Uint8Array(64), /is no kind of data|matches no file/],
];

for (const [name, content, said] of KINDS) {
  test(`${name}: ${said.source}`, async t => {
    const folder = folderOf(t);
    writeFileSync(join(folder, "x.npy"), samples);
    writeFileSync(join(folder, name), content);
    const reference = /\.wav$/.test(name) ? join(folder, "sound.json") : join(folder, name);
    writeFileSync(join(folder, "sound.json"), JSON.stringify({ data: name, kind: "audio", window: 784 }));
    await assert.rejects(readAll(reference), (error: unknown) => {
      assert.ok(error instanceof Failure, error instanceof Error ? error.stack : String(error));
      assert.match(error.happened, said);
      assert.ok(!error.happened.includes("\n") && error.next.length > 5);
      return true;
    });
  });
}

test("what is no file at all: nothing, a folder without data, a device", async t => {
  const folder = folderOf(t);
  mkdirSync(join(folder, "empty"));
  symlinkSync("/dev/zero", join(folder, "zero.npy"));
  await assert.rejects(readAll(join(folder, "none.npy")), /There is no file/);
  await assert.rejects(readAll(join(folder, "empty")), /holds no pictures/);
  await assert.rejects(readAll(join(folder, "zero.npy")), /is not a regular file/);
  await assert.rejects(readAll(join(folder, "*.jpg")), /matches no file/);
});

async function readAll(reference: string): Promise<void> {
  const { model } = openModel("samples/mnist_mlp.onnx");
  const found = await openSamples(await readDataFile(reference), "data", model, 10);
  await feedsOf(
    found,
    Array.from({ length: found.count }, (_, k) => k),
    openTensorStore(Infinity).keep,
  );
}
