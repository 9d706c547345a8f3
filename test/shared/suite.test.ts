import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { modelInputs, modelOutputs } from "../../src/core/calibration/inputs";
import type { Feed, Session, Tensor } from "../../src/core/calibration/tensor";
import { Failure } from "../../src/core/failure";
import type { Report } from "../../src/core/report/report";
import { readTensorFile } from "../../src/engine/data/pb";
import { openModel } from "../../src/engine/modelFile";
import { openSession } from "../../src/engine/runtime";
import { bytesOf, distance, folderOf } from "../engine/files";
import { run } from "../engine/run";

// Backend tests of the ONNX project itself, written by others: single operators as PyTorch exported them years ago.

const SUITE = "../shared/data/onnx-suite";
/** Rounding at 8 bits, data-free, moves the outputs of one layer by less. */
const BOUND = 0.05;

const cases = ["pytorch-converted", "simple"].flatMap(group =>
  readdirSync(join(SUITE, group))
    .sort()
    .map(name => join(SUITE, group, name)),
);

async function tensorsOf(folder: string, kind: "input" | "output", names: readonly string[]): Promise<Feed> {
  const tensors = new Map<string, Tensor>();
  for (const [k, name] of names.entries()) {
    const file = join(folder, "test_data_set_0", `${kind}_${k}.pb`);
    if (existsSync(file)) tensors.set(name, (await readTensorFile(file)).tensor);
  }
  return tensors;
}

/** The model's own answer, or why there is none: sequences and strings are no tensors of numbers, some operators have no kernel. */
async function answer(model: string, feed: () => Promise<Feed>): Promise<Feed | string> {
  let session: Session | undefined;
  try {
    session = await openSession(model, { weightsAlone: true, threads: 1 });
    return await session.run(await feed());
  } catch (error) {
    if (error instanceof Failure) return error.happened;
    throw error;
  } finally {
    await session?.release();
  }
}

test("the suite is there", () => {
  assert.ok(cases.length >= 100, `${cases.length}`);
});

let [quantized, unchanged, tooOld, notRun] = [0, 0, 0, 0];
for (const folder of cases) {
  test(`${folder.slice(SUITE.length + 1)}: a copy at 8 bits answers as is stored, or is the same file`, async t => {
    const path = join(folder, "model.onnx");
    const { model } = openModel(path);
    const feed = () =>
      tensorsOf(
        folder,
        "input",
        modelInputs(model).map(input => input.name),
      );
    const float = await answer(path, feed);
    if (typeof float === "string") {
      notRun++;
      t.diagnostic(`Not run: ${float}`);
    }
    const copy = join(folderOf(t), "copy.onnx");
    let report: Report;
    try {
      report = await run(path, copy, { bits: 8 });
    } catch (error) {
      // What onnxruntime does not run, since its operators are too old, cannot be raised to a newer opset either.
      assert.ok(
        typeof float === "string" && error instanceof Failure && error.code === "opset-too-old",
        String(error),
      );
      tooOld++;
      return;
    }
    if (report.layers.length === 0) {
      unchanged++;
      assert.deepEqual(bytesOf(copy), bytesOf(path));
      return;
    }
    quantized++;
    if (typeof float === "string") return;
    const found = await answer(copy, feed);
    if (typeof found === "string") return assert.fail(found);
    for (const [name, wanted] of await tensorsOf(
      folder,
      "output",
      modelOutputs(model).map(output => output.name),
    )) {
      const error = distance(found.get(name)!, wanted);
      assert.ok(error <= BOUND, `${name}: ${error}`);
    }
  });
}

test("most of the suite is run, and what has weights is quantized", t => {
  t.diagnostic(
    `${quantized} quantized, ${unchanged} unchanged, ${tooOld} too old, ${notRun} not run, of ${cases.length}`,
  );
  assert.equal(quantized + unchanged + tooOld, cases.length);
  assert.ok(quantized >= 25 && tooOld <= 1, `${quantized} quantized, ${tooOld} too old`);
});
