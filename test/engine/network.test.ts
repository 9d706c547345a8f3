import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tensor } from "../../src/core/calibration/tensor";
import { putBack } from "../../src/core/formats/copy";
import { findLayers } from "../../src/core/graph/layers";
import { networkPlan } from "../../src/core/methods/walkPlan";
import { quantizeLayers } from "../../src/core/pipeline";
import { compareNetworks } from "../../src/engine/compare";
import { openNetwork } from "../../src/engine/network";
import { planLayers } from "../../src/engine/plan";
import { openTensorStore } from "../../src/engine/tensorStore";
import { golden, goldenModel, plainParts } from "./goldenNetwork";
import { usual } from "./run";

for (const { bits, samples, "whole dB": wholeDb } of golden.cases) {
  test(`the pipeline on onnxruntime gives the reference's dB for the whole network: ${bits} bits, ${samples} samples`, async () => {
    const model = goldenModel();
    const { index, layers } = findLayers(model);
    const options = { ...usual, bits, method: "maly-saab", alphabet: bits === 1 ? "midrise" : "affine" } as const;
    // The reference has no plain rounding among its candidates.
    const plans = planLayers(layers, options, true, () => "packed").plans.map(plan => ({
      ...plan,
      plan: { ...networkPlan(bits, plan.layer.inputs), rounding: false },
    }));
    const rows = golden.inputs.slice(0, samples);
    const x: Tensor = { type: "float32", dims: [samples, rows[0]!.length], data: Float32Array.from(rows.flat()) };
    const { keep } = openTensorStore(Infinity);
    const parts = plainParts(keep);
    const feeds = { fitted: [new Map([["x", await keep(x)]])], heldOut: [] };
    const fitted = await quantizeLayers(model, index, plans, feeds, { inputs: "quantized", seed: 0 }, parts);
    const quantized = putBack(
      model,
      fitted.map(one => one.codes),
    );
    const alone = { weightsAlone: true, threads: 1 };
    const [float, copy] = [await openNetwork(model, alone, null), await openNetwork(quantized, alone, null)];
    const [output] = await compareNetworks(float, copy, feeds.fitted);
    await Promise.all([float.release(), copy.release()]);
    assert.ok(Math.abs(output!.sqnrDb! - wholeDb) < 0.02, `${output!.sqnrDb} dB, reference ${wholeDb}`);
  });
}
