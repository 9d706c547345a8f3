import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HOSTILE_DATA } from "./hostileData";
import { HOSTILE_MODELS } from "./hostileModels";
import { rowOf } from "./hostileSaid";

test("the table of hostile files has each kind with its sentence (npm run hostile > test/bench/hostile.md)", () => {
  const rows = new Set(readFileSync("test/bench/hostile.md", "utf8").split(/\r?\n/));
  const missing = [...HOSTILE_MODELS, ...HOSTILE_DATA].filter(({ kind, said }) => !rows.has(rowOf(kind, said)));
  assert.deepEqual(
    missing.map(({ kind }) => kind),
    [],
  );
});
