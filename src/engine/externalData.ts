import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { Failure } from "../core/failure";
import { allTensors, type Model } from "../core/onnx/model";
import type { TensorProto } from "../core/onnx/onnx_pb";
import { isExternal, storedBytes } from "../core/onnx/tensors";
import { kindOf } from "./files";

/** A copy is one protobuf message, which ends below 2 GiB; what lies outside the model has to fit into it. */
const MOST_BYTES = 2 ** 31 - 1;

/** Where the bytes of a tensor lie. */
interface Piece {
  readonly tensor: TensorProto;
  /** As the model names it. */
  readonly location: string;
  /** The file itself, behind all links. */
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Brings the tensors that lie in files beside a model into it. Only regular files in the model's own folder are read: a
 * model is not trusted to name others. All places are checked before the first byte is read.
 *
 * @param path of the model.
 * @returns how many bytes that were.
 * @throws {Failure} `model-invalid` for a place outside the folder, a file that is missing or no regular file, a piece beyond
 *                   its end or one that cuts into another; `model-too-large` where all together pass 2 GiB.
 */
export function readExternalData(model: Model, path: string): number {
  const folder = dirname(resolve(path));
  const external = allTensors(model).filter(isExternal);
  const total = external.reduce((sum, tensor) => sum + storedBytes(tensor), 0);
  if (total > MOST_BYTES) {
    throw new Failure(
      "model-too-large",
      `${path} keeps ${total} bytes of weights in other files.`,
      "Models beyond 2 GiB are not handled yet.",
    );
  }
  const pieces = external.map(tensor => placeOf(tensor, folder));
  refuseOverlaps(pieces);
  for (const piece of pieces) {
    piece.tensor.rawData = readPiece(piece);
    piece.tensor.externalData = [];
    piece.tensor.dataLocation = 0;
  }
  return total;
}

function bad(tensor: TensorProto, why: string): Failure {
  return new Failure(
    "model-invalid",
    `The data of tensor "${tensor.name}" ${why}.`,
    "Fetch the model again with all its files.",
  );
}

function placeOf(tensor: TensorProto, folder: string): Piece {
  const entry = (key: string): string | undefined => tensor.externalData.find(one => one.key === key)?.value;
  const location = entry("location") ?? "";
  const file = fileInside(folder, location, tensor);
  // Before it is opened: to open a pipe is to wait for its other end.
  const info = statSync(file);
  if (!info.isFile()) throw bad(tensor, `are in "${location}", which is ${kindOf(info)}, not a regular file`);
  const wanted = storedBytes(tensor);
  const offset = Number(entry("offset") ?? 0);
  const length = Number(entry("length") ?? wanted);
  if (!Number.isSafeInteger(offset) || offset < 0 || length !== wanted) {
    throw bad(
      tensor,
      `are said to be ${length} bytes at ${offset} of "${location}", and its dimensions need ${wanted}`,
    );
  }
  if (offset + wanted > info.size) {
    throw bad(tensor, `end at byte ${offset + wanted} of "${location}", which has ${info.size}`);
  }
  return { tensor, location, file, offset, length };
}

/** Tensors may share a piece as a whole; where one begins within another, one of the two has wrong numbers. */
function refuseOverlaps(pieces: readonly Piece[]): void {
  const inOrder = pieces
    .filter(piece => piece.length > 0)
    .sort((a, b) => (a.file === b.file ? a.offset - b.offset || a.length - b.length : a.file < b.file ? -1 : 1));
  for (let i = 1; i < inOrder.length; i++) {
    const [before, piece] = [inOrder[i - 1]!, inOrder[i]!];
    const same = before.offset === piece.offset && before.length === piece.length;
    if (before.file !== piece.file || before.offset + before.length <= piece.offset || same) continue;
    throw bad(
      piece.tensor,
      `begin at byte ${piece.offset} of "${piece.location}", within those of tensor "${before.tensor.name}", which end at ${before.offset + before.length}`,
    );
  }
}

function readPiece({ tensor, location, file, offset, length }: Piece): Uint8Array {
  const handle = openPiece(file, location, tensor);
  try {
    if (!fstatSync(handle).isFile()) throw bad(tensor, `are in "${location}", which is no regular file any more`);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const read = readSync(handle, bytes, done, length - done, offset + done);
      if (read === 0) throw bad(tensor, `end early in "${location}"`);
      done += read;
    }
    return bytes;
  } finally {
    closeSync(handle);
  }
}

function fileInside(folder: string, location: string, tensor: TensorProto): string {
  if (location === "") throw bad(tensor, "lie in a file that is not named");
  // A path of Windows is refused everywhere, so that a model means the same on every machine.
  if (isAbsolute(location) || /^([a-zA-Z]:|\\)/.test(location)) {
    throw bad(tensor, `lie at "${location}", an absolute path; only files beside the model are read`);
  }
  if (location.includes("\0")) throw bad(tensor, "lie in a file whose name no system allows");
  if (outside(folder, join(folder, location)))
    throw bad(tensor, `lie at "${location}", outside the model's folder`);
  let real: string;
  try {
    real = realpathSync(join(folder, location));
  } catch (error) {
    throw unreachable(error, location, tensor);
  }
  if (outside(realpathSync(folder), real)) {
    throw bad(tensor, `lie behind the link "${location}", outside the model's folder`);
  }
  return real;
}

function outside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way.split(sep)[0] === ".." || isAbsolute(way);
}

function openPiece(file: string, location: string, tensor: TensorProto): number {
  try {
    // Should a pipe have taken the file's place meanwhile, this returns instead of waiting.
    return openSync(file, constants.O_RDONLY | (process.platform === "win32" ? 0 : constants.O_NONBLOCK));
  } catch (error) {
    throw unreachable(error, location, tensor);
  }
}

function unreachable(error: unknown, location: string, tensor: TensorProto): Failure {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  if (code === "ENOENT") return bad(tensor, `should be in "${location}", which is not there`);
  return bad(tensor, `should be in "${location}", which cannot be read (${code})`);
}
