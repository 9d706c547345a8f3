// Long runs: `npm run bench:long -- [RUNS]`. So many quantizations in one process, with the memory it holds after each tenth of
// them; then a model of 1,000 layers.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { node } from "../../src/core/onnx/build";
import { tensor } from "../../src/core/onnx/tensors";
import { run } from "../engine/run";
import { normal, write } from "../engine/smallModels";

const LAYERS = 1000;
const WIDTH = 32;

async function main(): Promise<void> {
  const runs = Number(process.argv[2] ?? 500);
  const folder = mkdtempSync(join(tmpdir(), "whittle-long-"));
  try {
    await manyRuns(runs, folder);
    await manyLayers(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The methods take turns, and so do data and none: all that a session of work may do. */
async function manyRuns(runs: number, folder: string): Promise<void> {
  const residentMB: number[] = [];
  for (let k = 0; k < runs; k++) {
    const copy = join(folder, "copy.onnx");
    const method = (["msq", "gptq", "maly-saab"] as const)[k % 3]!;
    const bits = ([8, 4, 2] as const)[Math.floor(k / 3) % 3]!;
    const data = k % 2 === 0 ? "samples/mnist.json" : undefined;
    await run("samples/mnist_mlp.onnx", copy, {
      method,
      bits,
      data,
      samples: 20,
      layers: [{ glob: "*net.0*", bits: 8, method: "msq" }],
    });
    rmSync(copy);
    if ((k + 1) % Math.ceil(runs / 10) !== 0) continue;
    residentMB.push(process.memoryUsage.rss() / 1e6);
    console.log(`after ${k + 1} quantizations: ${residentMB.at(-1)!.toFixed(0)} MB resident`);
  }
  // The first tenth fills caches and pools.
  if (residentMB.length < 2) return;
  const growth = residentMB.at(-1)! / residentMB[0]! - 1;
  console.log(`From the first tenth to the last: ${(100 * growth).toFixed(1)} %`);
}

async function manyLayers(folder: string): Promise<void> {
  const names = Array.from({ length: LAYERS + 1 }, (_, k) => (k === 0 ? "x" : k === LAYERS ? "y" : `h${k}`));
  // Sums of so many terms keep their size.
  const scale = Math.sqrt(12 / WIDTH);
  const weights = Array.from({ length: LAYERS }, (_, k) =>
    tensor(
      `w${k}`,
      "float32",
      [WIDTH, WIDTH],
      normal(WIDTH * WIDTH).map(one => scale * one),
    ),
  );
  const nodes = weights.map(({ name }, k) => node("MatMul", [names[k]!, name], names[k + 1]!));
  const model = write(folder, nodes, weights, "float32", WIDTH);
  for (const method of ["msq", "maly-saab"] as const) {
    const copy = join(folder, "copy.onnx");
    // Packed: what int8 activations lose in each of a thousand products with nothing between them is more than a copy may differ by.
    const report = await run(model, copy, { method, bits: 4, samples: 50, synthetic: true, format: "packed" });
    rmSync(copy);
    console.log(
      `${report.layers.length} layers, ${method}, 4 bits: ${report.seconds.toFixed(1)} s, peak ${(process.resourceUsage().maxRSS / 1e3).toFixed(0)} MB, output ${report.outputs[0]?.sqnrDb?.toFixed(1)} dB`,
    );
  }
}

void main();
