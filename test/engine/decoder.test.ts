import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { modelInputs } from "../../src/core/calibration/inputs";
import { syntheticFeeds } from "../../src/core/calibration/synthetic";
import { tableRows } from "../../src/core/calibration/tableRows";
import type { Feed } from "../../src/core/calibration/tensor";
import { writeModel } from "../../src/core/onnx/model";
import { seeded } from "../../src/core/random";
import { readDataFile } from "../../src/engine/dataFile";
import { evaluate } from "../../src/engine/evaluate";
import { openSession } from "../../src/engine/runtime";
import { openSamples } from "../../src/engine/samples";
import { npy } from "./containers";
import { decoder, HEADS, SIZE, VOCABULARY } from "./decoder";
import { folderOf } from "./files";
import { run } from "./run";

const [TEXTS, TOKENS] = [20, 9];

/** Texts of tokens in an array, and a data file that says they are texts and nothing else. */
function texts(t: TestContext, more: object = {}) {
  const folder = folderOf(t);
  const random = seeded(3);
  const ids = BigInt64Array.from({ length: TEXTS * TOKENS }, () => BigInt(Math.floor(VOCABULARY * random())));
  const array = join(folder, "ids.npy");
  writeFileSync(array, npy("<i8", [TEXTS, TOKENS], ids));
  const data = join(folder, "texts.json");
  writeFileSync(data, JSON.stringify({ kind: "tokens", data: "ids.npy", ...more }));
  const model = join(folder, "decoder.onnx");
  writeFileSync(model, writeModel(decoder()));
  return { folder, array, data, model, ids };
}

async function firstFeed(reference: string, model = decoder()): Promise<Feed> {
  const samples = await openSamples(await readDataFile(reference), "data", model, 2);
  for await (const { feed } of samples.calls([0, 1])) return feed;
  throw new Error("There is a call.");
}

function shown(feed: Feed): Record<string, [readonly number[], ...number[]]> {
  return Object.fromEntries([...feed].map(([name, { dims, data }]) => [name, [dims, ...Array.from(data, Number)]]));
}

test("texts alone feed a decoder a mask of ones, positions that count up, and an empty past", async t => {
  const { data, array, ids } = texts(t);
  const rows = (length: number, value: (text: number, place: number) => number) =>
    [0, 1].flatMap(text => Array.from({ length }, (_, place) => value(text, place)));
  const wanted = (length: number) => ({
    input_ids: [[2, length], ...rows(length, (text, place) => Number(ids[text * TOKENS + place]))],
    attention_mask: [[2, length], ...rows(length, () => 1)],
    position_ids: [[2, length], ...rows(length, (_, place) => place)],
    "past_key_values.0.key": [[2, HEADS, 0, SIZE]],
    "past_key_values.0.value": [[2, HEADS, 0, SIZE]],
  });
  assert.deepEqual(shown(await firstFeed(data)), wanted(TOKENS - 1));
  // The last token is only a target where the data are said to be texts.
  assert.deepEqual(shown(await firstFeed(array)), wanted(TOKENS));
});

test("what a decoder answers to a text is what it answers token by token, each after the past before it", async t => {
  const feed = await firstFeed(texts(t).data);
  const session = await openSession(decoder(), { weightsAlone: true, threads: 1 });
  const whole = (await session.run(feed)).get("logits")!.data as Float32Array;
  const ids = feed.get("input_ids")!.data as BigInt64Array;
  let past = new Map([...feed].filter(([name]) => name.startsWith("past")));
  for (let place = 0; place < TOKENS - 1; place++) {
    const int64 = (dims: number[], values: (bigint | number)[]) => ({
      type: "int64" as const,
      dims,
      data: BigInt64Array.from(values, BigInt),
    });
    const outputs = await session.run(
      new Map([
        ["input_ids", int64([2, 1], [ids[place]!, ids[TOKENS - 1 + place]!])],
        [
          "attention_mask",
          int64(
            [2, place + 1],
            Array.from({ length: 2 * (place + 1) }, () => 1),
          ),
        ],
        ["position_ids", int64([2, 1], [place, place])],
        ...past,
      ]),
    );
    past = new Map([...past.keys()].map(name => [name, outputs.get(name.replace("past_key_values", "present"))!]));
    const one = outputs.get("logits")!.data as Float32Array;
    for (const text of [0, 1]) {
      for (let k = 0; k < VOCABULARY; k++) {
        const wanted = whole[(text * (TOKENS - 1) + place) * VOCABULARY + k]!;
        assert.ok(Math.abs(one[text * VOCABULARY + k]! - wanted) < 1e-4);
      }
    }
  }
  await session.release();
});

test("a decoder is fitted to texts and scored on them", async t => {
  const { folder, data, model } = texts(t);
  const output = join(folder, "copy.onnx");
  const report = await run(model, output, { method: "maly-saab", data, samples: undefined });
  assert.deepEqual(report.calibration, { samples: TEXTS, heldOut: 4, synthetic: false });
  const fitted = report.layers.filter(layer => layer.layerErrorHeldOut !== null).map(layer => layer.tensor);
  assert.deepEqual(
    fitted,
    ["q", "k", "v", "o", "logits"].map(name => `${name}.weight`),
  );
  assert.deepEqual(
    report.outputs.map(one => one.name),
    ["logits", "present.0.key", "present.0.value"],
  );
  const job = { data, samples: undefined, asRun: false, threads: 1 };
  const score = await evaluate({ ...job, model: output, against: model });
  assert.ok(score.crossEntropy! > 0 && score.against!.crossEntropy! > 0 && score.sqnrDb! > 10);
  // Said in full, the same.
  const inputs = {
    attention_mask: { value: 1, shape: [1, TOKENS - 1] },
    position_ids: { range: 0, shape: [1, TOKENS - 1] },
    "past_key_values.0.key": { value: 0, shape: [1, HEADS, 0, SIZE] },
    "past_key_values.0.value": { value: 0, shape: [1, HEADS, 0, SIZE] },
  };
  writeFileSync(data, JSON.stringify({ kind: "tokens", data: "ids.npy", input: "input_ids", inputs }));
  const inFull = await evaluate({ ...job, model, against: undefined });
  assert.equal(inFull.crossEntropy, score.against!.crossEntropy);
});

test("without data a decoder is run on made-up tokens of its table, a mask of ones, positions, and an empty past", async t => {
  const { folder, model } = texts(t);
  const known = { sizes: new Map([["length", 6]]), rows: tableRows(decoder()) };
  const feeds = [...syntheticFeeds(modelInputs(decoder()), 40, 0, known)].map(shown);
  const zeroTo = (end: number): number[] => Array.from({ length: end }, (_, place) => place);
  for (const feed of feeds) {
    assert.deepEqual(feed.attention_mask, [[1, 6], ...zeroTo(6).map(() => 1)]);
    assert.deepEqual(feed.position_ids, [[1, 6], ...zeroTo(6)]);
    assert.deepEqual(feed["past_key_values.0.key"], [[1, HEADS, 0, SIZE]]);
  }
  const tokens = new Set(feeds.flatMap(feed => feed.input_ids!.slice(1)));
  assert.deepEqual(
    [...tokens].sort((a, b) => Number(a) - Number(b)),
    zeroTo(VOCABULARY),
  );
  const report = await run(model, join(folder, "copy.onnx"), { samples: undefined });
  assert.deepEqual(report.calibration, { samples: 10, heldOut: 2, synthetic: true });
  assert.ok(report.outputs.every(output => output.relativeError! > 0));
  assert.ok(report.layers.filter(layer => layer.layerErrorHeldOut !== null).length === 5);
});

test("a token that the table of a model does not have is named, with the sample and the file", async t => {
  const { folder, data } = texts(t);
  const ids = new BigInt64Array(TEXTS * TOKENS);
  ids[TOKENS + 3] = BigInt(VOCABULARY);
  writeFileSync(join(folder, "ids.npy"), npy("<i8", [TEXTS, TOKENS], ids));
  await assert.rejects(firstFeed(data), {
    code: "data-does-not-fit",
    message: /ids\.npy holds 32 in sample 1, and input "input_ids" looks up rows of a table of 32\./,
  });
});

test("a past whose heads have no number is named, with what to write; written, it runs", async t => {
  const free = decoder("heads");
  await assert.rejects(firstFeed(texts(t).data, free), {
    code: "data-does-not-fit",
    message:
      /Nothing says what inputs "past_key_values\.0\.key" \(float32 \[batch, heads, past_length, 4\]\), "past_key_values\.0\.value" .* are fed.*"inputs": \{"past_key_values\.0\.key": \{"value": 0, "shape": \["batch", "heads", "past_length", 4\]\}\}/,
  });
  const past = { value: 0, shape: ["batch", HEADS, 0, SIZE] };
  const inputs = { "past_key_values.0.key": past, "past_key_values.0.value": past };
  const feed = await firstFeed(texts(t, { inputs }).data, free);
  assert.deepEqual(feed.get("past_key_values.0.key")!.dims, [2, HEADS, 0, SIZE]);
});
