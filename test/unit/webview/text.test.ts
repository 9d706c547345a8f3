import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { counted, pieces, setStrings, t } from "../../../webview/shared/text";

afterEach(() => setStrings({}));

test("a translation is used where there is one, and its values may change places", () => {
  setStrings({ "{0} of {1}": "von {1}: {0}" });
  assert.equal(t("{0} of {1}", 3, 9), "von 9: 3");
  assert.equal(t("{0} layers", 3), "3 layers");
});

test("a value cannot fill another's place nor open a bold part", () => {
  assert.equal(t("{0} and {1}", "{1}", "b"), "{1} and b");
  assert.deepEqual(pieces("**{0}** has {1}", "a**b", 2), [
    { bold: true, text: "a**b" },
    { bold: false, text: " has 2" },
  ]);
});

test("one is not many", () => {
  assert.equal(counted(1, "{0} layer", "{0} layers"), "1 layer");
  assert.equal(counted(1000, "{0} layer", "{0} layers", "1,000"), "1,000 layers");
});
