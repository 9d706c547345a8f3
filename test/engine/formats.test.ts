import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { UsageError } from "../../src/cli/options";
import { Failure } from "../../src/core/failure";
import type { Format } from "../../src/core/formats/copy";
import { type Model, opsetOf, readModel } from "../../src/core/onnx/model";
import { tensor } from "../../src/core/onnx/tensors";
import type { QuantizeOptions } from "../../src/engine/options";
import { quantize } from "../../src/engine/quantize";
import { openSession } from "../../src/engine/runtime";
import { arraysBeside, bytesOf, distance, folderOf } from "./files";
import { quiet, run, runWords, usual } from "./run";
import { lookUp, table, weights, WIDTH, writeTableModel } from "./tableModel";

// Every copy is compared with its dequantized weights before it is kept (checkCopy): weights alone to 1e-4, and in a default
// session. A run that ends well has shown that what it wrote is right.

const at = (name: string): string => `test/data/awkward/${name}.onnx`;
const written = (file: string): Model => readModel(bytesOf(file), file);
const operators = (model: Model): string[] => model.graph.node.map(node => node.opType);

/** Models, and which of their layers `nbits` leaves to another format. */
const models: readonly (readonly [name: string, others: readonly string[]])[] = [
  ["mlp_opset07", []],
  ["mlp_opset13", []],
  ["mlp_opset21", []],
  ["odd_shapes", []],
  ["gemm_transB1", []],
  ["gemm_nobias_scalarC", []],
  ["gemm_transB0_alpha_beta", ["Gemm"]],
  ["matmul_batched_weight", ["MatMul"]],
  ["matmul_weight_left", ["MatMul"]],
  ["ir3_initializers_as_inputs", []],
  ["conv_bn_relu_pool_fc", ["Conv"]],
  ["lstm_gru_rnn", ["LSTM", "GRU", "RNN"]],
];

for (const [name, others] of models) {
  test(`${name} in nbits: MatMulNBits for products with a stored matrix on the right, another format for the rest`, async t => {
    const folder = folderOf(t);
    for (const bits of [2, 4, 8] as const) {
      for (const alphabet of ["symmetric", "full", "affine", "midrise"] as const) {
        if (bits === 8 && alphabet === "midrise") continue;
        const copy = join(folder, `${bits}${alphabet}.onnx`);
        const { layers, runtime } = await run(at(name), copy, { format: "nbits", bits, alphabet });
        assert.ok(layers.length > 0);
        for (const { op, format } of layers)
          assert.equal(format === "nbits", !others.includes(op), `${op} ${format}`);
        const model = written(copy);
        const products = model.graph.node.filter(node => node.opType === "MatMulNBits");
        assert.equal(products.length, layers.filter(layer => layer.format === "nbits").length);
        if (products.length === 0) continue;
        assert.ok(products.every(node => node.domain === "com.microsoft"));
        assert.equal(opsetOf(model, "com.microsoft"), 1);
        if (others.length === 0) assert.equal(runtime!.opset, opsetOf(written(at(name))));
      }
    }
  });
}

const storages: readonly Partial<QuantizeOptions>[] = [
  ...([2, 4, 8] as const).flatMap(bits =>
    [16, 48, 32, 512].map(group => ({ format: "nbits" as const, bits, group })),
  ),
  ...([4, 8] as const).flatMap(bits => [5, 16, 32, 100].map(group => ({ format: "qdq" as const, bits, group }))),
  ...(["qdq", "nbits", "packed"] as const).flatMap(format =>
    ([4, 8] as const).map(bits => ({ format, bits, perTensor: true })),
  ),
  { format: "qdq", bits: 4, perTensor: true, group: 16 },
  { format: "packed", bits: 3, perTensor: true, group: 10 },
  { format: "packed", bits: 1, perTensor: true },
];

for (const storage of storages) {
  test(`${JSON.stringify(storage)}: copies compute their dequantized weights, and a dry run foresees their size`, async t => {
    const folder = folderOf(t);
    for (const name of [
      "mlp_opset13",
      "odd_shapes",
      "gemm_transB1",
      "conv_grouped",
      "conv1d",
      "matmul_batched_weight",
    ]) {
      const options = { ...usual, ...storage };
      const job = { model: at(name), output: join(folder, `${name}.onnx`), overwrite: false, threads: 1, options };
      const planned = await quantize({ ...job, dryRun: true }, quiet);
      const done = await quantize({ ...job, dryRun: false }, quiet);
      assert.ok(done.layers.length > 0);
      assert.equal(done.bytesAfter, planned.bytesAfter);
      assert.deepEqual(
        done.layers.map(({ format, bytesAfter }) => [format, bytesAfter]),
        planned.layers.map(({ format, bytesAfter }) => [format, bytesAfter]),
      );
    }
  });
}

test("neurons without weights, the first one too, cost a copy nothing in any format", async t => {
  const folder = folderOf(t);
  const silent = tensor(
    "head",
    "float32",
    [WIDTH, 10],
    Float32Array.from(weights(WIDTH * 10), (w, k) => (k % 10 < 2 ? 0 : w)),
  );
  const file = writeTableModel(folder, lookUp(), [table, silent]);
  for (const format of ["packed", "qdq", "nbits"] as const) {
    for (const alphabet of ["symmetric", "affine", "full"] as const) {
      const job = { model: file, output: join(folder, `${format}${alphabet}.onnx`), overwrite: false, threads: 1 };
      const options = { ...usual, format, alphabet, bits: 8 as const };
      const planned = await quantize({ ...job, dryRun: true, options }, quiet);
      assert.equal((await quantize({ ...job, dryRun: false, options }, quiet)).bytesAfter, planned.bytesAfter);
    }
  }
});

test("the same codes in every format give the same outputs", async t => {
  const folder = folderOf(t);
  for (const options of [
    { bits: 4, alphabet: "affine" },
    { bits: 8, alphabet: "symmetric" },
    { bits: 4, alphabet: "full", group: 16 },
  ] as const) {
    const outputs = await Promise.all(
      (["packed", "qdq", "nbits"] as const).map(async format => {
        const copy = join(folder, `${format}${options.bits}${options.alphabet}.onnx`);
        await run(at("mlp_opset21"), copy, { ...options, format });
        const session = await openSession(written(copy), { weightsAlone: true, threads: 1 });
        const [output] = (await session.run(arraysBeside(at("mlp_opset21"), "in"))).values();
        await session.release();
        return output!;
      }),
    );
    for (const other of outputs.slice(1)) assert.ok(distance(other, outputs[0]!) < 1e-5);
  }
});

test("one scale and one zero point are stored where all neurons share an alphabet", async t => {
  const folder = folderOf(t);
  const bytes = async (format: Format, bits: 4 | 8): Promise<number[]> => {
    const { layers } = await run("samples/mnist_mlp.onnx", join(folder, `${format}${bits}.onnx`), {
      format,
      bits,
      perTensor: true,
    });
    return layers.map(layer => layer.bytesAfter);
  };
  const weights = [784 * 500, 500 * 300, 300 * 10];
  assert.deepEqual(
    await bytes("qdq", 8),
    weights.map(count => count + 5),
  );
  assert.deepEqual(
    await bytes("qdq", 4),
    weights.map(count => count / 2 + 5),
  );
  assert.deepEqual(
    await bytes("packed", 4),
    weights.map(count => count / 2 + 5),
  );
});

test("what blocks repeat counts: an alphabet a neuron takes a scale a block, and blocks are padded", async t => {
  const { layers } = await run("samples/mnist_mlp.onnx", join(folderOf(t), "c.onnx"), { format: "nbits", bits: 8 });
  // 784 inputs: 13 blocks of 64 and their scales; 500: 2 of 256; 300: 5 of 64.
  assert.deepEqual(
    layers.map(layer => layer.bytesAfter),
    [500 * 13 * (64 + 4), 300 * 2 * (256 + 4), 10 * 5 * (64 + 4)],
  );
});

test("2 bits in qdq where a layer's neurons are a multiple of 4, and bad usage elsewhere", async t => {
  const folder = folderOf(t);
  const words = ["samples/mnist_mlp.onnx", "--method", "msq", "--samples", "20", "--format", "qdq", "--bits", "2"];
  await assert.rejects(runWords(...words, "-o", join(folder, "a.onnx")), (error: unknown) => {
    assert.ok(error instanceof Failure && error.code === "format-impossible");
    assert.match(error.message, /net\.4.*has 10.*--format nbits or packed/);
    return true;
  });
  const { layers, runtime } = await runWords(...words, "--exclude", "*net.4*", "-o", join(folder, "b.onnx"));
  assert.deepEqual(
    layers.map(layer => layer.format),
    ["qdq", "qdq"],
  );
  assert.deepEqual([runtime!.opset, runtime!.irVersion, runtime!.leastOnnxruntime], [25, 13, "1.24"]);
});

test("--least-ort: auto takes a format that loads there, and what does not is bad usage that names what works", async t => {
  const folder = folderOf(t);
  let made = 0;
  const quantized = async (...words: string[]) => {
    const copy = join(folder, `${made++}.onnx`);
    const { layers, runtime } = await runWords("samples/mnist_mlp.onnx", "--method", "msq", "-o", copy, ...words);
    return [layers[0]!.format, runtime!.leastOnnxruntime];
  };
  assert.deepEqual(await quantized("--least-ort", "1.17"), ["packed", "1.17"]);
  assert.deepEqual(await quantized("--least-ort", "1.20.1"), ["qdq", "1.20"]);
  assert.deepEqual(await quantized("--least-ort", "1.17", "--bits", "8"), ["qdq", "1.17"]);
  assert.deepEqual(await quantized("--least-ort", "1.17", "--bits", "8", "--group", "32"), ["packed", "1.17"]);
  assert.deepEqual(await quantized("--least-ort", "1.17", "--format", "nbits"), ["nbits", "1.17"]);
  for (const [words, sentence] of [
    [
      ["--format", "qdq"],
      /qdq at 4 bits needs onnxruntime 1.20; for --least-ort 1.17 use --format nbits or packed/,
    ],
    [["--format", "nbits", "--bits", "8"], /needs onnxruntime 1.22; .* use --format qdq or packed/],
    [["--format", "nbits", "--bits", "2"], /needs onnxruntime 1.24; .* use --format packed/],
    [["--format", "nbits", "--alphabet", "midrise"], /needs onnxruntime 1.20; .* use --format packed/],
  ] as const) {
    await assert.rejects(quantized("--least-ort", "1.17", ...words), (error: unknown) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, sentence);
      return true;
    });
  }
  await assert.rejects(
    run(at("mlp_opset21"), join(folder, "x.onnx"), { leastOrt: "1.17" }),
    /opset 21.*--least-ort 1\.20/,
  );
});

test("a Gemm in qdq only multiplies, so that onnxruntime does not make one node of it and the Relu behind it", async t => {
  const copy = join(folderOf(t), "c.onnx");
  await run("samples/mnist_mlp.onnx", copy, { format: "qdq" });
  assert.deepEqual(operators(written(copy)).slice(4), [
    "Gemm",
    "Add",
    "Relu",
    "Gemm",
    "Add",
    "Relu",
    "Gemm",
    "Add",
  ]);
});

test("a copy in nbits run again changes nothing", async t => {
  const folder = folderOf(t);
  const [once, twice] = [join(folder, "1.onnx"), join(folder, "2.onnx")];
  await run("samples/mnist_mlp.onnx", once, { format: "nbits" });
  const { layers } = await run(once, twice, { format: "nbits" });
  assert.equal(layers.length, 0);
  assert.deepEqual(readFileSync(twice), readFileSync(once));
});

test("half zero points in nbits are said to be slow, whole ones are not", async t => {
  const folder = folderOf(t);
  const warned = async (alphabet: "affine" | "midrise"): Promise<boolean> => {
    const { warnings } = await run(at("mlp_opset13"), join(folder, alphabet), { format: "nbits", alphabet });
    return warnings.some(one => /unpacks weights of MatMulNBits .* at every run/.test(one));
  };
  assert.deepEqual([await warned("affine"), await warned("midrise")], [false, true]);
});

/** Bytes of nodes, names and shapes a layer may add; a table of `packed` and what was done come once. */
const GRAPH_BYTES = { layer: 320, copy: 1000 };

for (const [format, bits] of [
  ["qdq", 8],
  ["qdq", 4],
  ["nbits", 2],
  ...([8, 4, 3, 2, 1] as const).map(width => ["packed", width] as const),
] as const) {
  test(`a copy in ${format} of ${bits} bits takes few bytes beside its codes, scales and zero points`, async t => {
    const copy = join(folderOf(t), "c.onnx");
    const report = await run("samples/mnist_mlp.onnx", copy, { format, bits });
    const stored = report.layers.reduce(
      (bytes, one) => bytes + one.bytesAfter - one.bytesBefore,
      report.bytesBefore,
    );
    assert.ok(report.bytesAfter - stored < GRAPH_BYTES.copy + GRAPH_BYTES.layer * report.layers.length);
  });
}
