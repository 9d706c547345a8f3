import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { node } from "../../src/core/onnx/build";
import { tensor } from "../../src/core/onnx/tensors";
import { activationBytes } from "../../src/engine/activationBytes";
import { readDataFile } from "../../src/engine/dataFile";
import { openSamples } from "../../src/engine/samples";
import { folderOf, writeNpy } from "./files";
import { modelOf } from "./models";

const [WIDTH, COPIES] = [8, 2 ** 19];

/** A sample of 8 numbers becomes one of 4 million, which are added up again. */
const wide = modelOf(
  { x: ["float32", "n", WIDTH] },
  [node("Tile", ["x", "repeats"], "copies"), node("ReduceSum", ["copies", "axes"], "y")],
  { y: ["float32", "n", 1] },
  [
    tensor("repeats", "int64", [2], BigInt64Array.of(1n, BigInt(COPIES))),
    tensor("axes", "int64", [1], BigInt64Array.of(1n)),
  ],
);

test("what is alive in a call counts, not only what the model is fed", async t => {
  const one = { type: "float32", dims: [1, WIDTH], data: new Float32Array(WIDTH) } as const;
  // The copies beside what they are made of, or beside their sum.
  assert.equal(await activationBytes(wide, new Map([["x", one]])), 4 * (WIDTH + WIDTH * COPIES));

  const file = writeNpy(join(folderOf(t), "x.npy"), [16, WIDTH], new Float32Array(16 * WIDTH));
  const samples = await openSamples(await readDataFile(file), "calibration", wide, Infinity);
  const held: number[] = [];
  for await (const call of samples.calls(Array.from({ length: 16 }, (_, k) => k))) held.push(call.held);
  // 2^27 bytes hold a little less than eight times 2^24 and 32.
  assert.deepEqual(held, [7, 7, 2]);
});
