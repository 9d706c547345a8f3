// Runs models by the onnxruntime in a folder and prints how far their outputs are from those wanted, a line each; see versions.ts.
const { readFileSync } = require("node:fs");

const [onnxruntime, file, from] = process.argv.slice(2);
const ort = require(onnxruntime);
// The package for browsers: without threads of its own.
if (ort.env.wasm) ort.env.wasm.numThreads = 1;

const ARRAYS = {
  float16: Uint16Array,
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

/** The numbers of a tensor; float16 comes as its bits. */
function numbersOf({ type, data }) {
  return type === "float16" ? Array.from(data, halfToNumber) : data;
}

function halfToNumber(bits) {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
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

async function run({ copy, feed, wanted }) {
  const session = await ort.InferenceSession.create(copy, { logSeverityLevel: 4, intraOpNumThreads: 1 });
  const outputs = await session.run(Object.fromEntries(feed.map(one => [one.name, tensorOf(one)])));
  await session.release?.();
  return Math.max(0, ...wanted.map(one => distance(numbersOf(outputs[one.name]), one.values)));
}

async function main() {
  for (const one of JSON.parse(readFileSync(file, "utf8")).slice(Number(from))) {
    const outcome = await run(one).then(
      error => ({ kind: "ran", error }),
      error => ({ kind: "refused", why: String(error.message ?? error) }),
    );
    console.log(JSON.stringify(outcome));
  }
}

main();
