import assert from "node:assert/strict";
import { test } from "node:test";
import { keptInMemory } from "../../src/core/calibration/kept";
import { layerRows } from "../../src/core/calibration/rows";
import { findLayers } from "../../src/core/graph/layers";
import { groupWeights } from "../../src/core/graph/weights";
import { readModel } from "../../src/core/onnx/model";
import { float32Values } from "../../src/core/onnx/tensors";
import { arrayOf, bytesOf } from "./files";

// im2col is right when the rows of a layer times its weights, plus the bias, are what onnxruntime computes.
for (const name of [
  "conv_grouped",
  "conv_depthwise",
  "conv_depthwise_mult2",
  "conv_asym_pad_dilated",
  "conv_autopad_same_lower",
  "conv_1x1_stride2",
  "gemm_transB1",
]) {
  test(`the rows of ${name} times its weights are the layer's output, and what is added to it has the same rows`, async () => {
    const model = readModel(bytesOf(`test/data/awkward/${name}.onnx`), name);
    const { index, layers } = findLayers(model);
    const layer = layers[0]!;
    assert.equal(layers.length, 1);
    const input = arrayOf(`test/data/awkward/${name}.in.${layer.input}.npy`);
    const output = arrayOf(`test/data/awkward/${name}.out.${layer.node.output[0]!}.npy`);
    const weights = float32Values(index.initializers.get(layer.tensor)!);
    const nothing = { ...output, data: new Float32Array(output.data.length) };
    const float = { inputs: [keptInMemory(input)], addends: [keptInMemory(output)], range: null };
    const seen = { inputs: float.inputs, addends: [keptInMemory(nothing)], range: null };
    const rows = layerRows(layer, float, seen, 1, 0).fitted(Infinity);
    const oneByOne = layerRows(layer, float, seen, 1, 0, 0).fitted(Infinity);
    const neurons = layer.neurons / layer.groups;
    const places = layer.window ? output.dims[2]! * output.dims[3]! : 1;
    let largest = 0;
    for (let group = 0; group < layer.groups; group++) {
      const { float: x, added } = await rows.group(group);
      assert.deepEqual(await oneByOne.group(group), await rows.group(group));
      const w = groupWeights(layer, weights, group);
      for (let r = 0; r < x.rows; r++) {
        for (let j = 0; j < neurons; j++) {
          const neuron = group * neurons + j;
          let sum = layer.bias?.[neuron] ?? 0;
          for (let i = 0; i < x.columns; i++) sum += x.data[r * x.columns + i]! * w.data[i * neurons + j]!;
          const at = (Math.floor(r / places) * layer.neurons + neuron) * places + (r % places);
          largest = Math.max(largest, Math.abs(sum - Number(output.data[at]!)));
          assert.equal(added!.missing.data[r * neurons + j], output.data[at]);
          assert.equal(added!.seen.data[r * neurons + j], 0);
        }
      }
    }
    assert.ok(largest < 1e-4, `${largest}`);
  });
}
