import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { fileName, firstPart, shortNames } from "../../../webview/shared/names";

test("names lose the parts of a path that all share, at both ends", () => {
  assert.deepEqual(shortNames(["/decoder/layers.7/up/MatMul", "/decoder/layers.8/down/MatMul"]), [
    "7/up",
    "8/down",
  ]);
});

test("a stem that all share goes only where more than a number is left", () => {
  assert.deepEqual(shortNames(["/net/net.0/Gemm", "/net/net.2/Gemm"]), ["net.0", "net.2"]);
  assert.deepEqual(shortNames(["layers.0/up", "layers.0/down"]), ["up", "down"]);
  assert.deepEqual(shortNames(["h.0/up", "h.1/up", "h.1"]), ["h.0/up", "h.1/up", "h.1"]);
});

test("the first part of a path, which stays where the rest is cut", () => {
  assert.deepEqual(firstPart("12/attn/q_proj"), ["12", "/attn/q_proj"]);
  assert.deepEqual(firstPart("Conv_3"), ["", "Conv_3"]);
  assert.deepEqual(firstPart("/net/fc"), ["", "/net/fc"]);
});

test("what is shared within a part stays: Conv_3 is a name, 3 is none", () => {
  assert.deepEqual(shortNames(["Conv_3", "Conv_35"]), ["Conv_3", "Conv_35"]);
});

test("a name alone, or none, is left as it is", () => {
  assert.deepEqual(shortNames(["/net/fc/Gemm"]), ["/net/fc/Gemm"]);
  assert.deepEqual(shortNames([]), []);
});

test("a name that is the start or the end of another is never cut away", () => {
  for (const names of [
    ["/a", "/a/b"],
    ["/x/a", "/a"],
    ["a/b/c", "c"],
    ["/a/", "/a/b/"],
    ["/n/a/m", "/n/m"],
  ]) {
    const short = shortNames(names);
    assert.ok(short.every(Boolean), `${names.join(" ")} became ${short.join(" ")}`);
  }
});

test("short names are as different as the names, and parts of them", () => {
  const name = fc
    .array(fc.constantFrom("a", "b", "layers.1", "layers.2", "MatMul"), { minLength: 1, maxLength: 4 })
    .map(parts => `/${parts.join("/")}`);
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 1 }), names => {
      const short = shortNames(names);
      assert.equal(new Set(short).size, names.length);
      short.forEach((one, k) => assert.ok(one !== "" && names[k]!.includes(one)));
    }),
  );
});

test("the last part of a path, of either kind of slash", () => {
  assert.equal(fileName("/home/ada/a.onnx"), "a.onnx");
  assert.equal(fileName("C:\\models\\a.onnx"), "a.onnx");
  assert.equal(fileName("a.onnx"), "a.onnx");
});
