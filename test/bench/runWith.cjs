// Runs one model by the onnxruntime in a folder and prints how far its outputs are from those wanted; see versions.ts.
const { readFileSync } = require("node:fs");

const [onnxruntime, file] = process.argv.slice(2);
const { copy, feed, wanted } = JSON.parse(readFileSync(file, "utf8"));
const ort = require(onnxruntime);

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  bool: Uint8Array,
  uint8: Uint8Array,
};

function tensorOf({ type, dims, values }) {
  if (type === "int64") return new ort.Tensor(type, BigInt64Array.from(values, BigInt), dims);
  if (!ARRAYS[type]) throw new Error(`No test feeds ${type}.`);
  return new ort.Tensor(type, ARRAYS[type].from(values), dims);
}

/** ||a - b|| / ||b||. */
function distance(a, b) {
  let [difference, size] = [0, 0];
  for (const [k, value] of b.entries()) {
    difference += (Number(a[k]) - value) ** 2;
    size += value ** 2;
  }
  return size === 0 ? Math.sqrt(difference) : Math.sqrt(difference / size);
}

async function main() {
  const session = await ort.InferenceSession.create(copy, { logSeverityLevel: 4, intraOpNumThreads: 1 });
  const outputs = await session.run(Object.fromEntries(feed.map(one => [one.name, tensorOf(one)])));
  return Math.max(0, ...wanted.map(one => distance(outputs[one.name].data, one.values)));
}

main().then(
  error => console.log(JSON.stringify({ kind: "ran", error })),
  error => console.log(JSON.stringify({ kind: "refused", why: String(error.message ?? error) })),
);
