import assert from "node:assert/strict";
import { test } from "node:test";
import type { Run } from "../../../src/protocol/pages";
import {
  barsOf,
  bytesAfterOf,
  errorPerMegabyte,
  filterRows,
  firstSort,
  sortRows,
  tableOf,
} from "../../../webview/report/rows";
import { layerReport, runOf } from "./make";

const names = (rows: readonly { name: string }[]): string => rows.map(row => row.name).join(" ");

const run = runOf([
  layerReport("conv_10", { layerErrorHeldOut: 0.1, bytesBefore: 4000, bytesAfter: 1000 }),
  layerReport("conv_9", { layerErrorHeldOut: 0.3, bytesBefore: 9000, bytesAfter: 2000, bits: 8 }),
  layerReport("fc", { layerErrorHeldOut: null, bytesBefore: 2000, bytesAfter: 2500 }),
]);
const { rows } = tableOf(run);

test("worst first, what has no error last whichever the way", () => {
  assert.equal(names(sortRows(rows, firstSort("error"))), "conv_9 conv_10 fc");
  assert.equal(names(sortRows(rows, { by: "error", down: false })), "conv_10 conv_9 fc");
});

test("names sort as people count", () => {
  assert.equal(names(sortRows(rows, firstSort("name"))), "conv_9 conv_10 fc");
  assert.equal(names(sortRows(rows, { by: "name", down: true })), "fc conv_10 conv_9");
});

test("sorting by what is equal keeps the order of the model", () => {
  assert.equal(names(sortRows(rows, { by: "bits", down: false })), "conv_10 fc conv_9");
  assert.equal(names(sortRows(rows, { by: "order", down: true })), "fc conv_9 conv_10");
});

test("a filter wants all its words, in any case; @worst and @bits are about the rest of a row", () => {
  assert.equal(names(filterRows(rows, "")), "conv_10 conv_9 fc");
  assert.equal(names(filterRows(rows, "CONV 9")), "conv_9");
  assert.equal(names(filterRows(rows, "@bits:8")), "conv_9");
  assert.equal(names(filterRows(rows, "@worst")), "");
});

test("a layer that grows saves less than nothing, draws no bar and costs nothing per megabyte", () => {
  const fc = rows[2]!;
  assert.equal(fc.saved, -500);
  assert.equal(barsOf(fc, tableOf(run), false).saved, 0);
  assert.equal(errorPerMegabyte(fc), null);
});

test("until a layer is done its size is the predicted one, and the scale of sizes never moves", () => {
  const before: Run = { ...run, rows: run.rows.map(row => ({ ...row, done: null })) };
  assert.equal(bytesAfterOf(before), bytesAfterOf(run));
  assert.equal(tableOf(before).savedEnd, tableOf(run).savedEnd);
  assert.deepEqual(
    tableOf(before).rows.map(row => row.error),
    [null, null, null],
  );
});

test("the table compares held-out errors where there are any, else fitted ones, else those of the weights", () => {
  const measured = (changes: Parameters<typeof layerReport>[1]) => tableOf(runOf([layerReport("a", changes)]));
  assert.equal(measured({}).measure, "held-out");
  assert.equal(measured({ layerErrorHeldOut: null, layerError: 0.2 }).rows[0]!.error, 0.2);
  const weights = measured({ layerErrorHeldOut: null, layerError: null, weightError: 0.3 });
  assert.equal(weights.measure, "weights");
  assert.equal(weights.rows[0]!.error, 0.3);
});
