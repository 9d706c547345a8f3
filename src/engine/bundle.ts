import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Where the bundles lie, with `kernels.wasm` and `kernelWorker.js` beside them; the bundled tests are some folders below.
 */
export function bundleFolder(): string {
  for (let folder = __dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, "kernels.wasm"))) return folder;
  }
  throw new Error(`kernels.wasm is not beside the program in ${__dirname}: run "npm run build".`);
}
