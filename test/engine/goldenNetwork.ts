import { create } from "@bufbuild/protobuf";
import { type Keep, keptInMemory } from "../../src/core/calibration/kept";
import type { Bits } from "../../src/core/grid/alphabet";
import { node, valueInfo } from "../../src/core/onnx/build";
import { type Model, readModel, writeModel } from "../../src/core/onnx/model";
import { GraphProtoSchema, ModelProtoSchema, type NodeProto, type TensorProto } from "../../src/core/onnx/onnx_pb";
import { tensor } from "../../src/core/onnx/tensors";
import type { Parts } from "../../src/core/pipeline";
import { openSession } from "../../src/engine/runtime";
import { linalg, readReference } from "../unit/core/methods/reference";

interface Golden {
  inputs: number[][];
  layers: { weights: number[][]; bias: number[] | null; relu: boolean; add: number | null }[];
  cases: { bits: Bits; samples: number; "whole dB": number }[];
}
export const golden = readReference("golden_network") as Golden;

/** The reference's network as an ONNX model. */
export function goldenModel(): Model {
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

/** What the pipeline needs of the world, in its plain form. */
export function plainParts(keep: Keep): Parts {
  return {
    open: model => openSession(model, { weightsAlone: true, threads: 1 }),
    keep,
    keepLevels: tensor => Promise.resolve(keptInMemory(tensor)),
    linalg,
    clock: () => 0,
    timed: (_, work) => work(),
    onStart: () => {},
    onLayer: () => {},
  };
}
