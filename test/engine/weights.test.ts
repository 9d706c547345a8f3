import { create } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { convertTo } from "../../src/core/calibration/convert";
import type { Tensor } from "../../src/core/calibration/tensor";
import { intOf, intsOf, node, tensorOf } from "../../src/core/onnx/build";
import { DataType } from "../../src/core/onnx/dataTypes";
import { floatTensor, type FloatType } from "../../src/core/onnx/floats";
import { type NodeProto, type TensorProto, TensorProtoSchema } from "../../src/core/onnx/onnx_pb";
import { tensor } from "../../src/core/onnx/tensors";
import { distance, folderOf } from "./files";
import { run } from "./run";
import { answer, HIDDEN, initializerBytes, INPUTS, inputOf, modelIn, normal, OUTPUTS, write } from "./smallModels";

// Weights of other types than float32, and seen through other nodes. Each copy that onnxruntime can run is compared with its
// dequantized weights put back as floats (1e-4) before it is kept, which `runtime` of the report stands for.

/** The same tensor with its numbers in the field of its type instead of `raw_data`. */
function typed(one: TensorProto): TensorProto {
  const buffer = one.rawData.slice().buffer;

  const { name, dims, dataType } = one;
  return dataType === DataType.float64
    ? create(TensorProtoSchema, { name, dims, dataType, doubleData: [...new Float64Array(buffer)] })
    : create(TensorProtoSchema, { name, dims, dataType, int32Data: [...new Uint16Array(buffer)] });
}

const SIZES = { float16: 2, float64: 8, bfloat16: 2 } as const;

for (const type of ["float16", "float64"] as const) {
  for (const stored of ["raw_data", "a typed field"] as const) {
    for (const format of ["packed", "qdq"] as const) {
      test(`a model of ${type} in ${stored} has ${format} copies that compute in ${type}, fitted to data`, async t => {
        const folder = folderOf(t);
        const as = stored === "raw_data" ? (one: TensorProto): TensorProto => one : typed;
        const weights = [
          as(floatTensor("w", type, [INPUTS, HIDDEN], normal(INPUTS * HIDDEN))),
          as(floatTensor("b", type, [HIDDEN], normal(HIDDEN))),
          as(floatTensor("head", type, [HIDDEN, OUTPUTS], normal(HIDDEN * OUTPUTS))),
        ];
        const nodes = [
          node("MatMul", ["x", "w"], "h"),
          node("Add", ["h", "b"], "hb"),
          node("Relu", ["hb"], "r"),
          node("MatMul", ["r", "head"], "y"),
        ];
        const file = write(folder, nodes, weights, type);
        for (const bits of [8, 4] as const) {
          const copy = join(folder, `${bits}.onnx`);
          const report = await run(file, copy, {
            bits,
            format: bits === 8 ? format : "packed",
            method: "maly-saab",
            synthetic: true,
            samples: 40,
          });
          assert.deepEqual(
            report.layers.map(layer => [layer.tensor, layer.bytesBefore, layer.rows > 0]),
            [
              ["w", SIZES[type] * INPUTS * HIDDEN, true],
              ["head", SIZES[type] * HIDDEN * OUTPUTS, true],
            ],
          );
          assert.notEqual(report.runtime, null);
          const found = await answer(copy, inputOf(type));
          assert.equal(found.type, type);
          assert.ok(distance(found, await answer(file, inputOf(type))) < (bits === 8 ? 0.01 : 0.2));
        }
        // What is kept keeps its bytes.
        const half = join(folder, "half.onnx");
        await run(file, half, { bits: 8, layers: [{ glob: "head", bits: "keep", method: undefined }] });
        assert.deepEqual(initializerBytes(half, "head"), initializerBytes(file, "head"));
      });
    }
  }
}

test("a table of float16 is looked up and cast row by row", async t => {
  const folder = folderOf(t);
  const table = floatTensor("table", "float16", [50, 16], normal(800));
  const nodes = [node("Cast", ["x"], "ids", [intOf("to", DataType.int64)]), node("Gather", ["table", "ids"], "y")];
  const file = write(folder, nodes, [table], "float16", 4);
  const copy = join(folder, "c.onnx");
  const { layers, runtime } = await run(file, copy, {});
  assert.deepEqual(
    layers.map(layer => [layer.op, layer.bits, layer.bytesBefore, layer.bytesAfter]),
    [["Gather", 8, 1600, 800 + 4 * 50]],
  );
  assert.notEqual(runtime, null);
  const ids = { type: "float32", data: Float32Array.from([0, 3, 49, 7]) } as const;
  const input: Tensor = { type: "float16", dims: [1, 4], data: convertTo("float16", ids) };
  const [found, wanted] = [await answer(copy, input), await answer(file, input)];
  assert.equal(found.type, "float16");
  assert.ok(distance(found, wanted) < 0.01);
});

test("weights of bfloat16 behind a Cast are quantized, and the Cast is gone", async t => {
  const folder = folderOf(t);
  const stored = typed(floatTensor("w", "bfloat16", [INPUTS, HIDDEN], normal(INPUTS * HIDDEN)));
  const nodes = [node("Cast", ["w"], "wide", [intOf("to", DataType.float32)]), node("MatMul", ["x", "wide"], "y")];
  const file = write(folder, nodes, [stored], "float32");
  const copy = join(folder, "c.onnx");
  const { layers, runtime } = await run(file, copy, { bits: 8 });
  assert.deepEqual(
    layers.map(layer => [layer.tensor, layer.bytesBefore]),
    [["w", 2 * INPUTS * HIDDEN]],
  );
  assert.notEqual(runtime, null);
  assert.ok(modelIn(copy).graph.node.every(one => one.output[0] !== "wide"));
  assert.ok(distance(await answer(copy, inputOf("float32")), await answer(file, inputOf("float32"))) < 0.01);
});

test("a model that computes in bfloat16, which onnxruntime cannot run here, still gets a copy of its type", async t => {
  const folder = folderOf(t);
  const stored = floatTensor("w", "bfloat16", [INPUTS, HIDDEN], normal(INPUTS * HIDDEN));
  const file = write(folder, [node("MatMul", ["x", "w"], "y")], [stored], "bfloat16");
  const copy = join(folder, "c.onnx");
  const { layers, warnings } = await run(file, copy, { bits: 4 });
  assert.equal(layers.length, 1);
  assert.match(warnings.join(), /not run/);
  const last = modelIn(copy).graph.node.at(-2)!;
  assert.deepEqual([last.opType, Number(last.attribute[0]!.i)], ["Cast", DataType.bfloat16]);
});

const shape = (name: string, dims: readonly number[]): TensorProto =>
  tensor(name, "int64", [dims.length], BigInt64Array.from(dims, BigInt));
const kept = floatTensor("kept", "float32", [HIDDEN, OUTPUTS], normal(HIDDEN * OUTPUTS));
const ways: { what: string; type: FloatType; dims: number[]; nodes: NodeProto[]; tensors: TensorProto[] }[] = [
  {
    what: "Transpose",
    type: "float32",
    dims: [HIDDEN, INPUTS],
    nodes: [node("Transpose", ["w"], "value", [intsOf("perm", [1, 0])])],
    tensors: [],
  },
  {
    what: "Reshape with a -1",
    type: "float32",
    dims: [4, 6, HIDDEN],
    nodes: [node("Reshape", ["w", "shape"], "value")],
    tensors: [shape("shape", [-1, HIDDEN])],
  },
  {
    what: "Identity, Reshape, Transpose and Cast",
    type: "float16",
    dims: [HIDDEN, 2, 12],
    nodes: [
      node("Constant", [], "shape", [tensorOf("value", shape("", [0, INPUTS]))]),
      node("Identity", ["w"], "same"),
      node("Reshape", ["same", "shape"], "flat"),
      node("Transpose", ["flat"], "turned"),
      node("Cast", ["turned"], "value", [intOf("to", DataType.float32)]),
    ],
    tensors: [],
  },
];
for (const { what, type, dims, nodes, tensors } of ways) {
  test(`a weight behind ${what} is fitted as the layer reads it, and stays to the byte where it is left out`, async t => {
    const folder = folderOf(t);
    const stored = floatTensor("w", type, dims, normal(INPUTS * HIDDEN));
    const rest = [node("MatMul", ["x", "value"], "h"), node("MatMul", ["h", "kept"], "y")];
    const file = write(folder, [...nodes, ...rest], [stored, ...tensors, kept], "float32");
    for (const [bits, format] of [
      [8, "qdq"],
      [4, "packed"],
      [2, "packed"],
    ] as const) {
      const copy = join(folder, `${bits}.onnx`);
      const report = await run(file, copy, { bits, format, method: "gptq", synthetic: true, samples: 40 });
      assert.deepEqual(
        report.layers.map(layer => [layer.tensor, layer.inputs, layer.neurons, layer.rows > 0]),
        [
          ["w", INPUTS, HIDDEN, true],
          ["kept", HIDDEN, OUTPUTS, true],
        ],
      );
      assert.notEqual(report.runtime, null);
      const { graph } = modelIn(copy);
      const names = new Set([...graph.initializer.map(one => one.name), ...graph.node.flatMap(one => one.output)]);
      for (const gone of ["w", "value", "shape", "same", "flat", "turned"]) assert.ok(!names.has(gone), gone);
      if (bits === 8)
        assert.ok(distance(await answer(copy, inputOf("float32")), await answer(file, inputOf("float32"))) < 0.01);
    }
    const copy = join(folder, "left.onnx");
    await run(file, copy, { bits: 8, layers: [{ glob: "w", bits: "keep", method: undefined }] });
    const [before, after] = [modelIn(file).graph, modelIn(copy).graph];
    assert.deepEqual(initializerBytes(copy, "w"), initializerBytes(file, "w"));
    const chain = new Set(nodes.flatMap(one => one.output));
    const ofChain = (all: readonly NodeProto[]): NodeProto[] =>
      all.filter(one => one.output.some(name => chain.has(name)));
    assert.deepEqual(ofChain(after.node), ofChain(before.node));
  });
}
