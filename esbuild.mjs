// Builds what runs: `node esbuild.mjs` makes dist/*.js and dist/webview/*, `--tests` adds dist/test/** beside it.
// dist/meta.json says which files went into what, for the notices of the package.
import { build } from "esbuild";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";

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

const programs = { engine: "src/engine/main.ts", extension: "src/host/extension.ts" };
const kernelWorker = "src/engine/kernelWorker.ts";
if (existsSync(kernelWorker)) programs.kernelWorker = kernelWorker;

const pages = Object.fromEntries(
  ["report", "model"].map(page => [page, `webview/${page}/main.ts`]).filter(([, entry]) => existsSync(entry)),
);

const built = await Promise.all([
  build({
    ...forNode,
    entryPoints: { cli: "src/cli/main.ts" },
    outdir: "dist",
    banner: { js: "#!/usr/bin/env node" },
  }),
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

if (process.argv.includes("--tests")) {
  rmSync("dist/test", { recursive: true, force: true });
  const files = await readdir("test", { recursive: true });
  // Tests under test/vscode run inside VS Code: the rig bundles them itself.
  const entryPoints = files
    .filter(file => file.endsWith(".test.ts") && !file.startsWith("vscode"))
    .map(file => `test/${file}`);
  await build({ ...forNode, entryPoints, outdir: "dist/test", outbase: "test" });
}
