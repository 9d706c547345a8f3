import assert from "node:assert/strict";
import { test } from "node:test";
import { announcer } from "../../../webview/report/announce";

/** A clock of our own. */
function set() {
  const said: string[] = [];
  let now = 0;
  let due: { at: number; run: () => void }[] = [];
  const announce = announcer(
    words => said.push(words),
    () => now,
    (ms, run) => due.push({ at: now + ms, run }),
  );
  const pass = (ms: number): void => {
    now += ms;
    const ready = due.filter(one => one.at <= now);
    due = due.filter(one => one.at > now);
    ready.forEach(one => one.run());
  };
  return { said, announce, pass };
}

test("a screen reader hears the first thing at once, then the last of every ten seconds", () => {
  const { said, announce, pass } = set();
  for (let layer = 1; layer <= 25; layer++) {
    announce(`Layer ${layer}`);
    pass(1000);
  }
  pass(10_000);
  assert.deepEqual(said, ["Layer 1", "Layer 10", "Layer 20", "Layer 25"]);
});

test("the same words are not said twice", () => {
  const { said, announce, pass } = set();
  announce("Checking the copy");
  pass(11_000);
  announce("Checking the copy");
  pass(11_000);
  assert.deepEqual(said, ["Checking the copy"]);
});
