import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Failure } from "../../../../src/core/failure";
import { readModel, writeModel } from "../../../../src/core/onnx/model";

const awkward = "test/data/awkward";
const read = (file: string): Uint8Array => new Uint8Array(readFileSync(file));
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

test("reading and writing a model gives back its bytes", () => {
  const files = readdirSync(awkward).filter(file => file.endsWith(".onnx") && !file.startsWith("broken_"));
  assert.ok(files.length > 60);
  for (const file of [...files.map(name => `${awkward}/${name}`), "samples/mnist_mlp.onnx"]) {
    const bytes = read(file);
    assert.deepEqual(writeModel(readModel(bytes, file)), bytes, file);
  }
});

const unreadable: [string, Uint8Array, RegExp][] = [
  ["an empty file", new Uint8Array(0), /is empty/],
  ["a text", text("just some words\n"), /is a text/],
  ["a Git LFS pointer", read(`${awkward}/broken_lfs_pointer.onnx`), /Git LFS pointer/],
  ["a web page", read(`${awkward}/broken_html.onnx`), /web page/],
  ["a zip archive", text("PK\u0003\u0004rest"), /zip archive/],
  ["half a model", read(`${awkward}/broken_truncated_half.onnx`), /ends too early/],
  ["a model without its last byte", read(`${awkward}/broken_truncated_last_byte.onnx`), /ends too early/],
  ["a length of 34 GB", read(`${awkward}/broken_huge_length.onnx`), /claims 34359738367 bytes/],
  ["random bytes", read(`${awkward}/broken_garbage.onnx`), /ends too early|not an ONNX model/],
  [
    "a weight shorter than its dimensions",
    read(`${awkward}/broken_short_raw_data.onnx`),
    /Tensor "W" promises \d+ bytes and holds \d+/,
  ],
  ["a negative dimension", read(`${awkward}/broken_negative_dim.onnx`), /impossible dimensions/],
  ["dimensions of 2^45 elements", read(`${awkward}/broken_dim_overflow.onnx`), /impossible dimensions/],
  ["no operator set", read(`${awkward}/broken_no_opset.onnx`), /no operator set/],
];

for (const [what, bytes, sentence] of unreadable) {
  test(`${what} is refused with its cause`, () => {
    assert.throws(
      () => readModel(bytes, "model.onnx"),
      (error: unknown) => error instanceof Failure && sentence.test(error.message),
    );
  });
}
