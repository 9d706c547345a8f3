import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import type { Tensor } from "../../src/core/calibration/tensor";
import { putBack } from "../../src/core/formats/copy";
import type { Bits } from "../../src/core/grid/alphabet";
import { findLayers } from "../../src/core/graph/layers";
import { networkPlan } from "../../src/core/methods/walkPlan";
import { node, valueInfo } from "../../src/core/onnx/build";
import { type Model, readModel, writeModel } from "../../src/core/onnx/model";
import { GraphProtoSchema, ModelProtoSchema, type NodeProto, type TensorProto } from "../../src/core/onnx/onnx_pb";
import { tensor } from "../../src/core/onnx/tensors";
import { quantizeLayers } from "../../src/core/pipeline";
import { compareSessions } from "../../src/engine/compare";
import { planLayers } from "../../src/engine/plan";
import { openSession } from "../../src/engine/runtime";
import { openTensorStore } from "../../src/engine/tensorStore";
import { linalg, readReference } from "../unit/core/methods/reference";
import { usual } from "./run";

interface Golden {
  inputs: number[][];
  layers: { weights: number[][]; bias: number[] | null; relu: boolean; add: number | null }[];
  cases: { bits: Bits; samples: number; "whole dB": number }[];
}
const golden = readReference("golden_network") as Golden;

/** The reference's network as an ONNX model. */
function goldenModel(): Model {
  const nodes: NodeProto[] = [];
  const stored: TensorProto[] = [];
  const store = (name: string, dims: number[], values: number[]): string => {
    stored.push(tensor(name, "float32", dims, Float32Array.from(values)));
    return name;
  };
  const add = (...parts: Parameters<typeof node>): string => {
    nodes.push(node(...parts));
    return parts[2];
  };
  const tensors = ["x"];
  golden.layers.forEach(({ weights, bias, relu, add: addend }, k) => {
    const read = [tensors.at(-1)!, store(`w${k}`, [weights.length, weights[0]!.length], weights.flat())];
    let out = bias
      ? add("Gemm", [...read, store(`b${k}`, [bias.length], bias)], `layer${k}`)
      : add("MatMul", read, `layer${k}`);
    if (addend !== null) out = add("Add", [tensors[addend]!, out], `sum${k}`);
    if (relu) out = add("Relu", [out], `relu${k}`);
    tensors.push(out);
  });
  const graph = create(GraphProtoSchema, {
    name: "golden",
    node: nodes,
    initializer: stored,
    input: [valueInfo("x", "float32")],
    output: [valueInfo(tensors.at(-1)!, "float32")],
  });
  const model = create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ domain: "", version: 13n }], graph });
  return readModel(writeModel(model), "made here");
}

const open = (model: Parameters<typeof openSession>[0]) => openSession(model, { weightsAlone: true, threads: 1 });

for (const { bits, samples, "whole dB": wholeDb } of golden.cases) {
  test(`the pipeline on onnxruntime gives the reference's dB for the whole network: ${bits} bits, ${samples} samples`, async () => {
    const model = goldenModel();
    const { index, layers } = findLayers(model);
    const options = { ...usual, bits, method: "maly-saab", alphabet: bits === 1 ? "midrise" : "affine" } as const;
    // The reference has no plain rounding among its candidates.
    const plans = planLayers(layers, index, options, true, () => "packed").plans.map(plan => ({
      ...plan,
      plan: { ...networkPlan(bits, plan.layer.inputs), rounding: false },
    }));
    const rows = golden.inputs.slice(0, samples);
    const x: Tensor = { type: "float32", dims: [samples, rows[0]!.length], data: Float32Array.from(rows.flat()) };
    const { keep } = openTensorStore(Infinity);
    const feeds = { fitted: [new Map([["x", await keep(x)]])], heldOut: [] };
    const fitted = await quantizeLayers(
      model,
      index,
      plans,
      feeds,
      { inputs: "quantized", seed: 0 },
      { open, keep, linalg, clock: () => 0, timed: (_, work) => work(), onStart: () => {}, onLayer: () => {} },
    );
    const copy = await open(
      putBack(
        model,
        fitted.map(one => one.codes),
      ),
    );
    const float = await open(model);
    const [output] = await compareSessions(float, copy, feeds.fitted);
    await Promise.all([float.release(), copy.release()]);
    assert.ok(Math.abs(output!.sqnrDb! - wholeDb) < 0.02, `${output!.sqnrDb} dB, reference ${wholeDb}`);
  });
}
