import {
  create,
  type DescField,
  type DescMessage,
  isFieldSet,
  isMessage,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { type BytesElsewhere, elsewhere, bytePieces } from "./bytes";
import { TensorProtoSchema } from "./onnx_pb";

// Writes a message in which tensors have their bytes elsewhere: to the byte what protobuf would write with all of them in it,
// but as a list of parts of which those are read one by one.

/** A piece of a file: bytes, or the bytes of a tensor that are elsewhere. */
export type Part = Uint8Array | BytesElsewhere;

export function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** All parts in one piece of memory. */
export function joined(parts: readonly Part[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only instanceof Uint8Array) return only;
  const bytes = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    for (const piece of part instanceof Uint8Array ? [part] : bytePieces(part)) {
      bytes.set(piece, at);
      at += piece.length;
    }
  }
  return bytes;
}

/** The message in parts, in order: what lies between two tensors is one. */
export function partsOf(schema: DescMessage, message: Message): Part[] {
  if (!holdsElsewhere(schema, message)) return [toBinary(schema, message)];
  // Protobuf writes fields in the order of their numbers, and those it does not know behind them.
  const fields = [...schema.fields].sort((a, b) => a.number - b.number);
  const parts = fields.flatMap(field => fieldParts(schema, message, field));
  if (message.$unknown) parts.push(alone(schema, message, "$unknown"));
  return merged(parts);
}

/** The messages that a field of a message holds; none where it holds numbers or text. */
function messagesIn(message: Message, { localName }: DescField): Message[] {
  const held: unknown = Reflect.get(message, localName);
  return [held].flat().filter(one => isMessage(one));
}

function fieldParts(schema: DescMessage, message: Message, field: DescField): Part[] {
  const inner = field.message;
  const bytes = isMessage(message, TensorProtoSchema) ? elsewhere(message) : undefined;
  if (bytes && field.number === TensorProtoSchema.field.rawData.number) {
    return [tagAndLength(field, bytes.length), bytes];
  }
  if (!isFieldSet(message, field)) return [];
  if (!inner) return [alone(schema, message, field.localName)];
  return messagesIn(message, field).flatMap(one => {
    const parts = partsOf(inner, one);
    return [tagAndLength(field, lengthOf(parts)), ...parts];
  });
}

/** One field of a message, or its unknown ones, as protobuf writes it. */
function alone(schema: DescMessage, message: Message, name: string): Uint8Array {
  const single = create(schema);
  Reflect.set(single, name, Reflect.get(message, name));
  return toBinary(schema, single);
}

function tagAndLength(field: DescField, length: number): Uint8Array {
  const LENGTH_DELIMITED = 2;
  const bytes: number[] = [];
  for (const number of [field.number * 8 + LENGTH_DELIMITED, length]) {
    let rest = number;
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

function merged(parts: readonly Part[]): Part[] {
  const result: Part[] = [];
  let run: Uint8Array[] = [];
  const flush = (): void => {
    if (run.length > 0) result.push(joined(run));
    run = [];
  };
  for (const part of parts) {
    if (part instanceof Uint8Array) run.push(part);
    else {
      flush();
      result.push(part);
    }
  }
  flush();
  return result;
}

function holdsElsewhere(schema: DescMessage, message: Message): boolean {
  if (isMessage(message, TensorProtoSchema)) return elsewhere(message) !== undefined;
  return schema.fields.some(field => {
    const { message: inner } = field;
    return (
      inner && isFieldSet(message, field) && messagesIn(message, field).some(one => holdsElsewhere(inner, one))
    );
  });
}
