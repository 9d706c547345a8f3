import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import {
  about,
  decibels,
  errorDigits,
  errorPercent,
  kilobytes,
  milliseconds,
  setLocale,
  shareDigits,
  sharePercent,
  shortCount,
  size,
  times,
  took,
} from "../../../webview/shared/format";

afterEach(() => setLocale("en"));

function table<T>(name: string, format: (value: T) => string, cases: readonly (readonly [T, string])[]): void {
  test(name, () =>
    assert.deepEqual(
      cases.map(([value]) => format(value)),
      cases.map(([, text]) => text),
    ),
  );
}

table("errors have one decimal in percent, two below 1 %, none above 100 %", errorDigits, [
  [0.168, "16.8"],
  [0.0046, "0.46"],
  [0.00996, "1.0"],
  [1.234, "123"],
  [0, "0"],
  [0.000_001, "<0.01"],
  [null, "–"],
]);

table("a sentence has the sign of percent, without a space in English", errorPercent, [
  [0.168, "16.8%"],
  [0.000_002, "<0.01%"],
  [0, "0%"],
  [null, "–"],
]);

table("little is not told as none, and nearly all not as all", sharePercent, [
  [0.9, "90%"],
  [0.0031, "0.3%"],
  [0.996, "99.6%"],
  [0.99999, ">99.9%"],
  [0.000_01, "<0.1%"],
  [1, "100%"],
  [0, "0%"],
]);

table("parts of a file in a column", shareDigits, [
  [0.414, "41.4"],
  [0.000_1, "<0.1"],
  [0, "0.0"],
]);

table("sizes have three digits, and 1 KB is 1,024 B", size, [
  [0, "0 B"],
  [1023, "1,023 B"],
  [1024, "1 KB"],
  [642 * 1024, "642 KB"],
  [4_948_338, "4.72 MB"],
  [1023.9 * 1024, "1.00 MB"],
  [-2048, "−2 KB"],
]);

table("columns of bytes are in whole KB", kilobytes, [
  [1746 * 1024, "1,746"],
  [100, "<1"],
  [0, "0"],
  [-100, "−<1"],
  [-4096, "−4"],
]);

table("counts of millions", shortCount, [
  [1_235_496, "1.24 M"],
  [99_999, "99,999"],
  [7_000_000_000, "7 G"],
]);

table("milliseconds keep a digit that says something", milliseconds, [
  [11.82, "11.8"],
  [0.234, "0.23"],
  [0.0123, "0.012"],
]);

table("how many times", times, [
  [1.9032, "1.9"],
  [12.4, "12"],
]);

table("a guess of time left is as coarse as it deserves", about, [
  [0.2, "1 s"],
  [40.4, "40 s"],
  [150, "3 min"],
  [5400, "1.5 h"],
]);

table("what something took", took, [
  [0.01, "<0.1 s"],
  [1.84, "1.8 s"],
  [52.3, "52 s"],
]);

test("noise in decibels, where there is any", () => {
  assert.equal(decibels(15.49), "15.5 dB");
  assert.equal(decibels(null), "–");
});

test("numbers follow the language of VS Code; one that is none is English", () => {
  setLocale("de");
  assert.equal(errorPercent(0.168), "16,8\u00a0%");
  setLocale("no language");
  assert.equal(errorPercent(0.168), "16.8%");
});
