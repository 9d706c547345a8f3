import assert from "node:assert/strict";
import { encode as png } from "fast-png";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { node } from "../../src/core/onnx/build";
import { writeModel } from "../../src/core/onnx/model";
import { tensor } from "../../src/core/onnx/tensors";
import { normal, seeded } from "../../src/core/random";
import { readDataFile } from "../../src/engine/dataFile";
import { evaluate } from "../../src/engine/evaluate";
import { openModel } from "../../src/engine/modelFile";
import { quantize } from "../../src/engine/quantize";
import { openSamples } from "../../src/engine/samples";
import { folderOf } from "./files";
import { modelOf } from "./models";
import { quiet, run, usual } from "./run";

const COUNT = 12;
/** Pictures are 16 high and 20 wide; the model takes 8 by 8. */
const [HEIGHT, WIDTH, SIDE] = [16, 20, 8];

/** A convolution of pictures with three channels, and a folder of them beside it. */
function modelAndPictures(t: TestContext) {
  const folder = folderOf(t);
  const random = seeded(1);
  const weights = Float32Array.from({ length: 4 * 3 * 3 * 3 }, () => normal(random));
  const conv = modelOf(
    { picture: ["float32", "N", 3, SIDE, SIDE] },
    [node("Conv", ["picture", "w"], "y")],
    { y: ["float32", "N", 4, SIDE - 2, SIDE - 2] },
    [tensor("w", "float32", [4, 3, 3, 3], weights)],
  );
  const model = join(folder, "net.onnx");
  writeFileSync(model, writeModel(conv));
  const pictures = join(folder, "pictures");
  mkdirSync(pictures);
  for (let k = 0; k < COUNT; k++) {
    const data = Uint8Array.from({ length: HEIGHT * WIDTH * 3 }, () => Math.floor(256 * random()));
    writeFileSync(join(pictures, `${k}.png`), png({ width: WIDTH, height: HEIGHT, data, channels: 3, depth: 8 }));
  }
  const file = join(folder, "net.data.json");
  const fit = async (name: string, data = pictures) => {
    const copy = join(folder, name);
    const report = await run(model, copy, { method: "maly-saab", bits: 3, data, samples: undefined });
    return { warnings: report.warnings.join("\n"), bytes: readFileSync(copy) };
  };
  return { folder, model, pictures, file, fit };
}

test("what is guessed of pictures is written beside the model, named in the warning, and what the next run uses", async t => {
  const { file, fit } = modelAndPictures(t);
  const first = await fit("a.onnx");
  assert.ok(first.warnings.includes(`taken as "imagenet" has it`) && first.warnings.includes(`correct ${file}`));
  const { note, ...content } = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  assert.match(String(note), /guessed/);
  assert.deepEqual(content, {
    kind: "image",
    input: "picture",
    data: "pictures",
    pre: {
      resize: 9,
      crop: [SIDE, SIDE],
      scale: 1 / 255,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      layout: "NCHW",
      bgr: 0,
    },
  });
  const again = await fit("b.onnx");
  assert.ok(again.warnings.includes(`prepared as ${file} says`));
  const byFile = await fit("c.onnx", file);
  assert.ok(!byFile.warnings.includes("prepared"));
  assert.ok(again.bytes.equals(first.bytes) && byFile.bytes.equals(first.bytes));
});

test("a data file that is there is used as the user left it, and never written to", async t => {
  const { folder, pictures, file, fit } = modelAndPictures(t);
  await fit("net.w3.onnx");
  const guessed = JSON.parse(readFileSync(file, "utf8")) as { pre: object };
  const edited = JSON.stringify({ ...guessed, pre: { ...guessed.pre, mean: [0.1], bgr: 1 } });
  writeFileSync(file, edited);
  const other = await fit("other.onnx");
  assert.ok(!other.bytes.equals(readFileSync(join(folder, "net.w3.onnx"))));
  // Evaluating a copy goes by the data file of its model.
  const job = { against: undefined, data: pictures, samples: undefined, asRun: false, threads: 1 };
  const { warnings } = await evaluate({ ...job, model: join(folder, "net.w3.onnx") });
  assert.deepEqual(warnings, [`Pictures are prepared as ${file} says.`]);
  assert.equal(readFileSync(file, "utf8"), edited);
  const without = JSON.stringify({ data: "pictures" });
  writeFileSync(file, without);
  assert.ok((await fit("third.onnx")).warnings.includes(`say so under "pre" in ${file}`));
  assert.equal(readFileSync(file, "utf8"), without);
});

test("a dry run writes no data file", async t => {
  const { folder, model, pictures } = modelAndPictures(t);
  const before = readdirSync(folder);
  const options = { ...usual, data: pictures };
  const job = { model, output: join(folder, "copy.onnx"), overwrite: false, threads: 1, options };
  await quantize({ ...job, dryRun: true }, quiet);
  assert.deepEqual(readdirSync(folder), before);
});

test("where no data file can be written the run goes on and says so", async t => {
  const { folder, model, pictures } = modelAndPictures(t);
  const elsewhere = join(folder, "none", "net.onnx");
  const opened = [await readDataFile(pictures), "data", openModel(model).model, 3, elsewhere] as const;
  const { warnings, count } = await openSamples(...opened);
  assert.equal(count, 3);
  assert.match(warnings[0]!, /none could be written to .*none.net\.data\.json: ENOENT/);
  assert.deepEqual(readdirSync(folder).sort(), ["net.onnx", "pictures"]);
});
