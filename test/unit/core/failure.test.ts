import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../../src/core/failure";

test("a failure is one line without codes for the terminal, whatever the names in it", () => {
  const { message } = new Failure(
    "model-invalid",
    'Tensor "a\r\nwhittle: done\u001b[2J\u2028b\u009b" is damaged.',
    "Mend it.",
  );
  assert.equal(message, 'Tensor "a whittle: done [2J b " is damaged. Mend it.');
});

test("a failure with a name of a megabyte in it is a sentence still", () => {
  const { happened } = new Failure("model-invalid", `Tensor "${"W".repeat(2 ** 20)}" is damaged.`, "Mend it.");
  assert.match(happened, /^Tensor "W+ … W+" is damaged\.$/);
  assert.ok(happened.length < 1300);
});
