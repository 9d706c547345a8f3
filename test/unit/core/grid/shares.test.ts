import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ALL_BITS, ALPHABET_KINDS, levelCount, valuesOf } from "../../../../src/core/grid/alphabet";
import { alphabetsOver, type GridChoice, rangesOf, scaled, turnsOf } from "../../../../src/core/grid/shares";
import { nearest } from "../../../../src/core/linalg/rounding";
import type { Matrix64 } from "../../../../src/core/matrix";

const size = { n: 7, p: 3 };
const weights: fc.Arbitrary<Matrix64> = fc
  .array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: size.n * size.p, maxLength: size.n * size.p })
  .map(data => ({ rows: size.n, columns: size.p, data: Float64Array.from(data) }));

const choice: fc.Arbitrary<GridChoice> = fc.record({
  kind: fc.constantFrom(...ALPHABET_KINDS),
  bits: fc.constantFrom(...ALL_BITS),
  perTensor: fc.boolean(),
  groupInputs: fc.constantFrom(undefined, 1, 3, 7, 100),
  halfSteps: fc.boolean(),
});

test("at the full range, upright, no weight is farther than half a step from a value, but for kinds that say so", () => {
  fc.assert(
    fc.property(weights, choice, (w, one) => {
      const alphabets = alphabetsOver(
        rangesOf(w, one),
        { ...one, roundStep: step => step },
        1,
        turnsOf(one).at(0)!,
      );
      const values = valuesOf(nearest(w, alphabets), w.rows, alphabets).data;
      const upright = alphabetsOver(rangesOf(w, one), one, 1, { sign: 1, shift: 0 });
      for (let i = 0; i < w.rows; i++) {
        const group = Math.floor(i / (one.groupInputs ?? w.rows)) * size.p;
        for (let j = 0; j < size.p; j++) {
          const step = Math.abs(alphabets.steps[group + j]!);
          const e = Math.abs(w.data[i * size.p + j]! - values[i * size.p + j]!);
          // `full` lacks the value c itself, a shifted zero point either end, and one bit of some kinds one whole side.
          const slack = one.kind === "full" || one.halfSteps ? 1 : 0.5;
          if (one.bits > 1) assert.ok(e <= slack * step * (1 + 1e-9), `${e} from a value, step ${step}`);
          assert.ok(upright.zeroPoints[group + j]! >= 0 && upright.zeroPoints[group + j]! <= 2 ** one.bits);
        }
      }
    }),
  );
});

test("0 is a value of every alphabet but midrise and half steps, steps are float32, per tensor they are all one", () => {
  fc.assert(
    fc.property(weights, choice, fc.double({ min: 0.1, max: 1.05, noNaN: true }), (w, one, share) => {
      for (const turn of turnsOf(one)) {
        const alphabets = alphabetsOver(rangesOf(w, one), one, share, turn);
        assert.equal(alphabets.levels, levelCount(one.kind, one.bits));
        alphabets.steps.forEach((step, at) => {
          assert.equal(step, Math.fround(step));
          const zero = alphabets.zeroPoints[at]!;
          assert.ok(Number.isInteger(2 * zero));
          const whole = Number.isInteger(zero) && zero >= 0 && zero < alphabets.levels;
          assert.ok(whole || one.kind === "midrise" || (one.kind === "affine" && one.halfSteps));
        });
        if (!one.perTensor) continue;
        for (let at = 0; at < alphabets.steps.length; at++) {
          assert.equal(alphabets.steps[at], alphabets.steps[at - (at % size.p)]);
          assert.equal(alphabets.zeroPoints[at], alphabets.zeroPoints[at - (at % size.p)]);
        }
      }
    }),
  );
});

test("a scaled alphabet has the same levels and zero points, its steps rounded as they are stored", () => {
  fc.assert(
    fc.property(weights, choice, (w, one) => {
      const half = { ...one, roundStep: (step: number) => Math.round(step * 64) / 64 };
      const alphabets = alphabetsOver(rangesOf(w, one), one, 1, { sign: 1, shift: 0 });
      const found = scaled(alphabets, 1.5, half);
      assert.deepEqual(found.zeroPoints, alphabets.zeroPoints);
      found.steps.forEach((step, at) => assert.equal(step, Math.round(alphabets.steps[at]! * 1.5 * 64) / 64));
    }),
  );
});
