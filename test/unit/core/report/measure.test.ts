import assert from "node:assert/strict";
import { test } from "node:test";
import type { Matrix64 } from "../../../../src/core/matrix";
import { seeded } from "../../../../src/core/random";
import { errorsOnRows, layerErrorInMetric, logitDivergence, squaresOf } from "../../../../src/core/report/measure";
import { linalg } from "../methods/reference";

const random = seeded(3);
const some = (rows: number, columns: number, scale = 1): Matrix64 => ({
  rows,
  columns,
  data: Float64Array.from({ length: rows * columns }, () => scale * (random() - 0.4)),
});
const plus = (a: Matrix64, b: Matrix64): Matrix64 => ({
  ...a,
  data: a.data.map((value, at) => value + b.data[at]!),
});
const single = ({ rows, columns, data }: Matrix64) => ({ rows, columns, data: Float32Array.from(data) });

// More rows than are taken at once.
const [m, n, neurons] = [2500, 7, 3];
const X = some(m, n);
const rows = { float: single(X), seen: single(plus(X, some(m, n, 0.1))) };
const weights = some(n, neurons);
const target = plus(weights, some(n, neurons, 0.1));
const quantized = plus(target, some(n, neurons, 0.3));
const bias = Float32Array.of(1, 2, 3);
const newBias = Float32Array.of(1.1, 1.9, 3.2);
const group = { weights, target, quantized, bias, newBias };

/** Σ over the rows of (x v + shift - mean)² for one neuron, written out. */
function squares(inputs: { data: ArrayLike<number> }, v: Matrix64, j: number, centred: boolean): number {
  const values = Array.from({ length: m }, (_, r) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += inputs.data[r * n + i]! * v.data[i * neurons + j]!;
    return sum;
  });
  const mean = centred ? values.reduce((a, b) => a + b, 0) / m : 0;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}
const close = (found: number, wanted: number): void =>
  assert.ok(Math.abs(found - wanted) <= 1e-9 * Math.abs(wanted), `${found}, wanted ${wanted}`);

const lost = { ...target, data: target.data.map((value, at) => value - quantized.data[at]!) };

for (const centred of [false, true]) {
  test(`the errors on rows are those of the definition, ${centred ? "without" : "with"} the mean`, async () => {
    const { layer, propagated } = await errorsOnRows({ ...rows, centred }, group, linalg);
    for (let j = 0; j < neurons; j++) {
      close(layer[j]!.difference, squares(rows.seen, lost, j, centred));
      close(layer[j]!.size, squares(rows.float, weights, j, centred));
    }
    let [difference, size] = [0, 0];
    for (let r = 0; r < m; r++) {
      for (let j = 0; j < neurons; j++) {
        let [found, wanted] = [newBias[j]!, bias[j]!];
        for (let i = 0; i < n; i++) {
          found += rows.seen.data[r * n + i]! * quantized.data[i * neurons + j]!;
          wanted += rows.float.data[r * n + i]! * weights.data[i * neurons + j]!;
        }
        difference += (found - wanted) ** 2;
        size += wanted ** 2;
      }
    }
    close(propagated.difference, difference);
    close(propagated.size, size);
  });

  test(`what is passed on is told behind what cuts it off, ${centred ? "without" : "with"} the mean`, async () => {
    const added = { seen: some(m, neurons), missing: some(m, neurons, 0.1) };
    const range = { low: 0, high: 2 };
    const { passedOn } = await errorsOnRows({ ...rows, centred, range, added }, group, linalg);
    const cut = (value: number): number => Math.min(2, Math.max(0, value));
    let [difference, size] = [0, 0];
    for (let r = 0; r < m; r++) {
      for (let j = 0; j < neurons; j++) {
        const beside = added.seen.data[r * neurons + j]!;
        let [found, wanted] = [newBias[j]! + beside, bias[j]! + beside + added.missing.data[r * neurons + j]!];
        for (let i = 0; i < n; i++) {
          found += rows.seen.data[r * n + i]! * quantized.data[i * neurons + j]!;
          wanted += rows.float.data[r * n + i]! * weights.data[i * neurons + j]!;
        }
        difference += (cut(found) - cut(wanted)) ** 2;
        size += cut(wanted) ** 2;
      }
    }
    close(passedOn!.difference, difference);
    close(passedOn!.size, size);
    assert.equal((await errorsOnRows({ ...rows, centred }, group, linalg)).passedOn, null);
  });

  test(`the layer's error from second moments is the one on the rows, ${centred ? "without" : "with"} the mean`, async () => {
    const sums = await linalg.moments(n, 0);
    await sums.add(rows.seen);
    const { gram, inputSums } = await sums.finish();
    const metric = {
      ...gram,
      data: gram.data.map((sum, at) => {
        const mean = (k: number): number => (centred ? inputSums[k]! / m : 0);
        return sum / m - mean(Math.floor(at / n)) * mean(at % n);
      }),
    };
    const response = squaresOf(neurons, centred);
    response.add(await linalg.multiply(rows.float, weights));
    const onMoments = await layerErrorInMetric(metric, m, response.total(), group, linalg);
    const { layer } = await errorsOnRows({ ...rows, centred }, group, linalg);
    onMoments.forEach((one, j) => {
      close(one.difference, layer[j]!.difference);
      close(one.size, layer[j]!.size);
    });
  });
}

test("the divergence of logits is that of their probabilities, and knows nothing of what is added to a whole row", () => {
  const [wanted, found] = [some(5, 4, 3).data, some(5, 4, 3).data];
  const of = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
    const divergence = logitDivergence();
    divergence.add({ wanted: a, found: b, columns: 4 });
    return divergence.mean();
  };
  const shares = (values: Float64Array, row: number): number[] => {
    const exps = [...values.subarray(4 * row, 4 * row + 4)].map(Math.exp);
    const sum = exps.reduce((a, b) => a + b);
    return exps.map(one => one / sum);
  };
  let plain = 0;
  for (let row = 0; row < 5; row++) {
    const q = shares(found, row);
    shares(wanted, row).forEach((p, k) => (plain += (p * Math.log(p / q[k]!)) / 5));
  }
  assert.ok(Math.abs(of(wanted, found) - plain) < 1e-12);
  assert.ok(
    Math.abs(
      of(
        wanted,
        found.map(value => value + 700),
      ) - plain,
    ) < 1e-9,
  );
  assert.equal(of(wanted, wanted), 0);
  // A class that the float model rules out says nothing, whatever the copy makes of it.
  assert.ok(Math.abs(of([0, -1e6, 0, 0], [5, -1e6, 5, 5])) < 1e-12);
});
