import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { Failure } from "../core/failure";
import type { FileSource } from "../core/onnx/bytes";
import { allSparseParts, allTensors, type Model } from "../core/onnx/model";
import type { TensorProto } from "../core/onnx/onnx_pb";
import { foundOutside, isExternal, storedBytes } from "../core/onnx/tensors";
import { kindOf } from "./files";
import { modelSource } from "./modelSource";

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

/** What a model keeps in other files. */
export interface ExternalData {
  /** Of all its tensors there. */
  readonly bytes: number;
  readonly files: readonly string[];
  /** Bytes of those files that no tensor has, but for what aligns them, by the name the model gives the file. */
  readonly unreferenced: ReadonlyMap<string, number>;
}

/** Writers put tensors at multiples of this (onnx.proto), so gaps shorter than it before such a place are theirs. */
const ALIGNMENT = 4096;

/**
 * Finds the tensors that lie in files beside a model; their bytes stay there until they are asked for. Only regular files in the
 * model's own folder are read: a model is not trusted to name others. All places are checked before the first byte is read.
 *
 * @param path of the model.
 * @throws {Failure} `model-invalid` for a place outside the folder, a file that is missing or no regular file, a piece beyond
 *                   its end, one that cuts into another, or one of a sparse tensor.
 */
export function findExternalData(model: Model, path: string): ExternalData {
  const folder = dirname(resolve(path));
  // Handed on as they are, onnxruntime would look for them beside whatever it is given.
  const sparse = allSparseParts(model).find(isExternal);
  if (sparse) throw bad(sparse, "are of a sparse tensor and lie in another file, which is not read");
  const pieces = allTensors(model)
    .filter(isExternal)
    .map(tensor => placeOf(tensor, folder));
  const inOrder = inOrderOfPlace(pieces);
  refuseOverlaps(inOrder);
  const sources = new Map<string, FileSource>();
  for (const { tensor, file, offset, length } of pieces) {
    const source = sources.get(file) ?? modelSource(file);
    sources.set(file, source);
    foundOutside(tensor, { length, read: () => source.read(offset, length), place: { source, offset } });
  }
  return {
    bytes: pieces.reduce((sum, piece) => sum + piece.length, 0),
    files: [...sources.keys()],
    unreferenced: new Map(
      [...sources].map(([file, source]) => {
        const ofFile = inOrder.filter(piece => piece.file === file);
        return [
          pieces.find(piece => piece.file === file)!.location,
          unreferencedBytes(ofFile, source.length),
        ] as const;
      }),
    ),
  };
}

/** Bytes of a file before, between and behind its pieces. */
function unreferencedBytes(inOrder: readonly Piece[], size: number): number {
  let bytes = 0;
  let end = 0;
  for (const piece of inOrder) {
    const gap = Math.max(0, piece.offset - end);
    if (gap >= ALIGNMENT || piece.offset % ALIGNMENT !== 0) bytes += gap;
    end = Math.max(end, piece.offset + piece.length);
  }
  return bytes + size - end;
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

/** Those that hold any bytes, file by file. */
function inOrderOfPlace(pieces: readonly Piece[]): Piece[] {
  return pieces
    .filter(piece => piece.length > 0)
    .sort((a, b) => (a.file === b.file ? a.offset - b.offset || a.length - b.length : a.file < b.file ? -1 : 1));
}

/** Tensors may share a piece as a whole; where one begins within another, one of the two has wrong numbers. */
function refuseOverlaps(inOrder: readonly Piece[]): void {
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
    accessSync(real, constants.R_OK);
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

function unreachable(error: unknown, location: string, tensor: TensorProto): Failure {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  if (code === "ENOENT") return bad(tensor, `should be in "${location}", which is not there`);
  return bad(tensor, `should be in "${location}", which cannot be read (${code})`);
}
