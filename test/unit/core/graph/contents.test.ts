import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bytesByOperator, duplicatesIn, storedNumbers } from "../../../../src/core/graph/contents";
import { findLayers } from "../../../../src/core/graph/layers";
import { quantizedBy } from "../../../../src/core/graph/quantizing";
import { changed } from "../../../../src/core/onnx/build";
import { allNodes, type Model, readModel } from "../../../../src/core/onnx/model";

const modelAt = (file: string): Model => readModel(new Uint8Array(readFileSync(file)), file);
const sample = modelAt("samples/mnist_mlp.onnx");

test("the bytes of a model lie with the operators that read them", () => {
  assert.deepEqual(bytesByOperator(sample), { Gemm: 4 * 545_810 });
  assert.equal(storedNumbers(sample), 545_810);
});

test("weights in nested graphs are counted, too", () => {
  const bytes = bytesByOperator(modelAt("test/data/awkward/if_subgraph.onnx"));
  assert.ok(Object.values(bytes).reduce((sum, one) => sum + one, 0) > 0);
  assert.ok(storedNumbers(modelAt("test/data/awkward/if_subgraph.onnx")) > 0);
});

test("tensors of the same numbers are found, and what they cost; others of their shape are not", () => {
  assert.deepEqual(duplicatesIn(sample, 2 ** 26), []);
  const [first] = sample.graph.initializer.filter(one => one.dims.length === 2);
  const twice = changed(sample, {
    graph: changed(sample.graph, {
      initializer: [...sample.graph.initializer, changed(first!, { name: "again" })],
    }),
  });
  const bytes = first!.rawData.length;
  assert.deepEqual(duplicatesIn(twice, 2 ** 26), [{ tensors: [first!.name, "again"], bytes }]);
  // More than may be read is not said to be equal.
  assert.deepEqual(duplicatesIn(twice, bytes), []);
});

test("a quantized model is told by its operators, and what they read is left as quantized already", () => {
  assert.deepEqual(quantizedBy(allNodes(sample)), {});
  for (const file of [
    "qdq_per_channel",
    "qlinearconv",
    "dynamic_quant_matmulinteger",
    "int4_block_dequant_opset21",
  ]) {
    const model = modelAt(`test/data/awkward/${file}.onnx`);
    assert.ok(Object.keys(quantizedBy(allNodes(model))).length > 0, file);
    const { layers, skipped } = findLayers(model);
    assert.equal(layers.length, 0, file);
    assert.ok(
      skipped.some(one => one.reason === "already-quantized"),
      file,
    );
  }
});
