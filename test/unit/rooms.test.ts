import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

test("every folder of src is a room of the import table in eslint.config.mjs", () => {
  const config = readFileSync("eslint.config.mjs", "utf8");
  const folders = [
    ...readdirSync("src", { withFileTypes: true }),
    ...readdirSync("src/core", { withFileTypes: true }),
  ]
    .filter(entry => entry.isDirectory() && entry.name !== "core")
    .map(entry => `${entry.parentPath}/${entry.name}`.replace("src/", ""));
  for (const folder of folders) {
    assert.match(config, new RegExp(`^  "?${folder}"?: \\[`, "m"), `src/${folder} may import anything`);
  }
});
