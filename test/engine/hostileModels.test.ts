import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { folderOf } from "./files";
import { HOSTILE_MODELS } from "./hostileModels";
import { saidOf } from "./hostileSaid";

for (const one of HOSTILE_MODELS) {
  const skip = one.unixOnly === true && process.platform === "win32";
  test(`${one.kind}, where a model should be, is told in a sentence of its own`, { skip }, async t => {
    const folder = folderOf(t);
    assert.equal(await saidOf(one, folder), one.said);
    assert.ok(!existsSync(join(folder, "beside/copy.onnx")));
  });
}
