import { create, toBinary } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { encode as png } from "fast-png";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import type { Feed } from "../../src/core/calibration/tensor";
import { node } from "../../src/core/onnx/build";
import { TensorProtoSchema } from "../../src/core/onnx/onnx_pb";
import { readDataFile, readDataOf } from "../../src/engine/dataFile";
import { openModel } from "../../src/engine/modelFile";
import { openSamples, type Samples } from "../../src/engine/samples";
import { bmp, npy, wav, zip } from "./containers";
import { arrayOf, bytesOf, folderOf } from "./files";
import { modelOf } from "./models";

// The same digits in every kind of file give the model the same inputs.

const MODEL = "samples/mnist_mlp.onnx";
const COUNT = 20;
const SIDE = 28;
const pixels = arrayOf("samples/mnist_test.npy").data as Uint8Array;
const digit = (k: number): Uint8Array => pixels.subarray(k * SIDE * SIDE, (k + 1) * SIDE * SIDE);
const numbers = Float32Array.from(pixels.subarray(0, COUNT * SIDE * SIDE), value => value * (1 / 255));
const pre = { scale: 1 / 255, mean: [0], std: [1], layout: "NCHW" };

async function open(reference: string, limit = COUNT): Promise<Samples> {
  return openSamples(await readDataFile(reference), "data", openModel(MODEL).model, limit);
}

async function feeds(reference: string): Promise<Feed[]> {
  const samples = await open(reference);
  assert.equal(samples.count, COUNT);
  return feedsOf(
    samples,
    Array.from({ length: COUNT }, (_, k) => k),
  );
}

async function feedsOf(samples: Samples, some: readonly number[]): Promise<Feed[]> {
  const feeds: Feed[] = [];
  for await (const { feed } of samples.calls(some)) feeds.push(feed);
  return feeds;
}

/** Rows in the order of the samples, however many are in a call. */
function rowsOf(feeds: readonly Feed[]): number[] {
  return feeds.flatMap(feed => Array.from(feed.get("input")!.data as Float32Array));
}

async function sameAsArray(reference: string): Promise<void> {
  assert.deepEqual(rowsOf(await feeds(reference)), Array.from(numbers));
}

function spec(folder: string, fields: object): string {
  writeFileSync(join(folder, "data.json"), JSON.stringify({ ...fields, pre }));
  return join(folder, "data.json");
}

test("the sample's own data file", () => sameAsArray("samples/mnist.json"));

for (const deflate of [false, true]) {
  test(`an archive of arrays, ${deflate ? "compressed" : "stored"}`, async t => {
    const file = join(folderOf(t), "digits.npz");
    writeFileSync(file, zip({ "input.npy": npy("<f4", [COUNT, SIDE * SIDE], numbers) }, { deflate }));
    await sameAsArray(file);
  });
}

test("a table with titles", async t => {
  const file = join(folderOf(t), "digits.csv");
  const line = (k: number): string => Array.from(digit(k), value => String(value * (1 / 255))).join(",");
  const titles = Array.from(digit(0), (_, k) => `pixel ${k}`).join(",");
  writeFileSync(file, [titles, ...Array.from({ length: COUNT }, (_, k) => line(k))].join("\r\n"));
  await sameAsArray(file);
});

test("a table too long for memory", async t => {
  const file = join(folderOf(t), "digits.csv");
  const lines = Array.from({ length: COUNT }, (_, k) => Array.from(digit(k), value => `${value}.000`).join(","));
  const copies = Math.ceil(2 ** 25 / lines.join("\n").length);
  writeFileSync(file, `${lines.join("\n")}\n`.repeat(copies));
  const samples = await open(file, Infinity);
  assert.equal(samples.count, copies * COUNT);
  const [feed] = await feedsOf(samples, [COUNT, samples.count - 1]);
  assert.deepEqual(rowsOf([feed!]), [...digit(0), ...digit(COUNT - 1)]);
});

test("test data sets of ONNX, in the order of their numbers", async t => {
  const folder = folderOf(t);
  for (let k = 0; k < COUNT; k++) {
    const set = join(folder, `test_data_set_${k}`);
    mkdirSync(set);
    const rawData = new Uint8Array(numbers.slice(k * SIDE * SIDE, (k + 1) * SIDE * SIDE).buffer);
    const tensor = create(TensorProtoSchema, { name: "input", dataType: 1, dims: [1n, 784n], rawData });
    writeFileSync(join(set, "input_0.pb"), toBinary(TensorProtoSchema, tensor));
  }
  await sameAsArray(folder);
});

const ENCODERS: Record<string, (grey: Uint8Array) => Uint8Array> = {
  png: grey => png({ width: SIDE, height: SIDE, data: grey, channels: 1, depth: 8 }),
  bmp: grey => bmp(SIDE, SIDE, grey),
};
for (const [ending, encode] of Object.entries(ENCODERS)) {
  test(`a folder of .${ending} pictures, whose names say their classes`, async t => {
    const folder = folderOf(t);
    for (let k = 0; k < COUNT; k++)
      writeFileSync(join(folder, `${String(100 + k)}_digit.${ending}`), encode(digit(k)));
    const reference = spec(folder, { data: `*.${ending} (sorted)`, kind: "image", dims: [784] });
    const { classes } = await open(reference);
    assert.deepEqual(
      classes,
      Array.from({ length: COUNT }, (_, k) => 100 + k),
    );
    // Three equal channels are grey again where the model has one.
    await sameAsArray(reference);
  });
}

test("the first digit as WebP without loss, and as JPEG with little", async () => {
  const found = async (name: string): Promise<number[]> => {
    const samples = await open(`test/data/pictures/${name}.json`, 1);
    assert.deepEqual(samples.classes, [7]);
    return rowsOf(await feedsOf(samples, [0]));
  };
  const first = Array.from(numbers.subarray(0, SIDE * SIDE));
  assert.deepEqual(await found("webp"), first);
  const jpeg = await found("jpg");
  assert.ok(jpeg.every((value, k) => Math.abs(value - first[k]!) < 0.05));
});

/** A JPEG whose EXIF says how the camera was held. */
function held(jpeg: Uint8Array, orientation: number): Uint8Array {
  // TIFF, little-endian, one entry: tag 0x112, a SHORT, one of them.
  const tiff = [
    0x49,
    0x49,
    42,
    0,
    8,
    0,
    0,
    0,
    1,
    0,
    0x12,
    0x01,
    3,
    0,
    1,
    0,
    0,
    0,
    orientation,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
  ];
  const body = [...Buffer.from("Exif\0\0", "latin1"), ...tiff];
  const length = body.length + 2;
  return Uint8Array.from([
    ...jpeg.subarray(0, 2),
    0xff,
    0xe1,
    length >> 8,
    length & 255,
    ...body,
    ...jpeg.subarray(2),
  ]);
}

test("pictures are turned as their EXIF says", async t => {
  const folder = folderOf(t);
  const jpeg = bytesOf("test/data/pictures/7_first.jpg");
  const turned: Record<number, (y: number, x: number) => [number, number]> = {
    1: (y, x) => [y, x],
    3: (y, x) => [SIDE - 1 - y, SIDE - 1 - x],
    6: (y, x) => [SIDE - 1 - x, y],
    8: (y, x) => [x, SIDE - 1 - y],
  };
  const read = async (orientation: number): Promise<readonly number[]> => {
    writeFileSync(join(folder, "7.jpg"), held(jpeg, orientation));
    const samples = await open(spec(folder, { data: "7.jpg", kind: "image", dims: [784] }));
    return rowsOf(await feedsOf(samples, [0]));
  };
  const upright = await read(1);
  for (const [orientation, from] of Object.entries(turned)) {
    const found = await read(Number(orientation));
    const wanted = found.map((_, at) => {
      const [y, x] = from(Math.floor(at / SIDE), at % SIDE);
      return upright[y * SIDE + x]!;
    });
    assert.deepEqual(found, wanted, orientation);
  }
});

test("a picture of 16 bits keeps what 8 cannot hold", async t => {
  const folder = folderOf(t);
  const deep = Uint16Array.from(digit(0), value => value * 257 + (value > 0 && value < 255 ? 100 : 0));
  writeFileSync(join(folder, "1.png"), png({ width: SIDE, height: SIDE, data: deep, channels: 1, depth: 16 }));
  const samples = await open(spec(folder, { data: "*.png", kind: "image", dims: [784] }));
  const found = rowsOf(await feedsOf(samples, [0]));
  for (const [k, value] of deep.entries()) assert.ok(Math.abs(found[k]! - value / 65_535) < 1e-6);
});

test("a model that takes so many samples and no fewer gets its last one repeated", async t => {
  // Its input is [3, N, 32].
  const { model } = openModel("test/data/awkward/matmul_batched_weight.onnx");
  const [batch, count, size] = [3, 4, 5 * 32];
  const file = join(folderOf(t), "x.npy");
  writeFileSync(
    file,
    npy(
      "<f4",
      [count, 5, 32],
      Float32Array.from({ length: count * size }, (_, k) => Math.floor(k / size)),
    ),
  );
  const samples = await openSamples(await readDataFile(file), "data", model, Infinity);
  const held: number[][] = [];
  for await (const call of samples.calls([0, 1, 2, 3])) {
    const tensor = call.feed.get("x")!;
    assert.deepEqual(tensor.dims, [batch, 5, 32]);
    assert.equal(call.held, batch);
    held.push([0, 1, 2].map(k => Number(tensor.data[k * size])));
  }
  assert.deepEqual(held, [
    [0, 1, 2],
    [3, 3, 3],
  ]);
});

test("windows of a sound, from .wav as from an array", async t => {
  const folder = folderOf(t);
  const sound = Int16Array.from({ length: 2000 }, (_, k) => Math.round(20_000 * Math.sin(k / 7)));
  writeFileSync(join(folder, "a.wav"), wav(sound));
  writeFileSync(join(folder, "a.npy"), npy("<i2", [2000], sound));
  const rows = async (name: string): Promise<number[]> => {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify({ data: name, kind: "audio", window: 784 }));
    const samples = await open(file);
    assert.equal(samples.count, 2);
    return rowsOf(await feedsOf(samples, [0, 1]));
  };
  const found = await rows("a.wav");
  assert.deepEqual(found, await rows("a.npy"));
  assert.ok(found.every((value, k) => Math.abs(value - sound[k]! / 32_768) < 1e-7));
});

test("a stream is fed in order, goes on where it was left, and begins anew for an earlier call", async t => {
  const folder = folderOf(t);
  const model = modelOf({ x: ["float32", 1, 2], state: ["float32", 1, 2] }, [node("Add", ["x", "state"], "sum")], {
    sum: ["float32", 1, 2],
  });
  const sound = Float32Array.from({ length: 12 }, (_, k) => k);
  sound[11] = NaN;
  writeFileSync(join(folder, "sound.npy"), npy("<f4", [12], sound));
  const file = join(folder, "data.json");
  const stream = { kind: "audio", data: "sound.npy", input: "x", chunk: 2, state: { state: "sum" } };
  writeFileSync(file, JSON.stringify(stream));
  const samples = await openSamples(await readDataFile(file), "data", model, Infinity);
  assert.deepEqual([samples.count, samples.stream], [6, true]);
  const states = async (some: readonly number[]): Promise<number[]> =>
    (await feedsOf(samples, some)).map(feed => Number(feed.get("state")!.data[0]));
  // Sums of what came before: 0, 2, 4, …
  assert.deepEqual(await states([0, 1, 2]), [0, 0, 2]);
  assert.deepEqual(await states([4]), [12]);
  assert.deepEqual(await states([2, 3]), [2, 6]);
  await assert.rejects(states([5]), /NaN or infinite values in chunk 5/);
});

test("samples are read when their call comes, and not before", async t => {
  const folder = folderOf(t);
  const good = npy("<f4", [40, 784], new Float32Array(40 * 784));
  new DataView(good.buffer, good.byteOffset).setFloat32(good.length - 4, NaN, true);
  const file = join(folder, "late.npy");
  writeFileSync(file, good);
  const samples = await open(resolve(file), 40);
  let calls = 0;
  await assert.rejects(async () => {
    for await (const { samples: some } of samples.calls(Array.from({ length: 40 }, (_, k) => k))) {
      assert.ok(!some.includes(39));
      calls++;
    }
  }, /holds NaN in sample 39/);
  assert.equal(calls, 2);
});

test("an array for each of several inputs", async t => {
  const folder = folderOf(t);
  const { model } = openModel("test/data/awkward/conv_weight_is_activation.onnx");
  const dims = { x: [1, 3, 8, 8], k: [4, 3, 3, 3] };
  const files = Object.entries(dims).map(([name, shape], place): [string, string] => {
    const size = 2 * shape.reduce((product, dim) => product * dim, 1);
    const file = join(folder, `${name}.npy`);
    writeFileSync(file, npy("<f4", [2, ...shape], new Float32Array(size).fill(place + 1)));
    return [name, file];
  });
  const samples = await openSamples(await readDataOf(undefined, new Map(files)), "calibration", model, Infinity);
  for (const feed of await feedsOf(samples, [0, 1])) {
    assert.deepEqual([...feed].map(([name, tensor]) => [name, tensor.dims, tensor.data[0]]).sort(), [
      ["k", dims.k, 2],
      ["x", dims.x, 1],
    ]);
  }
  await assert.rejects(
    openSamples(await readDataOf(files[0]![1], new Map()), "calibration", model, Infinity),
    /The model has 2 inputs \(x, k\)/,
  );
});

test("whole numbers become the type a model wants, where they fit it", async t => {
  const { model } = openModel("test/data/awkward/embedding_gather_axis1.onnx");
  const [input] = model.graph.input;
  const dims = input!.type!.tensorType!.shape!.dim.map(({ value }) =>
    value.case === "dimValue" ? Number(value.value) : 2,
  );
  const size = 2 * dims.slice(1).reduce((product, dim) => product * dim, 1);
  const file = join(folderOf(t), "ids.npy");
  writeFileSync(file, npy("<i4", [2, ...dims.slice(1)], new Int32Array(size).fill(1)));
  const [feed] = await feedsOf(await openSamples(await readDataFile(file), "data", model, 2), [0, 1]);
  assert.ok([...feed!.get(input!.name)!.data].every(value => Number(value) === 1));
});
