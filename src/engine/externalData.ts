import { closeSync, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { Failure } from "../core/failure";
import { allGraphs, type Model } from "../core/onnx/model";
import type { TensorProto } from "../core/onnx/onnx_pb";
import { isExternal, storedBytes } from "../core/onnx/tensors";

/** A copy is one protobuf message, which ends below 2 GiB; what lies outside the model has to fit into it. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * Brings the tensors that lie in files beside a model into it. Only files in the model's own folder are read: a model is not
 * trusted to name others.
 *
 * @param path of the model.
 * @returns how many bytes that were.
 * @throws {Failure} `model-invalid` for a place outside the folder, a missing file or a piece beyond its end;
 *                   `model-too-large` where all together pass 2 GiB.
 */
export function readExternalData(model: Model, path: string): number {
  const folder = dirname(resolve(path));
  const external = allGraphs(model).flatMap(graph => graph.initializer.filter(isExternal));
  const total = external.reduce((sum, tensor) => sum + storedBytes(tensor), 0);
  if (total > MOST_BYTES) {
    throw new Failure(
      "model-too-large",
      `${path} keeps ${total} bytes of weights in other files.`,
      "Models beyond 2 GiB are not handled yet.",
    );
  }
  for (const tensor of external) {
    tensor.rawData = readPiece(tensor, folder);
    tensor.externalData = [];
    tensor.dataLocation = 0;
  }
  return total;
}

function readPiece(tensor: TensorProto, folder: string): Uint8Array {
  const bad = (why: string): Failure =>
    new Failure(
      "model-invalid",
      `The data of tensor "${tensor.name}" ${why}.`,
      "Fetch the model again with all its files.",
    );
  const entry = (key: string): string | undefined => tensor.externalData.find(one => one.key === key)?.value;
  const location = entry("location") ?? "";
  const file = placeInside(folder, location, bad);
  const handle = openPiece(file, location, bad);
  try {
    const info = fstatSync(handle);
    if (!info.isFile()) throw bad(`are in "${location}", which is not a regular file`);
    const wanted = storedBytes(tensor);
    const offset = Number(entry("offset") ?? 0);
    const length = Number(entry("length") ?? wanted);
    if (!Number.isSafeInteger(offset) || offset < 0 || length !== wanted) {
      throw bad(`are said to be ${length} bytes at ${offset} of "${location}", and its dimensions need ${wanted}`);
    }
    if (offset + wanted > info.size) {
      throw bad(`end at byte ${offset + wanted} of "${location}", which has ${info.size}`);
    }
    const bytes = new Uint8Array(wanted);
    for (let done = 0; done < wanted;) {
      const read = readSync(handle, bytes, done, wanted - done, offset + done);
      if (read === 0) throw bad(`end early in "${location}"`);
      done += read;
    }
    return bytes;
  } finally {
    closeSync(handle);
  }
}

function placeInside(folder: string, location: string, bad: (why: string) => Failure): string {
  if (location === "" || isAbsolute(location)) throw bad(`lie at "${location}", which is no path beside the model`);
  const outside = (path: string): boolean =>
    relative(folder, path).split(sep)[0] === ".." || isAbsolute(relative(folder, path));
  const file = join(folder, location);
  if (outside(file)) throw bad(`lie at "${location}", outside the model's folder`);
  let real: string;
  try {
    real = realpathSync(file);
  } catch (error) {
    throw bad(
      `should be in "${location}", which cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    );
  }
  const inside = relative(realpathSync(folder), real);
  if (inside.split(sep)[0] === ".." || isAbsolute(inside))
    throw bad(`lie behind the link "${location}", outside the model's folder`);
  return real;
}

function openPiece(file: string, location: string, bad: (why: string) => Failure): number {
  try {
    return openSync(file, "r");
  } catch (error) {
    throw bad(
      `should be in "${location}", which cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    );
  }
}
