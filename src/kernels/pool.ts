import { instantiate, type KernelName, type Kernels } from "./module";
import type { CompiledModule, SharedMemory } from "./webAssembly";

/** Instances of the kernels on one shared memory, on one thread or several. */
export interface Pool {
  /** How many kernels can run at once. */
  readonly threads: number;
  readonly memory: SharedMemory;
  /** The caller's own instance, for what is too small to send elsewhere. */
  readonly own: Kernels;
  /** Runs a kernel as soon as a thread is free, and gives what it returns (0 where it returns nothing). */
  run(kernel: KernelName, parameters: readonly number[]): Promise<number>;
}

/** A pool of the calling thread alone. */
export function inProcessPool(module: CompiledModule, memory: SharedMemory): Pool {
  const own = instantiate(module, memory, 0);
  return {
    threads: 1,
    memory,
    own,
    run: (kernel, parameters) => {
      // Not an async function: what the kernel throws should reject, and nothing should be put off.
      try {
        return Promise.resolve(own[kernel](...parameters) ?? 0);
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error(String(error)));
      }
    },
  };
}
