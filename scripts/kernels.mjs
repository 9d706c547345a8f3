// Compiles src/kernels/assembly to dist/kernels.wasm: plain SIMD (every machine rounds alike), shared memory that the
// caller brings, no runtime. Takes about five seconds.
import { main } from "assemblyscript/asc";
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** @param {string} outFile */
export async function buildKernels(outFile = "dist/kernels.wasm") {
  mkdirSync(dirname(outFile), { recursive: true });
  const { error, stderr } = await main(
    // prettier-ignore
    ["src/kernels/assembly/index.ts", "--outFile", outFile, "-O3", "--noAssert", "--runtime", "stub", "--use", "abort=",
     "--enable", "simd", "--enable", "threads", "--enable", "bulk-memory",
     "--importMemory", "--sharedMemory", "--initialMemory", "1", "--maximumMemory", "65536"],
  );
  if (error) throw new Error(`The kernels do not compile: ${stderr.toString()}`);
  return statSync(outFile).size;
}

if (import.meta.url === `file://${process.argv[1]}`) {
  console.log(`dist/kernels.wasm: ${await buildKernels()} bytes`);
}
