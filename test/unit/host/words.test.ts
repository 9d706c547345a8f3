import assert from "node:assert/strict";
import { test } from "node:test";
import { sizeOf } from "../../../src/core/report/words";
import { bytesIn } from "../../../src/host/words";

test("a size that is shown can be typed back, to its three digits", () => {
  for (const bytes of [1, 1023, 1024, 1_044_480, 148_000, 2 ** 20 * 1.5, 7 * 2 ** 30]) {
    const back = bytesIn(sizeOf(bytes))!;
    assert.ok(Math.abs(back - bytes) <= 0.005 * bytes, `${bytes} -> ${sizeOf(bytes)} -> ${back}`);
  }
});

test("sizes as people type them", () => {
  assert.equal(bytesIn("300 KB"), 307_200);
  assert.equal(bytesIn(" 1,5mb "), 1_572_864);
  assert.equal(bytesIn("2000"), 2000);
  assert.equal(bytesIn("1,500 KB"), 1_536_000);
  for (const odd of ["", "KB", "-3 KB", "3 TB", "three", "1.2.3 MB"]) assert.equal(bytesIn(odd), undefined, odd);
});
