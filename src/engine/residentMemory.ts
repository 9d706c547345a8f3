import { fork } from "node:child_process";
import { join } from "node:path";
import { bundleFolder } from "./bundle";

/** What the process answers. */
type Answer = { readonly bytes: number } | { readonly error: string };

/**
 * Bytes of resident memory that a default session of onnxruntime takes for a model, its own start included: measured in a
 * process of its own, since what earlier sessions leave to the allocator hides the rest.
 */
export function residentBytes(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(join(bundleFolder(), "loadedMemory.js"), { stdio: "ignore", execArgv: [] });
    child.once("message", (answer: Answer) => {
      if ("bytes" in answer) resolve(answer.bytes);
      else reject(new Error(answer.error));
    });
    child.once("error", reject);
    child.once("exit", code => reject(new Error(`The process that loads ${path} ended with ${code}.`)));
    child.send(path);
  });
}
