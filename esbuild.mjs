// Builds what runs: `node esbuild.mjs` makes dist/*.js, dist/kernels.wasm and dist/webview/*; `--tests` adds dist/test/**,
// `--bench` dist/bench/**, `--fuzz` dist/fuzz/**. dist/meta.json says which files went into what, for the notices of the package.
import { build } from "esbuild";
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { buildKernels } from "./scripts/kernels.mjs";

const shared = {
  bundle: true,
  sourcemap: true,
  metafile: true,
  logLevel: "warning",
};

const forNode = {
  ...shared,
  platform: "node",
  target: "node20",
  format: "cjs",
  // A native module finds its library beside itself, so it is never bundled.
  external: ["onnxruntime-node", "vscode"],
};

const programs = {
  cli: "src/cli/main.ts",
  engine: "src/engine/main.ts",
  extension: "src/host/extension.ts",
  kernelWorker: "src/engine/kernelWorker.ts",
  loadedMemory: "src/engine/loadedMemory.ts",
};

const pages = { report: "webview/report/main.ts", model: "webview/model/main.ts" };

await buildKernels();
// Decoders of pictures, compiled when the first picture comes.
for (const [kind, file] of Object.entries({ jpeg: "mozjpeg_dec.wasm", webp: "webp_dec.wasm" }))
  copyFileSync(`node_modules/@jsquash/${kind}/codec/dec/${file}`, `dist/${kind}.wasm`);
const built = await Promise.all([
  build({ ...forNode, entryPoints: programs, outdir: "dist" }),
  build({
    ...shared,
    entryPoints: pages,
    outdir: "dist/webview",
    platform: "browser",
    target: "chrome128", // VS Code 1.100 and newer.
    format: "esm",
    minify: true,
  }),
]);
const inputs = Object.assign({}, ...built.map(({ metafile }) => metafile.inputs));
writeFileSync("dist/meta.json", JSON.stringify({ inputs: Object.keys(inputs).sort() }, null, 1));

if (process.argv.includes("--bench")) {
  await build({
    ...forNode,
    entryPoints: (await readdir("test/bench"))
      .filter(file => file.endsWith(".ts"))
      .map(file => `test/bench/${file}`),
    outdir: "dist/bench",
  });
}

if (process.argv.includes("--fuzz")) {
  const programs = ["fuzz", "child", "nightly", "explore"].map(name => `test/fuzz/${name}.ts`);
  await build({ ...forNode, entryPoints: programs, outdir: "dist/fuzz" });
}

if (process.argv.includes("--tests")) {
  rmSync("dist/test", { recursive: true, force: true });
  const files = await readdir("test", { recursive: true });
  // Tests under test/vscode run inside VS Code: the rig bundles them itself.
  const entryPoints = files
    .filter(file => file.endsWith(".test.ts") && !file.startsWith("vscode"))
    .map(file => `test/${file}`);
  await build({ ...forNode, entryPoints, outdir: "dist/test", outbase: "test" });
}
