import assert from "node:assert/strict";
import { test } from "node:test";
import { folderOf } from "./files";
import { HOSTILE_DATA } from "./hostileData";
import { saidOfData } from "./hostileSaid";

for (const one of HOSTILE_DATA) {
  const skip = one.unixOnly === true && process.platform === "win32";
  test(`${one.kind}, where data should be, is told in a sentence of its own`, { skip }, async t => {
    assert.equal(await saidOfData(one, folderOf(t)), one.said);
  });
}
