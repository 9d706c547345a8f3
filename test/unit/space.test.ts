import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { spaceOf } from "../../src/engine/space";

test("room in a file is nobody else's until it is given back, and all given back is an empty file", () => {
  const steps = fc.array(fc.record({ length: fc.integer({ min: 1, max: 20 }), giveBack: fc.nat(40) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, list => {
      const space = spaceOf();
      const taken: { offset: number; length: number }[] = [];
      const giveBack = (place: number): void => {
        const [one] = taken.splice(place, 1);
        if (one) space.giveBack(one.offset, one.length);
      };
      for (const { length, giveBack: place } of list) {
        const offset = space.take(length);
        for (const other of taken)
          assert.ok(offset + length <= other.offset || other.offset + other.length <= offset);
        taken.push({ offset, length });
        assert.ok(Math.max(...taken.map(one => one.offset + one.length)) <= space.end());
        giveBack(place);
      }
      while (taken.length > 0) giveBack(0);
      assert.equal(space.end(), 0);
    }),
  );
});

test("a gap is used again before the file grows", () => {
  const space = spaceOf();
  const [a, b] = [space.take(10), space.take(10)];
  space.take(10);
  space.giveBack(a, 10);
  space.giveBack(b, 10);
  assert.equal(space.take(20), 0);
  assert.equal(space.end(), 30);
});
