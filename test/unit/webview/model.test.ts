import assert from "node:assert/strict";
import { test } from "node:test";
import type { Skipped } from "../../../src/core/graph/skipped";
import type { InspectedLayer } from "../../../src/engine/inspect";
import { filterLayers, layerRows, sortLayers } from "../../../webview/model/layers";
import { reasonsOf } from "../../../webview/shared/skipped";

const layers = (
  [
    { name: "conv_10", op: "Conv", tensor: "w10", shape: [8, 4, 3, 3], bytes: 1152 },
    { name: "conv_9", op: "Conv", tensor: "w9", shape: [8, 4, 1, 1], bytes: 128 },
    { name: "fc", op: "Gemm", tensor: "head.weight", shape: [10, 100], bytes: 4000 },
  ] as const
).map((layer): InspectedLayer => ({ ...layer, inputs: 1, neurons: 1, groups: 1 }));
const rows = layerRows({ layers, bytes: 8000 });
const names = (some: typeof rows): string => some.map(row => row.layer.name).join(" ");

test("shares are of the file, bars of the largest layer", () => {
  assert.equal(rows[2]!.share, 0.5);
  assert.equal(rows[2]!.bar, 1);
  assert.equal(rows[0]!.parameters, 288);
});

test("layers sort by every column, both ways", () => {
  assert.equal(names(sortLayers(rows, { by: "bytes", down: true })), "fc conv_10 conv_9");
  assert.equal(names(sortLayers(rows, { by: "name", down: false })), "conv_9 conv_10 fc");
  assert.equal(names(sortLayers(rows, { by: "op", down: true })), "fc conv_10 conv_9");
  assert.equal(names(sortLayers(rows, { by: "order", down: false })), "conv_10 conv_9 fc");
});

test("a filter looks at name, operator and tensor", () => {
  assert.equal(names(filterLayers(rows, "gemm HEAD")), "fc");
  assert.equal(names(filterLayers(rows, "conv w9")), "conv_9");
  assert.equal(names(filterLayers(rows, " ")), "conv_10 conv_9 fc");
});

test("what is left alone is grouped by its reason, the heaviest first, and nothing is moved in the list it came from", () => {
  const skipped = (
    [
      ["a", "bias", 4],
      ["b", "too-small", 100],
      ["c", "bias", 40],
      ["d", "unused", 44],
    ] as const
  ).map(([tensor, reason, bytes]): Skipped => ({ tensor, reason, detail: "", bytes }));
  const before = structuredClone(skipped);
  assert.deepEqual(
    reasonsOf(skipped).map(({ reason, bytes, tensors }) => [
      reason,
      bytes,
      tensors.map(one => one.tensor).join(""),
    ]),
    [
      ["too-small", 100, "b"],
      ["bias", 44, "ca"],
      ["unused", 44, "d"],
    ],
  );
  assert.deepEqual(skipped, before);
});
