import { parentPort, workerData } from "node:worker_threads";
import { instantiate } from "../kernels/module";
import type { Answer, Start, Task } from "./kernelPool";

// One thread of the pool: its own instance of the kernels on the memory all share, and one kernel after the other.

const { module, memory, place } = workerData as Start;
const kernels = instantiate(module, memory, place);

parentPort!.on("message", ({ id, kernel, parameters }: Task) => {
  let answer: Answer;
  try {
    answer = { id, result: kernels[kernel](...parameters) ?? 0 };
  } catch (error) {
    answer = { id, error: error instanceof Error ? error : new Error(String(error)) };
  }
  parentPort!.postMessage(answer);
});
