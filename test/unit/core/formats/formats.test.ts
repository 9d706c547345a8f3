import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { formatChooser, impossible } from "../../../../src/core/formats/choose";
import type { Grid } from "../../../../src/core/formats/codes";
import { onWebGpu } from "../../../../src/core/formats/browsers";
import { type Format, FORMATS, type StoredLayer } from "../../../../src/core/formats/copy";
import { freshNames } from "../../../../src/core/formats/names";
import { blockSize } from "../../../../src/core/formats/nbits";
import { leastForWeight, releaseName, releaseOf } from "../../../../src/core/formats/versions";
import {
  ALL_BITS,
  ALPHABET_KINDS,
  type AlphabetKind,
  type Bits,
  levelCount,
} from "../../../../src/core/grid/alphabet";
import { packLevels, packRows } from "../../../../src/core/grid/pack";
import type { Layer } from "../../../../src/core/graph/layers";
import { node } from "../../../../src/core/onnx/build";
import type { Model } from "../../../../src/core/onnx/model";
import { tensor } from "../../../../src/core/onnx/tensors";
import { GraphProtoSchema, ModelProtoSchema } from "../../../../src/core/onnx/onnx_pb";

const grid = (over: Partial<Grid> = {}): Grid => ({
  alphabet: "affine",
  bits: 4,
  groupInputs: undefined,
  perTensor: false,
  ...over,
});

function layerOf(opType: string, over: Partial<Layer> = {}): Layer {
  const stored = tensor("w", "float32", [64, 32], new Float32Array(64 * 32));
  return {
    value: { name: "w", tensor: stored, path: ["w"], shape: [64, 32], type: "float32", steps: [] },
    type: "float32",
    bytes: 4 * 64 * 32,
    shared: false,
    readers: 1,
    home: null,
    nested: false,
    lookUps: [],
    name: opType,
    op: opType as Layer["op"],
    node: node(opType, ["x", "w"], "y"),
    tensor: "w",
    weightSlot: 1,
    shape: [64, 32],
    inputs: 64,
    neurons: 32,
    groups: 1,
    neuronsFirst: false,
    input: "x",
    window: null,
    bias: null,
    biasAt: null,
    ...over,
  };
}

/** A table that a node looks rows up in. */
const table: Partial<Layer> = { weightSlot: 0, neuronsFirst: true, lookUps: [node("Gather", ["w", "ids"], "y")] };

function modelOf(opset: number): Model {
  const graph = create(GraphProtoSchema, { name: "g", node: [node("MatMul", ["x", "w"], "y")] });
  return create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: "", version: BigInt(opset) }],
    graph,
  }) as Model;
}

test("rows that are packed one by one are those of a matrix whose rows fill their last byte", () => {
  const levels = Uint8Array.from({ length: 24 }, (_, k) => (k * 7) % 4);
  for (const bits of [2, 4] as const) {
    assert.deepEqual(packRows(levels, 8, bits), packLevels(levels, bits));
    // Four rows of 5 levels, each followed by what its last byte has left.
    const width = Math.ceil((5 * bits) / 8) * (8 / bits);
    const rows = levels.subarray(0, 20);
    const padded = Uint8Array.from({ length: 4 * width }, (_, k) =>
      k % width < 5 ? rows[Math.floor(k / width) * 5 + (k % width)]! : 0,
    );
    assert.deepEqual(packRows(rows, 5, bits), packLevels(padded, bits));
  }
  assert.deepEqual(packRows(levels, 5, 8), levels);
});

test("no other block size takes fewer bytes than the one that is chosen, and it divides the group", () => {
  const bytes = (inputs: number, size: number, bits: number): number =>
    Math.ceil(inputs / size) * ((size * bits) / 8 + 4);
  for (const inputs of [1, 15, 16, 17, 100, 255, 256, 257, 300, 784, 4096]) {
    for (const bits of [4, 8] as const) {
      const size = blockSize(inputs, grid({ bits, alphabet: "symmetric" }));
      for (const other of [16, 32, 64, 128, 256])
        assert.ok(bytes(inputs, size, bits) <= bytes(inputs, other, bits));
    }
    for (const groupInputs of [16, 48, 96, 512]) {
      for (const bits of [2, 4, 8] as const)
        assert.equal(groupInputs % blockSize(inputs, grid({ bits, groupInputs })), 0);
    }
  }
});

test("what is impossible names what is possible: the format it names stores the grid, and packed stores all but two", () => {
  for (const format of FORMATS) {
    for (const alphabet of ALPHABET_KINDS) {
      for (const bits of ALL_BITS) {
        for (const groupInputs of [undefined, 5, 32]) {
          const wish = grid({ alphabet, bits, groupInputs });
          const why = impossible(format, wish);
          if (why === undefined) continue;
          if (/use packed|or packed/.test(why)) assert.equal(impossible("packed", wish), undefined);
          else assert.ok(bits === 1 && (alphabet === "symmetric" || alphabet === "full"), why);
        }
      }
    }
  }
});

test("auto never takes a format that is newer than --least-ort, and without it takes qdq where that is fused", () => {
  const product = layerOf("MatMul");
  for (const opset of [13, 20]) {
    for (const bits of ALL_BITS) {
      for (const groupInputs of [undefined, 32, 40]) {
        const wish = grid({ bits, groupInputs, alphabet: bits === 1 ? "midrise" : "affine" });
        for (const leastOrt of ["1.17", "1.20", "1.23", "1.30"]) {
          const format = formatChooser(modelOf(opset), "auto", leastOrt)(product, wish);
          assert.ok(leastForWeight(format, "MatMul", wish) <= releaseOf(leastOrt)!);
        }
        const isFused = (bits === 4 || bits === 8) && groupInputs !== 40;
        assert.equal(formatChooser(modelOf(opset), "auto")(product, wish), isFused ? "qdq" : "packed");
      }
    }
  }
  for (const slow of [
    layerOf("MatMul", { weightSlot: 0 }),
    layerOf("MatMul", { shape: [2, 32, 32] }),
    layerOf("Gather", table),
  ]) {
    assert.equal(formatChooser(modelOf(21), "auto")(slow, grid()), "packed");
  }
});

test("nbits goes to another format layer by layer, and only where its operators cannot take the layer", () => {
  const choose = formatChooser(modelOf(21), "nbits");
  assert.equal(choose(layerOf("MatMul"), grid()), "nbits");
  assert.equal(choose(layerOf("MatMul", { shared: true, readers: 2 }), grid()), "packed");
  assert.equal(choose(layerOf("MatMul", { type: "float16" }), grid()), "packed");
  assert.equal(choose(layerOf("Conv", { shape: [32, 64, 1, 1] }), grid()), "qdq");
  assert.equal(choose(layerOf("Conv", { shape: [32, 64, 1, 1] }), grid({ bits: 2 })), "packed");
  assert.equal(choose(layerOf("Gather", table), grid({ bits: 8 })), "nbits");
});

test("versions of onnxruntime are read, and what is none is not", () => {
  assert.deepEqual(["1.17", "1.24.3", "1.30.0"].map(releaseOf), [17, 24, 30]);
  assert.deepEqual(
    ["", "1", "2.0", "1.x", "1.20-dev", "1.20.1.1", "v1.20"].map(releaseOf),
    Array(7).fill(undefined),
  );
  assert.equal(releaseName(releaseOf("1.24.3")!), "1.24");
});

test("2 bits in qdq is refused where onnxruntime would compute it wrong", () => {
  const choose = formatChooser(modelOf(25), "qdq");
  for (const neurons of [4, 8, 36]) assert.equal(choose(layerOf("MatMul", { neurons }), grid({ bits: 2 })), "qdq");
  for (const neurons of [1, 6, 10, 35])
    assert.throws(() => choose(layerOf("MatMul", { neurons }), grid({ bits: 2 })), /--format nbits or packed/);
});

test("of WebGPU a copy says which layers wait for the processor, and why", () => {
  const stored = (format: Format, kind: AlphabetKind, bits: Bits): StoredLayer => ({
    layer: layerOf("MatMul"),
    levels: () => new Uint8Array(64 * 32),
    bias: null,
    format,
    perTensor: false,
    alphabets: {
      kind,
      bits,
      levels: levelCount(kind, bits),
      groupInputs: undefined,
      steps: new Float64Array(32),
      zeroPoints: new Float64Array(32),
    },
  });
  const gpu = [stored("qdq", "affine", 4), stored("nbits", "affine", 2), stored("packed", "affine", 3)];
  assert.match(onWebGpu(gpu).reason, /All weights are unpacked or multiplied there/);
  assert.match(onWebGpu([stored("packed", "affine", 3)]).reason, /floats once the model is loaded/);
  for (const [other, why] of [
    [stored("qdq", "affine", 2), /1 of 4 layers wait .* DequantizeLinear of 2 bits/],
    [stored("nbits", "midrise", 4), /1 of 4 layers wait .* half zero points/],
  ] as const) {
    assert.match(onWebGpu([...gpu, other]).reason, why);
  }
});

test("a name that is asked for again and again is a new one each time", () => {
  const name = freshNames(new Set(["w", "w2"]));
  assert.deepEqual(["s", "s", "w", "w", "s2", "s"].map(name), ["s", "s2", "w3", "w4", "s22", "s3"]);
});
