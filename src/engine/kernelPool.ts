import { readFile } from "node:fs/promises";
import { resolve as absolute } from "node:path";
import { Worker } from "node:worker_threads";
import { compileKernels, instantiate, type KernelName, newMemory } from "../kernels/module";
import { inProcessPool, type Pool } from "../kernels/pool";
import { type WasmLinalg, wasmLinalg, type WasmLinalgOptions } from "../kernels/wasmLinalg";
import type { CompiledModule, SharedMemory } from "../kernels/webAssembly";

/** What a thread is given to begin with. */
export interface Start {
  readonly module: CompiledModule;
  readonly memory: SharedMemory;
  readonly place: number;
}

export interface Task {
  readonly id: number;
  readonly kernel: KernelName;
  readonly parameters: readonly number[];
}

export type Answer = { readonly id: number } & ({ readonly result: number } | { readonly error: Error });

export interface KernelPool extends Pool {
  /** Ends the threads; tasks still under way fail. */
  close(): Promise<void>;
}

/** Tasks a thread holds: the one it works on and one to go on with while the answer to the first is on its way. */
const TASKS_A_THREAD = 2;

interface Waiting {
  readonly task: Task;
  readonly resolve: (result: number) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly under: Map<number, Waiting>;
}

/**
 * The kernels on so many worker threads; on one, they run in the calling thread.
 *
 * @param directory where `kernels.wasm` and `kernelWorker.js` lie: that of the bundle.
 */
export async function kernelPool(threads: number, directory: string): Promise<KernelPool> {
  const module = await compileKernels(await readFile(absolute(directory, "kernels.wasm")));
  const memory = newMemory();
  if (threads <= 1) return { ...inProcessPool(module, memory), close: () => Promise.resolve() };
  const own = instantiate(module, memory, 0);
  const waiting: Waiting[] = [];
  let nextId = 0;
  let broken: Error | undefined;

  const startThread = (place: number): Thread => {
    const start: Start = { module, memory, place };
    const worker = new Worker(absolute(directory, "kernelWorker.js"), { workerData: start });
    const thread: Thread = { worker, under: new Map() };
    worker.on("message", (answer: Answer) => {
      const done = thread.under.get(answer.id);
      thread.under.delete(answer.id);
      if (thread.under.size === 0) worker.unref();
      if ("error" in answer) done?.reject(answer.error);
      else done?.resolve(answer.result);
      dispatch();
    });
    worker.on("error", error => fail(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", code => fail(new Error(`A kernel thread ended with code ${code}.`)));
    // An idle thread does not keep the process alive.
    worker.unref();
    return thread;
  };
  const running = Array.from({ length: threads }, (_, k) => startThread(k + 1));

  const dispatch = (): void => {
    while (waiting.length > 0) {
      const idlest = running.reduce((a, b) => (b.under.size < a.under.size ? b : a));
      if (idlest.under.size >= TASKS_A_THREAD) return;
      const next = waiting.shift()!;
      idlest.under.set(next.task.id, next);
      idlest.worker.ref();
      idlest.worker.postMessage(next.task);
    }
  };

  const fail = (error: Error): void => {
    broken ??= error;
    const lost = [...waiting.splice(0), ...running.flatMap(thread => [...thread.under.values()])];
    for (const thread of running) thread.under.clear();
    for (const one of lost) one.reject(broken);
  };

  return {
    threads,
    memory,
    own,
    run: (kernel, parameters) =>
      new Promise((resolve, reject) => {
        if (broken) return reject(broken);
        waiting.push({ task: { id: nextId++, kernel, parameters }, resolve, reject });
        dispatch();
      }),
    close: async () => {
      broken ??= new Error("The kernel threads were closed.");
      await Promise.all(running.map(thread => thread.worker.terminate()));
    },
  };
}

/** The heavy loops on so many threads, ready for use. */
export async function openLinalg(
  threads: number,
  directory: string,
  pause: () => Promise<void>,
  options?: WasmLinalgOptions,
): Promise<{ linalg: WasmLinalg; close: () => Promise<void> }> {
  const pool = await kernelPool(threads, directory);
  return { linalg: wasmLinalg(pool, pause, options), close: () => pool.close() };
}
