import type { Bits } from "../../../../src/core/grid/alphabet";
import type { Linalg, Moments } from "../../../../src/core/linalg/linalg";
import type { Matrix64 } from "../../../../src/core/matrix";
import type { Choice } from "../../../../src/core/methods/layer";
import { networkPlan, type WalkPlan } from "../../../../src/core/methods/walkPlan";
import { readReference } from "./reference";

/** A layer of a case, as reference/network.py quantized it. */
export interface Step {
  seen?: number[][];
  Y?: number[][];
  order: number[];
  hessian: number[];
  "walk codes": number[][];
  codes: number[][];
  "start scale": number[];
  "start zero": number[];
  pilot: number;
  "walk scale": number[];
  "walk cost": number[];
  "pairs cost": number[];
  scale: number[];
  zero: number[];
  cost: number[];
  target?: number[][];
  mean: number[];
  error: number;
  bias?: number[];
}

interface Golden {
  inputs: number[][];
  layers: {
    weights: number[][];
    bias: number[] | null;
    relu: boolean;
    add: number | null;
    "float sum": number[][] | null;
  }[];
  cases: { bits: Bits; samples: number; "output dB": number; "whole dB": number; layers: Step[] }[];
  "no data": { bits: Bits; layers: { codes: number[][]; scale: number[]; zero: number[] }[] }[];
}

export const golden = readReference("golden_network") as Golden;
export const choiceOf = (bits: Bits): Choice => ({
  kind: "affine",
  bits,
  radius: "data",
  halfSteps: true,
  roundStep: step => step,
});

/** The reference has no plain rounding among its candidates. */
export function planOf(bits: Bits, inputs: number): WalkPlan {
  return { ...networkPlan(bits, inputs), rounding: false };
}

export async function momentsOf(X: Matrix64, Y: Matrix64, linalg: Linalg): Promise<Moments> {
  const sum = await linalg.moments(X.columns, Y.columns);
  // In two pieces, as a pipeline would.
  const half = Math.floor(X.rows / 2);
  for (const [from, to] of [
    [0, half],
    [half, X.rows],
  ] as const) {
    const rows = (of: Matrix64): Matrix64 => ({
      rows: to - from,
      columns: of.columns,
      data: of.data.subarray(from * of.columns, to * of.columns),
    });
    await sum.add(rows(X), rows(Y));
  }
  return sum.finish();
}
