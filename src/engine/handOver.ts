import { mkdtempSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { Failure } from "../core/failure";
import { elsewhere } from "../core/onnx/bytes";
import { layOut, withPlaces } from "../core/onnx/external";
import { modelParts } from "../core/onnx/model";
import type { ModelProto } from "../core/onnx/onnx_pb";
import { joined, lengthOf, type Part } from "../core/onnx/splice";
import { noRoom } from "./data/temporaryFile";
import { pendingAt, writeParts } from "./files";

/** A model as onnxruntime takes it: bytes, or the path of a file. */
export interface HandedOver {
  readonly from: Uint8Array | string;
  /** Of all of it. */
  readonly bytes: number;
  /** What the places of its external data are relative to; undefined: the folder of the file. */
  readonly folder?: string;
  /** Takes temporary files away; they are in use as long as the session is, which only Windows minds. */
  close?(): void;
}

/** What the nodes of a part and its small tensors may take in any case. */
const NODES_BYTES = 2 ** 20;

/**
 * Hands a model over: a small one as bytes. Of a large one onnxruntime gets a file that says where its tensors lie, and maps
 * them into memory itself: where they are, or, where they have yet to be made, in a second file beside it.
 *
 * @throws {Failure} `no-room` where temporary files cannot be written.
 */
export function handOver(model: ModelProto, mostInMemory: number): HandedOver {
  const parts = modelParts(model);
  const bytes = lengthOf(parts);
  if (bytes <= mostInMemory) return { from: joined(parts), bytes };
  const inPlace = whereItLies(model);
  if (inPlace && lengthOf(inPlace.message) <= Math.max(mostInMemory, NODES_BYTES)) {
    return { ...writtenFiles([["model.onnx", inPlace.message]]), bytes, folder: inPlace.folder };
  }
  const { message, data } = layOut(model, { location: "model.data", external: true });
  return { ...writtenFiles([["model.onnx", message], ...(data ? [["model.data", data] as const] : [])]), bytes };
}

/** The model with its tensors in the files they lie in; undefined where those have no folder in common. */
function whereItLies(model: ModelProto): { message: Part[]; folder: string } | undefined {
  const files: string[] = [];
  withPlaces(model, tensor => {
    const place = elsewhere(tensor)?.place;
    if (place) files.push(place.source.file);
    return undefined;
  });
  const folder = commonFolder(files);
  if (folder === undefined) return undefined;
  const message = modelParts(
    withPlaces(model, tensor => {
      const place = elsewhere(tensor)?.place;
      if (!place) return undefined;
      return { location: relative(folder, place.source.file).split(sep).join("/"), offset: place.offset };
    }),
  );
  return { message, folder };
}

/** The deepest folder that holds all files; onnxruntime opens none outside the one it is given. */
function commonFolder(files: readonly string[]): string | undefined {
  const [first, ...others] = files.map(file => dirname(file).split(sep));
  if (!first) return undefined;
  const differs = first.findIndex((name, depth) => others.some(other => other[depth] !== name));
  const shared = first.slice(0, differs < 0 ? first.length : differs);
  return shared.length === 0 ? undefined : shared.join(sep) || sep;
}

function writtenFiles(
  files: readonly (readonly [name: string, parts: readonly Part[]])[],
): Omit<HandedOver, "bytes"> {
  let close: (() => void) | undefined;
  try {
    const folder = mkdtempSync(join(tmpdir(), "whittle-"));
    close = pendingAt(folder).discard;
    for (const [name, parts] of files) writeParts(openSync(join(folder, name), "wx"), parts);
    return { from: join(folder, files[0]![0]), close };
  } catch (error) {
    close?.();
    const reason = noRoom(error);
    if (reason === undefined) throw error;
    throw new Failure(
      "no-room",
      `A part of the model that is too large for memory cannot be written to ${tmpdir()} (${reason}).`,
      "Make room there.",
    );
  }
}
