import type { TensorProto } from "./onnx_pb";

/** Bytes that are read piece by piece: a file, or what is in memory already. */
export interface Source {
  readonly length: number;
  /** Fewer bytes than asked for never come: what is read lies within `length`. */
  read(offset: number, length: number): Uint8Array;
  /** Path of the file; undefined for bytes in memory, of which nothing is worth leaving where it is. */
  readonly file?: string;
}

export type FileSource = Source & { readonly file: string };

export function isFile(source: Source): source is FileSource {
  return source.file !== undefined;
}

export function inMemory(bytes: Uint8Array): Source {
  return { length: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** Where a stretch of a file begins. */
export interface Place {
  readonly source: FileSource;
  readonly offset: number;
}

/**
 * The bytes of a tensor that are not in its message: in a file, or yet to be made. They are what `raw_data` would hold, and
 * nobody keeps them.
 */
export interface BytesElsewhere {
  readonly length: number;
  /** Reads or makes them anew, from byte 0 of a buffer of their own. */
  read(): Uint8Array;
  /** Where they lie; undefined where they are made. */
  readonly place?: Place;
  /** Of those that are made: the same bytes in pieces, so that all of them need not be in memory. */
  pieces?(): Iterable<Uint8Array>;
}

/** Bytes of a file that are read at once where all of it is gone through. */
const AT_ONCE = 2 ** 24;

/** The bytes in order, some at a time where that can be. */
export function* bytePieces(bytes: BytesElsewhere): Generator<Uint8Array> {
  const { length, place } = bytes;
  if (place) {
    for (let at = 0; at < length; at += AT_ONCE)
      yield place.source.read(place.offset + at, Math.min(AT_ONCE, length - at));
  } else yield* bytes.pieces?.() ?? [bytes.read()];
}

// A property beside the fields of the message, so that a message made from another by `changed` has it, too.
const ELSEWHERE = Symbol("bytes elsewhere");
type Carrier = TensorProto & { [ELSEWHERE]?: BytesElsewhere | undefined };

/** Says where the bytes of a tensor are; its message holds none. Undefined: the message is all there is. */
export function putElsewhere(tensor: TensorProto, bytes: BytesElsewhere | undefined): TensorProto {
  (tensor as Carrier)[ELSEWHERE] = bytes;
  return tensor;
}

/** Where the bytes of a tensor are, if not in its message. */
export function elsewhere(tensor: TensorProto): BytesElsewhere | undefined {
  return (tensor as Carrier)[ELSEWHERE];
}

/** The length of `raw_data`, wherever it is. */
export function rawLength(tensor: TensorProto): number {
  return elsewhere(tensor)?.length ?? tensor.rawData.length;
}

/** Reads one byte after the other through a window of the source. */
export function byteReader(source: Source): (at: number) => number {
  let start = 0;
  let window = source.file === undefined ? source.read(0, source.length) : new Uint8Array(0);
  return at => {
    if (at < start || at >= start + window.length) {
      start = at;
      window = source.read(at, Math.min(WINDOW_BYTES, source.length - at));
    }
    return window[at - start]!;
  };
}

/** Small against what is stepped over between two windows, and large against a node. */
const WINDOW_BYTES = 2 ** 14;
