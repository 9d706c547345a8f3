import { create } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { Failure } from "../../src/core/failure";
import { elsewhere } from "../../src/core/onnx/bytes";
import { allTensors, readModel, writeModel } from "../../src/core/onnx/model";
import {
  type AttributeProto,
  AttributeProtoSchema,
  GraphProtoSchema,
  type NodeProto,
  type TensorProto,
} from "../../src/core/onnx/onnx_pb";
import { joined, lengthOf } from "../../src/core/onnx/splice";
import { isExternal, storedBytes } from "../../src/core/onnx/tensors";
import { changed, constantNode, node, valueInfo } from "../../src/core/onnx/build";
import { layOut } from "../../src/core/onnx/external";
import { floatTensor } from "../../src/core/onnx/floats";
import type { Report } from "../../src/core/report/report";
import { inspect } from "../../src/engine/inspect";
import { openModel } from "../../src/engine/modelFile";
import { quantize, type QuantizeJob } from "../../src/engine/quantize";
import { USUAL_MEMORY } from "../../src/engine/tensorStore";
import { writeBigPair, writeBigSingle } from "./bigModels";
import { bytesOf, folderOf } from "./files";
import { quiet, usual } from "./run";
import { answer, modelIn, normal, write } from "./smallModels";

const AWKWARD = "test/data/awkward";

test("a skimmed model is the whole one: written again it has the same bytes, whatever stayed in the file", () => {
  let left = 0;
  const files = readdirSync(AWKWARD).filter(file => /^(?!broken_|external_).*\.onnx$/.test(file));
  for (const file of [...files.map(name => join(AWKWARD, name)), "samples/mnist_mlp.onnx"]) {
    const whole = readModel(bytesOf(file), file);
    const { model } = openModel(file);
    left += allTensors(model).filter(tensor => elsewhere(tensor)).length;
    assert.deepEqual(writeModel(model), writeModel(whole), file);
    assert.deepEqual(allTensors(model).map(storedBytes), allTensors(whole).map(storedBytes), file);
  }
  assert.ok(left > 10, `${left} tensors stayed in their files`);
});

test("tensors in other files are read into one message, byte for byte", () => {
  const { model } = openModel(join(AWKWARD, "external_data_one_file.onnx"));
  const written = readModel(writeModel(model), "written");
  const stored = readModel(bytesOf(join(AWKWARD, "external_data_one_file.onnx")), "as it lies there");
  for (const tensor of stored.graph.initializer.filter(isExternal)) {
    const entry = (key: string): string => tensor.externalData.find(one => one.key === key)!.value;
    const offset = Number(entry("offset"));
    const found = written.graph.initializer.find(one => one.name === tensor.name)!;
    assert.deepEqual(
      Buffer.from(found.rawData),
      readFileSync(join(AWKWARD, entry("location"))).subarray(offset, offset + storedBytes(tensor)),
    );
  }
});

// On Windows a file is written as long as it is.
const withHoles = { skip: process.platform === "win32" };

for (const write of [writeBigSingle, writeBigPair]) {
  test(`a model of 3 GB is looked at without its weights (${write.name})`, withHoles, t => {
    const path = write(folderOf(t), { layers: 3, inputs: 16384, neurons: 16384 });
    const before = process.memoryUsage.rss();
    const seen = inspect(path);
    assert.ok(process.memoryUsage.rss() - before < 300e6);
    assert.ok(seen.bytes > 3 * 2 ** 30 && seen.bytes < 3 * 2 ** 30 + 4096, `${seen.bytes} bytes`);
    assert.equal(seen.parameters, 3 * 2 ** 28);
    assert.deepEqual(
      seen.layers.map(layer => layer.bytes),
      [2 ** 30, 2 ** 30, 2 ** 30],
    );
    assert.ok(seen.bytesAtBits[8]! > 3 * 2 ** 28 && seen.bytesAtBits[8]! < 3 * 2 ** 28 + 2 ** 20);
  });
}

test(
  "a layer too large for the method asked for is rounded, and that is said before the run",
  withHoles,
  async t => {
    const folder = folderOf(t);
    const methodsOf = async (inputs: number, neurons: number, words: Partial<typeof usual>) => {
      const path = writeBigPair(folder, { layers: 1, inputs, neurons });
      const options = { ...usual, synthetic: true, ...words };
      const report = await quantize(job(path, join(folder, "copy.onnx"), { dryRun: true, options }), quiet);
      const told = report.warnings.filter(warning => /11585 inputs and 268435456 weights: y0/.test(warning));
      return [report.layers[0]!.method, told.length];
    };
    assert.deepEqual(await methodsOf(11585, 100, { method: "maly-saab" }), ["maly-saab", 0]);
    assert.deepEqual(await methodsOf(11586, 100, { method: "maly-saab" }), ["msq", 1]);
    assert.deepEqual(await methodsOf(4096, 65537, { method: "gptq" }), ["msq", 1]);
    assert.deepEqual(await methodsOf(11586, 100, { refine: true }), ["msq", 1]);
    assert.deepEqual(await methodsOf(11586, 100, {}), ["msq", 0]);
  },
);

test("a model that is changed while it is read is told", t => {
  const path = join(folderOf(t), "model.onnx");
  copyFileSync("samples/mnist_mlp.onnx", path);
  const { model } = openModel(path);
  const weight = model.graph.initializer.find(tensor => elsewhere(tensor))!;
  assert.equal(elsewhere(weight)!.read().length, storedBytes(weight));
  truncateSync(path, 1000);
  assert.throws(
    () => elsewhere(weight)!.read(),
    (error: Failure) => error instanceof Failure && error.code === "model-changed",
  );
});

test("bytes that no tensor has are counted, but not what aligns them", t => {
  const folder = folderOf(t);
  const path = writeBigPair(folder, { layers: 2, inputs: 33, neurons: 40 });
  const data = readFileSync(join(folder, "model.bin"));
  assert.deepEqual(openModel(path).unreferenced, new Map([["model.bin", 0]]));
  writeFileSync(join(folder, "model.bin"), Buffer.concat([data, Buffer.alloc(777)]));
  assert.deepEqual(openModel(path).unreferenced, new Map([["model.bin", 777]]));
});

const job = (model: string, output: string, more: Partial<QuantizeJob> = {}): QuantizeJob => ({
  model,
  output,
  overwrite: false,
  dryRun: false,
  threads: 1,
  options: usual,
  ...more,
});

/** A model file with all its tensors in one message, but for what says where it came from. */
function whole(path: string): Uint8Array {
  const { model } = openModel(path);
  return writeModel(
    changed(model, { metadataProps: model.metadataProps.filter(({ key }) => key !== "whittle.source.sha256") }),
  );
}

/** Offsets in the data file of a copy, as its message says them. */
function offsetsIn(copy: string): number[] {
  const { graph } = readModel(bytesOf(copy), copy);
  const entries = graph.initializer.filter(isExternal).map(one => one.externalData);
  return entries.map(one => {
    assert.equal(one.find(({ key }) => key === "location")!.value, `${basename(copy)}.data`);
    return Number(one.find(({ key }) => key === "offset")!.value);
  });
}

for (const file of ["external_data_one_file.onnx", "external_data_two_files.onnx"]) {
  test(`the copy of ${file} has external data again, and is the copy of the same model in one file`, async t => {
    const folder = folderOf(t);
    const model = join(folder, "one.onnx");
    writeFileSync(model, writeModel(openModel(join(AWKWARD, file)).model));
    const [pair, single] = [join(folder, "pair.onnx"), join(folder, "single.onnx")];
    const report = await quantize(job(join(AWKWARD, file), pair), quiet);
    const other = await quantize(job(model, single), quiet);
    assert.equal(report.outputData, `${pair}.data`);
    assert.equal(other.outputData, null);
    assert.deepEqual(whole(pair), whole(single));
    assert.ok(offsetsIn(pair).length > 0 && offsetsIn(pair).every(offset => offset % 4096 === 0));
    assert.deepEqual(report.outputs, other.outputs);
    assert.deepEqual(readdirSync(folder).sort(), ["one.onnx", "pair.onnx", "pair.onnx.data", "single.onnx"]);
    const again = await quantize(job(pair, join(folder, "again.onnx")), quiet);
    assert.equal(again.layers.length, 0, "a copy run again changes nothing");
    assert.deepEqual(whole(join(folder, "again.onnx")), whole(pair));
  });
}

test("a copy past what a message may hold is a pair, and whatever the memory it computes the same", async t => {
  const folder = folderOf(t);
  const options = { ...usual, method: "maly-saab", synthetic: true, samples: 12, bits: 3 } as const;
  const copies = [
    { name: "single", memory: USUAL_MEMORY },
    { name: "pair", memory: USUAL_MEMORY, mostMessageBytes: 50_000 },
    { name: "parts", memory: 0, mostMessageBytes: 50_000 },
  ];
  const reports: Report[] = [];
  for (const { name, ...more } of copies) {
    const model = "samples/mnist_mlp.onnx";
    const promised = await quantize(
      job(model, join(folder, `${name}.onnx`), { ...more, options, dryRun: true }),
      quiet,
    );
    const report = await quantize(job(model, join(folder, `${name}.onnx`), { ...more, options }), quiet);
    assert.equal(report.bytesAfter, promised.bytesAfter);
    reports.push(report);
  }
  const [single, pair, parts] = reports;
  assert.deepEqual(
    reports.map(one => one.outputData !== null),
    [false, true, true],
  );
  for (const { name } of copies)
    assert.deepEqual(whole(join(folder, `${name}.onnx`)), whole(join(folder, "single.onnx")));
  assert.deepEqual(pair!.outputs, single!.outputs);
  assert.equal(parts!.runtime!.msFloat, null);
  assert.equal(parts!.outputs.length, single!.outputs.length);
  const error = (k: number): number => reports[k]!.outputs[0]!.relativeError!;
  assert.ok(Math.abs(error(2) - error(0)) < 1e-4 * error(0), `${error(2)} and ${error(0)}`);
});

test("large tensors of nested graphs and Constant nodes lie outside of the message, too, and onnxruntime finds them", async t => {
  const folder = folderOf(t);
  const width = 520; // More than a Constant node keeps in the message.
  const weight = (name: string) => floatTensor(name, "float32", [width, width], normal(width * width));
  const branch = (name: string, nodes: NodeProto[], initializer: TensorProto[]): AttributeProto => {
    const g = create(GraphProtoSchema, { name, node: nodes, initializer, output: [valueInfo("a", "float32")] });
    return create(AttributeProtoSchema, { name, type: 5, g });
  };
  const branches = [
    branch("then_branch", [node("MatMul", ["h", "v"], "a")], [weight("v")]),
    branch("else_branch", [constantNode(weight("u")), node("MatMul", ["h", "u"], "a")], []),
  ];
  const nodes = [
    constantNode(weight("w")),
    node("MatMul", ["x", "w"], "h"),
    node("ReduceSum", ["x"], "sum"),
    node("Less", ["sum", "limit"], "isLess"),
    node("Squeeze", ["isLess"], "choice"),
    node("If", ["choice"], "y", branches),
  ];
  const limit = floatTensor("limit", "float32", [1, 1], Float32Array.of(0));
  const file = write(folder, nodes, [limit], "float32", width);
  const { message, data } = layOut(modelIn(file), { location: "pair.onnx.data", external: true });
  const pair = join(folder, "pair.onnx");
  writeFileSync(pair, joined(message));
  writeFileSync(`${pair}.data`, joined(data!));
  assert.ok(lengthOf(message) < 2000, `${lengthOf(message)} bytes`);
  assert.deepEqual(whole(pair), whole(file));
  for (const sign of [1, -1]) {
    const x = { type: "float32", dims: [1, width], data: new Float32Array(width).fill(sign) } as const;
    assert.deepEqual((await answer(pair, x)).data, (await answer(file, x)).data);
  }
});

test("a pair is overwritten as a pair, and only when asked", async t => {
  const folder = folderOf(t);
  const model = join(AWKWARD, "external_data_one_file.onnx");
  const output = join(folder, "copy.onnx");
  const refused = (more: Partial<QuantizeJob>, code: string, target = output) =>
    assert.rejects(quantize(job(model, target, more), quiet), { code });
  writeFileSync(`${output}.data`, "mine");
  await refused({}, "output-exists");
  assert.deepEqual(readdirSync(folder), ["copy.onnx.data"]);
  assert.equal(readFileSync(`${output}.data`, "utf8"), "mine");
  await quantize(job(model, output, { overwrite: true }), quiet);
  const eight = [whole(output), readFileSync(`${output}.data`)];
  await quantize(job(model, output, { overwrite: true, options: { ...usual, bits: 8 } }), quiet);
  assert.notDeepEqual([whole(output), readFileSync(`${output}.data`)], eight);
  assert.deepEqual(readdirSync(folder).sort(), ["copy.onnx", "copy.onnx.data"]);

  // Where one of the two cannot take its place, both stay what they were.
  mkdirSync(join(folder, "second.onnx.data"));
  writeFileSync(join(folder, "second.onnx"), "old");
  await refused({ overwrite: true }, "output-unwritable", join(folder, "second.onnx"));
  assert.equal(readFileSync(join(folder, "second.onnx"), "utf8"), "old");
  assert.deepEqual(readdirSync(folder).sort(), ["copy.onnx", "copy.onnx.data", "second.onnx", "second.onnx.data"]);
});

test("a copy's data never takes the place of the model's", async t => {
  const folder = folderOf(t);
  const path = writeBigPair(folder, { layers: 1, inputs: 40, neurons: 40 }, "copy.onnx.data");
  const before = bytesOf(join(folder, "copy.onnx.data"));
  const asked = job(path, join(folder, "copy.onnx"), { overwrite: true });
  await assert.rejects(quantize(asked, quiet), { code: "output-is-model" });
  assert.deepEqual(bytesOf(join(folder, "copy.onnx.data")), before);
});

test("bytes of a data file that no tensor has are not carried over, and are told", async t => {
  const folder = folderOf(t);
  const path = writeBigPair(folder, { layers: 2, inputs: 64, neurons: 64 });
  const data = readFileSync(join(folder, "model.bin"));
  writeFileSync(join(folder, "model.bin"), Buffer.concat([data, Buffer.alloc(1_000_000)]));
  const report = await quantize(job(path, join(folder, "copy.onnx")), quiet);
  assert.match(report.warnings.join("\n"), /No tensor has 1000000 bytes of model\.bin/);
  assert.ok(report.bytesAfter < data.length);
});
