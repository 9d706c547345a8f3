import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/core/failure";
import { readDataFile } from "../../src/engine/dataFile";
import { openModel } from "../../src/engine/modelFile";
import { feedsOf, openSamples } from "../../src/engine/samples";
import { openTensorStore } from "../../src/engine/tensorStore";
import type { HostileData } from "./hostileData";
import type { HostileModel } from "./hostileModels";
import { run } from "./run";

/** What a quantization says of a hostile model, made in an empty folder. */
export async function saidOf({ make }: HostileModel, folder: string): Promise<string> {
  const [own, beside] = [join(folder, "own"), join(folder, "beside")];
  mkdirSync(own);
  mkdirSync(beside);
  make(own);
  return saidBy(own, () => run(join(own, "model.onnx"), join(beside, "copy.onnx"), { bits: 8, method: "msq" }));
}

/** What is said of hostile data, made in an empty folder, when they are read for the sample model. */
export function saidOfData({ make }: HostileData, folder: string): Promise<string> {
  const { model } = openModel("samples/mnist_mlp.onnx");
  return saidBy(folder, async () => {
    const found = await openSamples(await readDataFile(join(folder, make(folder))), "data", model, 10);
    const all = Array.from({ length: found.count }, (_, sample) => sample);
    await feedsOf(found, all, openTensorStore(Infinity).keep);
  });
}

async function saidBy(folder: string, work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Failure)
      return `${error.code}: ${error.message.replaceAll(join(folder, "/"), "").replaceAll(folder, "FOLDER")}`;
    throw error;
  }
  return "a result";
}

/** A row of the table of hostile files, test/bench/hostile.md. */
export function rowOf(kind: string, said: string): string {
  return `| ${[kind, said].map(cell => cell.replaceAll(/[|*_]/g, "\\$&")).join(" | ")} |`;
}
