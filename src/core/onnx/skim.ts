import {
  create,
  type DescMessage,
  isMessage,
  mergeFromBinary,
  type Message,
  type MessageShape,
} from "@bufbuild/protobuf";
import { byteReader, type FileSource, putElsewhere } from "./bytes";
import { TensorProtoSchema } from "./onnx_pb";
import type { Stretch } from "./wire";

/**
 * Reads a message of a file but for the stretches named, which stay where they are: the tensors they belong to know the place.
 *
 * @param source a message that was found readable (`walkMessage`).
 * @param left   the `raw_data` of tensors to leave, in the order of the file.
 */
export function skim<Desc extends DescMessage>(
  schema: Desc,
  source: FileSource,
  left: readonly Stretch[],
): MessageShape<Desc> {
  const message = create(schema);
  skimInto(message, schema, { source, byte: byteReader(source), left, next: 0 }, 0, source.length);
  return message;
}

interface Skimmed {
  readonly source: FileSource;
  readonly byte: (at: number) => number;
  readonly left: readonly Stretch[];
  /** Which of them comes next. */
  next: number;
}

/** Adds what stands from `start` to `end`: all of it at once where nothing of it is left, else field by field. */
function skimInto(message: Message, schema: DescMessage, from: Skimmed, start: number, end: number): void {
  const { source, byte, left } = from;
  let taken = start;
  const takeTo = (to: number): void => {
    if (to > taken) mergeFromBinary(schema, message, source.read(taken, to - taken));
  };
  while (from.next < left.length && left[from.next]!.start < end) {
    const { start: offset, end: behind } = left[from.next]!;
    let at = taken;
    let field = fieldAt(byte, at);
    while (field.end <= offset) {
      at = field.end;
      field = fieldAt(byte, at);
    }
    takeTo(at);
    taken = field.end;
    if (field.content === offset) {
      const length = behind - offset;
      const read = (): Uint8Array => source.read(offset, length);
      if (!isMessage(message, TensorProtoSchema)) throw new Error("Only tensors are left where they are.");
      putElsewhere(message, { length, read, place: { source, offset } });
      from.next++;
    } else {
      const { localName, message: inner } = schema.fields.find(one => one.number === field.number)!;
      const own: unknown = Reflect.get(message, localName);
      // A field that may come once and comes twice is one message, by the rules of protobuf.
      const part = isMessage(own) ? own : create(inner!);
      if (Array.isArray(own)) own.push(part);
      else Reflect.set(message, localName, part);
      skimInto(part, inner!, from, field.content, field.end);
    }
  }
  takeTo(end);
}

interface FieldAt {
  readonly number: number;
  /** Where what it holds begins, behind tag and length. */
  readonly content: number;
  readonly end: number;
}

/** Where a field of a readable message begins and ends. */
function fieldAt(byte: (at: number) => number, start: number): FieldAt {
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let i = 0; ; i++) {
      const one = byte(at++);
      value += (one & 127) * 2 ** (7 * i);
      if (one < 128) return value;
    }
  };
  const tag = varint();
  const number = Math.floor(tag / 8);
  switch (tag % 8) {
    case 0: {
      const content = at;
      varint();
      return { number, content, end: at };
    }
    case 1:
      return { number, content: at, end: at + 8 };
    case 5:
      return { number, content: at, end: at + 4 };
    default: {
      const length = varint();
      return { number, content: at, end: at + length };
    }
  }
}
