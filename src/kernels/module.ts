import { type CompiledModule, type SharedMemory, webAssembly } from "./webAssembly";

/** Names of what the module exports; the assembly sources say what each computes and what its arguments are. */
export const KERNEL_NAMES = [
  "cholesky",
  "choleskyBelow",
  "choleskyDiagonal",
  "columnSums",
  "crossRows",
  "diagonalize",
  "factorInputs",
  "formReflections",
  "formTableau",
  "gramBlock",
  "kernelWalk",
  "metricNorms",
  "minPivotPanel",
  "minPivotUpdate",
  "multiply",
  "nearest",
  "pack",
  "refine",
  "roundingErrors",
  "solveColumns",
  "squaredNorms",
  "sweep",
  "tridiagonalize",
  "walk",
] as const;
export type KernelName = (typeof KERNEL_NAMES)[number];

/** Pointers, sizes, numbers and flags (0 or 1); an answer of kernels without one is undefined. */
export type Kernel = (...parameters: number[]) => number | undefined;

/** One instance of the module. */
export interface Kernels extends Record<KernelName, Kernel> {
  setScratch(pointer: number): void;
  scratchBytes(): number;
  kernelWalkBytes(places: number): number;
  walkStateBytes(paths: number, block: number): number;
  walkScratchBytes(neurons: number, paths: number, block: number): number;
}

const PAGE = 65_536;
/** All that 32-bit addresses reach: 4 GiB. */
const MOST_PAGES = 65_536;

/** Where the first instance's scratch memory lies; below it is what the compiler keeps for itself. */
export const FIRST_FREE = PAGE;

/** @param bytes what `node scripts/kernels.mjs` wrote. */
export function compileKernels(bytes: Uint8Array): Promise<CompiledModule> {
  return webAssembly.compile(bytes);
}

export function newMemory(): SharedMemory {
  return new webAssembly.Memory({ initial: 2, maximum: MOST_PAGES, shared: true });
}

/** @param place 0 for the caller's own instance, 1, 2, ... for those of worker threads: each has its own scratch memory. */
export function instantiate(module: CompiledModule, memory: SharedMemory, place: number): Kernels {
  const kernels = new webAssembly.Instance(module, { env: { memory } }).exports as Kernels;
  ensureBytes(memory, FIRST_FREE + (place + 1) * kernels.scratchBytes());
  kernels.setScratch(FIRST_FREE + place * kernels.scratchBytes());
  return kernels;
}

/** Grows the memory to at least so many bytes. */
export function ensureBytes(memory: SharedMemory, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
  if (missing > 0) memory.grow(missing);
}
