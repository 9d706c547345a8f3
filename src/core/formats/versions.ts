import type { LayerOp } from "../graph/layers";
import type { Grid } from "./codes";
import type { Format } from "./copy";
import { qdqOpset } from "./qdq";

// Which onnxruntime computes what, measured on Linux x64, CPU (onnx.md, section 5, and `npm run bench:versions`): on 1.17.3,
// 1.20.1, 1.22.0, 1.23.2, 1.24.3, 1.25.1, 1.26.0, 1.27.0, 1.29.0 and 1.30.0. A release between two of those counts as the older.
// All that Whittle writes is right wherever it loads; what would load and be wrong it does not write.

/** onnxruntime 1.x, by x. */
export type Release = number;

/** The oldest that was tried. */
export const OLDEST_RELEASE: Release = 17;

/** The least release that loads models of an opset. */
export function leastForOpset(opset: number): Release {
  if (opset <= 20) return 17;
  if (opset <= 21) return 20;
  if (opset <= 22) return 22;
  return opset <= 24 ? 23 : 24;
}

/** The least release that computes a weight right as a format stores it, whatever the rest of its model asks for. */
export function leastForWeight(format: Format, op: LayerOp, grid: Grid): Release {
  if (format === "packed") return OLDEST_RELEASE;
  if (format === "qdq") return leastForOpset(qdqOpset(grid));
  if (op === "Gather") return grid.bits === 8 ? 23 : grid.bits === 4 ? 20 : 27;
  // Zero points of midrise are floats.
  const isMidrise = grid.alphabet === "midrise";
  if (grid.bits === 8) return 22;
  if (grid.bits === 4) return isMidrise ? 20 : 17;
  return isMidrise ? 27 : 24;
}

export function releaseName(release: Release): string {
  return `1.${release}`;
}

/** "1.24" or "1.24.3" as a release; undefined for what is no version of onnxruntime 1. */
export function releaseOf(version: string): Release | undefined {
  const minor = /^1\.(\d{1,3})(\.\d+)?$/.exec(version)?.[1];
  return minor === undefined ? undefined : Number(minor);
}
