import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

test("every flow that is listed has one clicking test, and every clicking test is listed", () => {
  const listed = [...readFileSync("test/vscode/flows.md", "utf8").matchAll(/^- (.+)$/gm)].map(([, name]) => name);
  const tested = readdirSync("test/vscode/flows")
    .map(file => readFileSync(`test/vscode/flows/${file}`, "utf8"))
    .flatMap(text => [...text.matchAll(/^flow\(\s*"(.+?)",/gm)].map(([, name]) => name));
  assert.deepEqual(tested.sort(), listed.sort());
});
