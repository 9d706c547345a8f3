import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { DataType } from "../../../../src/core/onnx/dataTypes";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type NodeProto,
  NodeProtoSchema,
} from "../../../../src/core/onnx/onnx_pb";
import { irVersionFor, whatChanged } from "../../../../src/core/onnx/opsets";

type Value = number | readonly number[] | string;

function attribute(name: string, value: Value): AttributeProto {
  if (typeof value === "string") return create(AttributeProtoSchema, { name, s: new TextEncoder().encode(value) });
  if (typeof value === "number") return create(AttributeProtoSchema, { name, i: BigInt(value) });
  return create(AttributeProtoSchema, { name, ints: value.map(BigInt) });
}

function node(opType: string, attributes: Record<string, Value> = {}, input = ["x"], output = ["y"]): NodeProto {
  const given = Object.entries(attributes).map(([name, value]) => attribute(name, value));
  return create(NodeProtoSchema, { opType, attribute: given, input, output });
}

const same: readonly [sentence: string, from: number, to: number, node: NodeProto][] = [
  ["an operator that only took on more types is the same", 7, 25, node("MatMul")],
  ["an attribute that is new and left out has its old meaning", 7, 25, node("LSTM", { hidden_size: 4 })],
  ["attributes that never changed do not matter", 7, 25, node("Conv", { strides: [2, 2], auto_pad: "SAME_UPPER" })],
  ["a dropout that names no ratio and no mask is the same", 7, 25, node("Dropout")],
  ["a mask that is left out by an empty name is no mask", 7, 25, node("Dropout", {}, ["x"], ["y", ""])],
  ["a batch normalization with one output is the same", 7, 25, node("BatchNormalization", { epsilon: 1 })],
  ["a clip without bounds is the same", 7, 25, node("Clip")],
  ["a softmax along the last axis, counted from the end, is the same", 11, 25, node("Softmax", { axis: -1 })],
  ["a softmax that already has the new meaning is the same", 13, 25, node("Softmax", { axis: 1 })],
  ["a sum over every axis is the same", 7, 25, node("ReduceSum", { keepdims: 0 })],
  ["a mean over some axes is the same before opset 18", 7, 17, node("ReduceMean", { axes: [1] })],
  ["a squeeze of every axis of length 1 is the same", 7, 25, node("Squeeze")],
  ["a split into equal parts is the same before opset 18", 7, 17, node("Split", { axis: 1 }, ["x"], ["a", "b"])],
  ["a split by lengths stays valid", 13, 25, node("Split", {}, ["x", "lengths"], ["a", "b"])],
  ["a split that names how many parts stays valid", 18, 25, node("Split", { num_outputs: 2 }, ["x"], ["a", "b"])],
  ["a resize by factors is the same", 11, 25, node("Resize", { mode: "linear" }, ["x", "roi", "scales"])],
  ["a resize to a size without factors is the same", 11, 25, node("Resize", {}, ["x", "roi", "", "sizes"])],
  ["a grid sample that names no mode is the same", 16, 25, node("GridSample")],
  ["a transposed convolution with explicit pads is the same", 7, 25, node("ConvTranspose", { pads: [1, 1, 1, 1] })],
  [
    "a pool that rounds down is the same",
    7,
    25,
    node("MaxPool", { kernel_shape: [2], strides: [2], pads: [1, 1] }),
  ],
  [
    "a pool that rounds up is the same if no window can start in the padding",
    10,
    25,
    node("MaxPool", { ceil_mode: 1, kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1] }),
  ],
  ["a convolution of opset 6 is the same", 6, 13, node("Conv")],
  ["a cast to float16 is the same", 7, 25, node("Cast", { to: DataType.float16 })],
  ["an operator nobody knows is the same where the opset stays", 26, 26, node("Mystery")],
];

for (const [sentence, from, to, one] of same)
  test(sentence, () => assert.equal(whatChanged([one], from, to), undefined));

const changed: readonly [sentence: string, from: number, to: number, node: NodeProto, opset: number][] = [
  ["a per-feature batch normalization has no successor", 7, 13, node("BatchNormalization", { spatial: 0 }), 9],
  [
    "a batch normalization in training is told another way",
    9,
    14,
    node("BatchNormalization", {}, ["x"], ["y", "m"]),
    14,
  ],
  ["an upsampling takes its factors as an input, then is gone", 7, 13, node("Upsample", { scales: [] }), 9],
  ["an upsampling with its factors as an input is gone too", 9, 13, node("Upsample", {}, ["x", "scales"]), 10],
  ["a slice takes its bounds as inputs", 9, 10, node("Slice", { starts: [0], ends: [1] }), 10],
  ["a top-k takes k as an input", 7, 13, node("TopK", { k: 3 }), 10],
  ["a dropout that gives its mask changes the mask's type", 7, 13, node("Dropout", {}, ["x"], ["y", "mask"]), 10],
  ["a dropout takes its ratio as an input", 7, 13, node("Dropout", { ratio: 1 }), 12],
  ["a clip takes its bounds as inputs", 7, 13, node("Clip", { max: 6 }), 11],
  ["a pad takes its widths as an input", 7, 13, node("Pad", { pads: [0, 1] }), 11],
  ["a resize of opset 10 has its factors elsewhere", 10, 13, node("Resize", {}, ["x", "scales"]), 11],
  [
    "a resize with both factors and a size is refused",
    11,
    13,
    node("Resize", {}, ["x", "roi", "scales", "sizes"]),
    13,
  ],
  [
    "a transposed convolution to a given shape pads the other side",
    7,
    13,
    node("ConvTranspose", { output_shape: [8] }),
    11,
  ],
  ["a negative index of a one-hot code counts from the end", 9, 13, node("OneHot"), 11],
  ["a softmax of unknown rank may mean something else", 12, 13, node("Softmax", { axis: 1 }), 13],
  ["a softmax without an axis may mean something else", 7, 13, node("LogSoftmax"), 13],
  ["a hardmax changes with the softmax", 7, 13, node("Hardmax"), 13],
  ["a sum takes its axes as an input", 12, 13, node("ReduceSum", { axes: [1] }), 13],
  ["the other reductions follow at opset 18", 13, 21, node("ReduceMean", { axes: [1] }), 18],
  ["an unsqueeze takes its axes as an input", 7, 25, node("Unsqueeze", { axes: [0] }), 13],
  ["a split takes its lengths as an input", 7, 21, node("Split", { split: [1, 2] }, ["x"], ["a", "b"]), 13],
  ["a split into equal parts must say how many", 13, 18, node("Split", {}, ["x"], ["a", "b"]), 18],
  ["a region is aligned half a pixel away", 10, 21, node("RoiAlign"), 16],
  ["a Fourier transform goes along another axis", 17, 21, node("DFT"), 20],
  ["a bilinear grid sample is called linear", 16, 21, node("GridSample", { mode: "bilinear" }), 20],
  ["a group normalization scales channels, not groups", 18, 21, node("GroupNormalization", { num_groups: 2 }), 21],
  [
    "a pool that rounds up drops windows that start in the padding",
    10,
    25,
    node("MaxPool", { ceil_mode: 1, kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 1] }),
    22,
  ],
  ["a cast of infinity to an 8-bit type changes", 19, 25, node("Cast", { to: DataType.float8e4m3fnuz }), 24],
  ["an operator used before it existed is not known", 11, 21, node("Gelu"), 20],
  ["an unknown operator is not known to be the same", 7, 13, node("Mystery"), 13],
  ["nothing is known of opsets before 6", 5, 13, node("Relu"), 13],
  ["a sum of opset 6 is broadcast by attributes", 6, 7, node("Add"), 7],
  ["the sine came with opset 7", 6, 13, node("Sin"), 7],
  ["nothing is known of opsets after 25", 13, 26, node("Relu"), 26],
  ["nothing is known of lowering a model", 21, 13, node("Relu"), 13],
];

for (const [sentence, from, to, one, opset] of changed)
  test(sentence, () => {
    const change = whatChanged([one], from, to);
    assert.deepEqual([change?.opType, change?.opset], [one.opType, opset]);
    assert.ok(change?.reason);
  });

test("a model without nodes can be raised", () => assert.equal(whatChanged([], 7, 25), undefined));

test("the first operator that changes is named, and why", () => {
  const nodes = [node("Relu"), node("ReduceSum", { axes: [1] }), node("Slice")];
  assert.deepEqual(whatChanged(nodes, 9, 13), { opType: "ReduceSum", opset: 13, reason: "axes is an input" });
});

test("an attribute that a function takes from its caller counts as the value that changes", () => {
  const mode = create(AttributeProtoSchema, { name: "mode", refAttrName: "mode" });
  const sample = create(NodeProtoSchema, { opType: "GridSample", attribute: [mode] });
  assert.equal(whatChanged([sample], 16, 21)?.opset, 20);
});

test("if a model may be raised in one step, it may be raised in two", () => {
  for (const [, from, to, one] of same)
    for (let between = from; between <= to; between++) {
      assert.equal(whatChanged([one], from, between), undefined);
      assert.equal(whatChanged([one], between, to), undefined);
    }
});

test("the IR version is the one ONNX released with the opset", () => {
  const released = [
    [1, 3],
    [8, 3],
    [9, 4],
    [10, 5],
    [11, 6],
    [12, 7],
    [13, 7],
    [14, 7],
    [15, 8],
    [18, 8],
    [19, 9],
    [20, 9],
    [21, 10],
    [22, 10],
    [23, 11],
    [24, 12],
    [25, 13],
    [27, 13],
  ] as const;
  assert.deepEqual(
    released.map(([opset]) => [opset, irVersionFor(opset)]),
    released.map(row => [...row]),
  );
});
