// Builds what runs: `node esbuild.mjs` makes dist/cli.js, `--tests` adds dist/test/**, `--bench` dist/bench/**.
import { build } from "esbuild";
import { rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { buildKernels } from "./scripts/kernels.mjs";

const shared = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  sourcemap: true,
  // A native module finds its library beside itself, so it is never bundled.
  external: ["onnxruntime-node", "vscode"],
  logLevel: "warning",
};

await buildKernels();
await build({
  ...shared,
  entryPoints: { cli: "src/cli/main.ts", kernelWorker: "src/engine/kernelWorker.ts" },
  outdir: "dist",
  metafile: true,
});

if (process.argv.includes("--bench")) {
  await build({ ...shared, entryPoints: ["test/bench/table.ts"], outdir: "dist/bench" });
}

if (process.argv.includes("--tests")) {
  rmSync("dist/test", { recursive: true, force: true });
  const files = await readdir("test", { recursive: true });
  const entryPoints = files.filter(file => file.endsWith(".test.ts")).map(file => `test/${file}`);
  await build({ ...shared, entryPoints, outdir: "dist/test", outbase: "test" });
}
