// Builds what runs: `node esbuild.mjs` makes dist/cli.js, `--tests` adds dist/test/** beside it.
import { build } from "esbuild";
import { rmSync } from "node:fs";
import { readdir } from "node:fs/promises";

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

await build({
  ...shared,
  entryPoints: { cli: "src/cli/main.ts" },
  outdir: "dist",
  banner: { js: "#!/usr/bin/env node" },
  metafile: true,
});

if (process.argv.includes("--tests")) {
  rmSync("dist/test", { recursive: true, force: true });
  const files = await readdir("test", { recursive: true });
  const entryPoints = files.filter(file => file.endsWith(".test.ts")).map(file => `test/${file}`);
  await build({ ...shared, entryPoints, outdir: "dist/test", outbase: "test" });
}
