// Makes dist/whittle-linux-x64.vsix and checks what is in it: `npm run package`.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { thirdPartyNotices } from "./notices.mjs";
import { zipEntries } from "./zipEntries.mjs";

const TARGET = "linux-x64";
const VSIX = `dist/whittle-${TARGET}.vsix`;
const README = "dist/README.md";
const MAX_BYTES = 25 * 1024 * 1024;

/** Without one of these the extension is broken, or its licence is. */
const WANTED = [
  "package.json",
  "readme.md",
  "changelog.md",
  "LICENSE.txt",
  "THIRD-PARTY-NOTICES.txt",
  "dist/cli.js",
  "dist/engine.js",
  "dist/extension.js",
  "dist/jpeg.wasm",
  "dist/kernels.wasm",
  "dist/webp.wasm",
  "dist/kernelWorker.js",
  "dist/loadedMemory.js",
  "dist/webview/report.js",
  "dist/webview/model.js",
  "media/activity-bar.svg",
  "media/icon.png",
  "samples/mnist.json",
  "samples/mnist_calibration.npy",
  "samples/mnist_mlp.onnx",
  "node_modules/onnxruntime-node/package.json",
  "node_modules/onnxruntime-node/dist/index.js",
  "node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1",
  "node_modules/onnxruntime-node/bin/napi-v6/linux/x64/onnxruntime_binding.node",
  "node_modules/onnxruntime-common/package.json",
  "node_modules/onnxruntime-common/dist/cjs/index.js",
];

/** All else that may be there; a file that matches none of these came in by mistake. */
const ALLOWED = [
  /^dist\/webview\/[\w-]+\.(js|css)$/,
  /^media\/[\w-]+\.(svg|png)$/,
  /^samples\/(mnist_labels\.npy|mnist_test\.npy|NOTICE\.md)$/,
  /^node_modules\/onnxruntime-node\/dist\/[\w-]+\.js$/,
  /^node_modules\/onnxruntime-common\/dist\/cjs\/([\w-]+\.js|package\.json)$/,
];

run("esbuild.mjs");
writeFileSync(
  "THIRD-PARTY-NOTICES.txt",
  thirdPartyNotices(JSON.parse(readFileSync("dist/meta.json", "utf8")).inputs),
);
// The page of an extension that was installed from a file cannot show pictures out of the package.
writeFileSync(
  README,
  readFileSync("README.md", "utf8").replaceAll(/^<picture>.*\n+|^These, and .*screenshots.*\n+/gm, ""),
);
rmSync(VSIX, { force: true });
run(
  join("node_modules", "@vscode", "vsce", "vsce"),
  ...["package", "--target", TARGET, "--out", VSIX, "--readme-path", README],
  ...["--allow-missing-repository", "--no-rewrite-relative-links"],
);

const faults = faultsOf(VSIX);
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);
console.log(`${VSIX}: ${(statSync(VSIX).size / 2 ** 20).toFixed(1)} MB, contents as they should be.`);

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

function faultsOf(file) {
  const prefix = "extension/";
  const names = zipEntries(readFileSync(file))
    .filter(name => name.startsWith(prefix))
    .map(name => name.slice(prefix.length));
  const missing = WANTED.filter(name => !names.includes(name));
  const strange = names.filter(name => !WANTED.includes(name) && !ALLOWED.some(pattern => pattern.test(name)));
  const { size } = statSync(file);
  return [
    ...missing.map(name => `Missing from the package: ${name}`),
    ...strange.map(name => `Should not be in the package: ${name}`),
    ...(size > MAX_BYTES ? [`The package has ${size} bytes; ${MAX_BYTES} are the most.`] : []),
  ];
}
