import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { dataBeside } from "../../../src/host/dataFiles";
import { folderOf } from "../../engine/files";

test("data beside a model: its array, its data files, then others; no JSON that is something else", async t => {
  const folder = folderOf(t);
  const write = (name: string, content: unknown): void =>
    writeFileSync(join(folder, name), JSON.stringify(content));
  write("a.json", { calib: "a.npy" });
  write("net.data.json", { data: "pictures" });
  write("net.json", { calib: "net.npy" });
  write("package.json", { name: "something else" });
  write("net.npy", "not looked into");
  const found = await dataBeside(join(folder, "net.onnx"));
  assert.deepEqual(
    found.map(path => basename(path)),
    ["net.npy", "net.json", "net.data.json", "a.json"],
  );
});
