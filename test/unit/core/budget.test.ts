import assert from "node:assert/strict";
import { test } from "node:test";
import { choose, type Way } from "../../../src/core/budget";
import { seeded } from "../../../src/core/random";

/** Layers of any sensitivity, at 2, 3, 4 and 8 bits; errors need not fall with the bits. */
function layersOf(seed: number, count: number): Way[][] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => {
    const size = Math.ceil(100 * random());
    const scale = 10 ** (-4 * random());
    return [2, 3, 4, 8].map(bits => ({ bytes: size * bits, error: scale * 4 ** -bits * (0.5 + random()) }));
  });
}

function* combinations(layers: readonly Way[][]): Generator<number[]> {
  const ways = layers.map(one => one.length);
  for (let code = 0; code < ways.reduce((a, b) => a * b, 1); code++) {
    let rest = code;
    yield ways.map(count => {
      const way = rest % count;
      rest = Math.floor(rest / count);
      return way;
    });
  }
}
const total = (layers: readonly Way[][], chosen: readonly number[], of: keyof Way): number =>
  chosen.reduce((sum, way, k) => sum + layers[k]![way]![of], 0);

for (let seed = 1; seed <= 8; seed++) {
  const layers = layersOf(seed, 5);
  const all = [...combinations(layers)];
  const least = Math.min(...all.map(one => total(layers, one, "bytes")));
  const most = Math.max(...all.map(one => total(layers, one, "bytes")));

  test(`bits chosen for bytes keep to them, and no choice of as few bytes is much better (${seed})`, () => {
    for (const share of [0.1, 0.3, 0.6, 0.9]) {
      const bytes = least + share * (most - least);
      const chosen = choose(layers, { bytes });
      assert.ok(total(layers, chosen, "bytes") <= bytes);
      // The best of all within the bytes, found by trying everything; at worst one step of one layer is left open.
      const best = Math.min(
        ...all.filter(one => total(layers, one, "bytes") <= bytes).map(one => total(layers, one, "error")),
      );
      const open = Math.max(...layers.map(ways => ways[0]!.error));
      assert.ok(total(layers, chosen, "error") <= best + open, `${total(layers, chosen, "error")}, best ${best}`);
    }
  });

  test(`bits chosen for an error keep to it where any do (${seed})`, () => {
    for (const exponent of [-1, -3, -5]) {
      const error = 10 ** exponent;
      const possible = all.some(one => total(layers, one, "error") <= error);
      const chosen = choose(layers, { error });
      if (possible) assert.ok(total(layers, chosen, "error") <= error * (1 + 1e-9));
    }
  });
}

test("where nothing fits the fewest bytes are taken, and where all does the least error", () => {
  const layers = layersOf(3, 4);
  assert.deepEqual(choose(layers, { bytes: 0 }), [0, 0, 0, 0]);
  const chosen = choose(layers, { bytes: Infinity });
  chosen.forEach((way, k) => assert.equal(layers[k]![way]!.error, Math.min(...layers[k]!.map(one => one.error))));
});

test("a way that costs more bytes for a larger error is never taken", () => {
  const layers = [
    [
      { bytes: 10, error: 1 },
      { bytes: 20, error: 2 },
      { bytes: 30, error: 0.5 },
    ],
  ];
  for (const bytes of [10, 20, 29]) assert.deepEqual(choose(layers, { bytes }), [0]);
  assert.deepEqual(choose(layers, { bytes: 30 }), [2]);
});
