import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { drawRows } from "../../../../src/core/calibration/rows";
import { splitSamples } from "../../../../src/core/calibration/samples";
import { readNpy } from "../../../../src/core/calibration/npy";

test("with ten samples or more every fifth is held out, with fewer none", () => {
  assert.deepEqual(splitSamples(9).heldOut, []);
  assert.deepEqual(splitSamples(10).heldOut, [4, 9]);
  assert.equal(splitSamples(50).fitted.length, 40);
});

test("no sample is both fitted and held out, and none is lost", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), count => {
      const { fitted, heldOut } = splitSamples(count);
      assert.deepEqual(
        [...fitted, ...heldOut].sort((a, b) => a - b),
        Array.from({ length: count }, (_, k) => k),
      );
    }),
  );
});

test("drawn rows are distinct, in order, spread over all runs, and the same for the same seed", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 200 }),
      (runs, limit) => {
        const total = runs.reduce((sum, rows) => sum + rows, 0);
        const rows = drawRows(runs, limit, 3);
        assert.equal(rows.length, Math.min(total, limit));
        const starts = runs.map((_, run) => runs.slice(0, run).reduce((sum, count) => sum + count, 0));
        const places = rows.map(({ run, position }) => starts[run]! + position);
        for (const [k, { run, position }] of rows.entries()) {
          assert.ok(position >= 0 && position < runs[run]!);
          // One from each of the equal stretches.
          assert.ok(
            places[k]! >= Math.floor((k * total) / rows.length) &&
              places[k]! < Math.ceil(((k + 1) * total) / rows.length),
          );
          if (k > 0) assert.ok(places[k]! > places[k - 1]!);
        }
        assert.deepEqual(drawRows(runs, limit, 3), rows);
      },
    ),
  );
});

/** A .npy file by hand. */
function npy(descr: string, fortran: boolean, shape: string, data: Uint8Array): Uint8Array {
  const header =
    `{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': (${shape}), }`.padEnd(117) +
    "\n";
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    1,
    0,
    header.length,
    0,
    ...new TextEncoder().encode(header),
    ...data,
  ]);
}

test("an array in Fortran order is turned to rows", () => {
  const array = readNpy(npy("|u1", true, "2, 3", Uint8Array.of(1, 4, 2, 5, 3, 6)), "x.npy");
  assert.deepEqual([...array.data], [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(array.dims, [2, 3]);
});

for (const [what, bytes, sentence] of [
  ["a text", new TextEncoder().encode("not an array at all"), /not a NumPy array/],
  ["an array that ends too early", npy("<f4", false, "2, 3", new Uint8Array(8)), /promises 24 bytes .* holds 8/],
  ["an array of objects", npy("|O", false, "2,", new Uint8Array(8)), /other than one plain array/],
  ["an array of texts", npy("<U4", false, "2,", new Uint8Array(8)), /no model takes/],
  ["a shape of 10^30", npy("<f4", false, "10000000000, 10000000000, 10000000000", new Uint8Array(8)), /promises/],
] as const) {
  test(`${what} is refused with its cause`, () => {
    assert.throws(() => readNpy(bytes, "x.npy"), sentence);
  });
}
