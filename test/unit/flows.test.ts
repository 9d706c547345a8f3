import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

test("every flow of flows.md has one clicking test, and every clicking test its line", () => {
  const listed = [...readFileSync("test/vscode/flows.md", "utf8").matchAll(/^- (.+)$/gm)].map(found => found[1]!);
  const tested = readdirSync("test/vscode/flows")
    .map(file => readFileSync(`test/vscode/flows/${file}`, "utf8"))
    .flatMap(text => [...text.matchAll(/^flow\(\s*"([^"]+)"/gm)].map(found => found[1]!));
  assert.ok(listed.length > 0);
  assert.deepEqual([...tested].sort(), [...listed].sort());
});
