import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/core/failure";
import type { HostileModel } from "./hostileModels";
import { run } from "./run";

/** What a quantization says of a hostile model, made in an empty folder. */
export async function saidOf({ make }: HostileModel, folder: string): Promise<string> {
  const [own, beside] = [join(folder, "own"), join(folder, "beside")];
  mkdirSync(own);
  mkdirSync(beside);
  make(own);
  try {
    await run(join(own, "model.onnx"), join(beside, "copy.onnx"), { bits: 8, method: "msq" });
  } catch (error) {
    if (error instanceof Failure) return `${error.code}: ${error.message.replaceAll(join(own, "/"), "")}`;
    throw error;
  }
  return "a result";
}
