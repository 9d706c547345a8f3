import { create } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { test } from "node:test";
import { storedValue, valuesOf } from "../../../../src/core/graph/storedValues";
import { indexGraph } from "../../../../src/core/graph/uses";
import { intOf, intsOf, node, tensorOf } from "../../../../src/core/onnx/build";
import { DataType } from "../../../../src/core/onnx/dataTypes";
import { GraphProtoSchema, type NodeProto, type TensorProto } from "../../../../src/core/onnx/onnx_pb";
import { tensor } from "../../../../src/core/onnx/tensors";

const counted = Float32Array.from({ length: 24 }, (_, at) => at);
const weight = tensor("w", "float32", [2, 3, 4], counted);

function valueOf(nodes: NodeProto[], initializer: TensorProto[] = [weight]) {
  return storedValue("v", indexGraph(create(GraphProtoSchema, { name: "g", node: nodes, initializer })));
}

const shape = (dims: readonly number[], name = "shape"): TensorProto =>
  tensor(name, "int64", [dims.length], BigInt64Array.from(dims, BigInt));

for (const order of [[2, 1, 0], [0, 2, 1], [1, 2, 0], undefined] as const) {
  test(`a Transpose by [${order?.join() ?? "nothing, which turns all axes over"}] moves every number to where ONNX says`, () => {
    const value = valueOf([node("Transpose", ["w"], "v", order ? [intsOf("perm", order)] : [])])!;
    const axes = order ?? [2, 1, 0];
    const dims = axes.map(axis => [2, 3, 4][axis]!);
    assert.deepEqual(value.shape, dims);
    const values = valuesOf(value);
    // Output [i, j, k] is the input at the place whose axis order[0] is i, order[1] is j, order[2] is k.
    for (let place = 0; place < 24; place++) {
      const out = [
        Math.floor(place / (dims[1]! * dims[2]!)),
        Math.floor(place / dims[2]!) % dims[1]!,
        place % dims[2]!,
      ];
      const at = [0, 0, 0];
      axes.forEach((axis, k) => (at[axis] = out[k]!));
      assert.equal(values[place], at[0]! * 12 + at[1]! * 4 + at[2]!);
    }
  });
}

const reshapes: { wish: number[]; becomes: number[] | undefined }[] = [
  { wish: [6, 4], becomes: [6, 4] },
  { wish: [0, -1], becomes: [2, 12] },
  { wish: [-1], becomes: [24] },
  { wish: [5, -1], becomes: undefined },
  { wish: [25], becomes: undefined },
];
for (const { wish, becomes } of reshapes) {
  test(`a Reshape to [${wish.join()}] gives ${becomes ? `[${becomes.join()}]` : "nothing that is known"}`, () => {
    const stored = valueOf([node("Reshape", ["w", "shape"], "v")], [weight, shape(wish)]);
    const held = valueOf([
      node("Constant", [], "shape", [tensorOf("value", shape(wish, ""))]),
      node("Reshape", ["w", "shape"], "v"),
    ]);
    for (const value of [stored, held]) {
      assert.deepEqual(value?.shape, becomes);
      if (value) assert.deepEqual(valuesOf(value), counted);
    }
  });
}

test("a Cast rounds as the runtime does, and the way tells all that led to the value", () => {
  const third = tensor("w", "float32", [1], Float32Array.of(1 / 3));
  const nodes = [
    node("Identity", ["w"], "same"),
    node("Cast", ["same"], "half", [intOf("to", DataType.float16)]),
    node("Cast", ["half"], "v", [intOf("to", DataType.float32)]),
  ];
  const value = valueOf(nodes, [third])!;
  assert.deepEqual([...valuesOf(value)], [1365 / 4096]);
  assert.equal(value.type, "float32");
  assert.deepEqual(value.path, ["w", "same", "half", "v"]);
});

test("numbers of a Constant node are known under the name of its output", () => {
  const floats = { $typeName: "onnx.AttributeProto", name: "value_floats", floats: [1, 2, 3] } as const;
  const constant = node("Constant", [], "v");
  constant.attribute.push(
    Object.assign(tensorOf("value_floats", weight), { t: undefined, floats: [...floats.floats] }),
  );
  assert.deepEqual([...valuesOf(valueOf([constant])!)], [1, 2, 3]);
});

test("what is made of two tensors, of codes, or by a model-run is no stored value", () => {
  const codes = tensor("w", "int8", [4], new Int8Array(4));
  assert.equal(valueOf([node("Add", ["w", "w"], "v")]), undefined);
  assert.equal(valueOf([node("Cast", ["w"], "v", [intOf("to", DataType.float32)])], [codes]), undefined);
  assert.equal(valueOf([node("Transpose", ["x"], "v")]), undefined);
});
