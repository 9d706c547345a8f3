import { type Model, readModel } from "../core/onnx/model";
import { readExternalData } from "./externalData";
import { readWhole } from "./files";

export interface ModelFile {
  readonly model: Model;
  /** Of the model file itself. */
  readonly bytes: Uint8Array;
  /** Of the file and of the data it keeps in others. */
  readonly totalBytes: number;
  /** Whether tensors were read from other files; a copy is one file. */
  readonly external: boolean;
}

/** @throws {Failure} `model-…` for what cannot be read. */
export async function openModel(path: string): Promise<ModelFile> {
  const bytes = await readWhole(path, "model");
  const model = readModel(bytes, path);
  const outside = readExternalData(model, path);
  return { model, bytes, totalBytes: bytes.length + outside, external: outside > 0 };
}
