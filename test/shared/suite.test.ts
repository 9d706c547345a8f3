import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
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

type Ending = "quantized" | "unchanged" | "too old";

/** Quantizes a model of the suite and checks the copy; says how it ended, and whether onnxruntime runs the model at all. */
async function check(t: TestContext, folder: string): Promise<{ ending: Ending; isRun: boolean }> {
  const path = join(folder, "model.onnx");
  const { model } = openModel(path);
  const feed = () =>
    tensorsOf(
      folder,
      "input",
      modelInputs(model).map(input => input.name),
    );
  const float = await answer(path, feed);
  const isRun = typeof float !== "string";
  if (!isRun) t.diagnostic(`Not run: ${float}`);
  const copy = join(folderOf(t), "copy.onnx");
  let report: Report;
  try {
    report = await run(path, copy, { bits: 8 });
  } catch (error) {
    // What onnxruntime does not run, since its operators are too old, cannot be raised to a newer opset either.
    assert.ok(!isRun && error instanceof Failure && error.code === "opset-too-old", String(error));
    return { ending: "too old", isRun };
  }
  if (report.layers.length === 0) {
    assert.deepEqual(bytesOf(copy), bytesOf(path));
    return { ending: "unchanged", isRun };
  }
  if (!isRun) return { ending: "quantized", isRun };
  const found = await answer(copy, feed);
  if (typeof found === "string") return assert.fail(found);
  const outputs = modelOutputs(model).map(output => output.name);
  for (const [name, wanted] of await tensorsOf(folder, "output", outputs)) {
    const error = distance(found.get(name)!, wanted);
    assert.ok(error <= BOUND, `${name}: ${error}`);
  }
  return { ending: "quantized", isRun };
}

test("every model of the suite has a copy at 8 bits that answers as is stored, or one that is the same file", async t => {
  assert.ok(cases.length >= 100, `${cases.length}`);
  const ended: { ending: Ending; isRun: boolean }[] = [];
  for (const folder of cases) {
    await t.test(folder.slice(SUITE.length + 1), async one => void ended.push(await check(one, folder)));
  }
  const count = (ending: Ending): number => ended.filter(one => one.ending === ending).length;
  const notRun = ended.filter(one => !one.isRun).length;
  t.diagnostic(
    `${count("quantized")} quantized, ${count("unchanged")} unchanged, ${count("too old")} too old, ${notRun} not run, of ${cases.length}`,
  );
  assert.ok(count("quantized") >= 25 && count("too old") <= 1);
});
