import type { FileSource } from "../core/onnx/bytes";
import { type Model, readModel } from "../core/onnx/model";
import { findExternalData } from "./externalData";
import { modelSource } from "./modelSource";

export interface ModelFile {
  /** The bytes of its larger tensors, and of those in other files, stay where they are until they are asked for. */
  readonly model: Model;
  /** The model file itself. */
  readonly source: FileSource;
  /** Of the file and of the data it keeps in others. */
  readonly totalBytes: number;
  /** Whether tensors lie in other files. */
  readonly external: boolean;
  /** The model file, and those other ones. */
  readonly files: readonly string[];
  /** Bytes of those other files that no tensor has, by the name the model gives the file. */
  readonly unreferenced: ReadonlyMap<string, number>;
}

/** @throws {Failure} `model-…` for what cannot be read. */
export function openModel(path: string): ModelFile {
  const source = modelSource(path);
  const model = readModel(source, path);
  const { bytes, files, unreferenced } = findExternalData(model, path);
  return {
    model,
    source,
    totalBytes: source.length + bytes,
    external: files.length > 0,
    files: [path, ...files],
    unreferenced,
  };
}
