import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { byteReader, isFile, type Source } from "./bytes";
import { TensorProtoSchema } from "./onnx_pb";

/** Protobuf's own limit of messages inside messages, in C++ as in onnxruntime: deeper files cannot be loaded anywhere. */
const MAX_DEPTH = 100;
/**
 * Protobuf, and so onnxruntime, takes no single message of 2 GiB or more, nor any part of one. A file may hold more where that is
 * the bytes of its tensors, which are left where they are.
 */
const MAX_LENGTH = 2 ** 31 - 1;
/** Bytes of a tensor in a file that are worth a place of their own; fewer are read with the message. */
const LEAST_LEFT = 4096;
/**
 * What reading may make of a file, in bytes of the JavaScript heap, of which Node takes 2 to 4 GB by itself. Bytes of tensors are
 * views, or left where they are, and cost nothing; a node of two bytes becomes an object of hundreds.
 */
const MAX_HEAP_BYTES = 2 ** 31;
// What protobuf-es makes of half a million of each, by process.memoryUsage().heapUsed in Node 20:
/** An empty node 161, an empty tensor 385, an empty attribute 408. */
const HEAP_BYTES_PER_MESSAGE = 400;
/** An entry of a list of floats 25, of int32 9. */
const HEAP_BYTES_PER_NUMBER = 25;
/** An entry of a list of int64 33: a bigint of its own. */
const HEAP_BYTES_PER_BIGINT = 33;
/** A field we do not know, kept to be written again, 153. */
const HEAP_BYTES_PER_PART = 153;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

const BIGINTS = new Set([ScalarType.INT64, ScalarType.UINT64, ScalarType.SINT64]);

/** From one byte to before another. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/**
 * Walks over a protobuf message without making anything of it, and says what keeps it from being read: where it ends early,
 * where it is damaged, or which bound it passes. Everything after may allocate what the message asks for.
 *
 * @param schema of the outermost message; fields it does not have are stepped over.
 * @returns `why`, a clause that can follow "model.onnx ", or undefined for a message that can be read; and of a file `left`, the
 *          bytes of its tensors that are better left where they are.
 * @see protobuf.dev/programming-guides/encoding
 */
export function walkMessage(
  source: Source,
  schema: DescMessage,
): { readonly why: string | undefined; readonly left: readonly Stretch[] } {
  const left: Stretch[] = [];
  try {
    walk({ source, byte: byteReader(source), left, at: 0, heapBytes: 0 }, schema, source.length, []);
    return { why: undefined, left };
  } catch (error) {
    if (error instanceof Damage) return { why: error.message, left };
    throw error;
  }
}

interface Walker {
  readonly source: Source;
  readonly byte: (at: number) => number;
  readonly left: Stretch[];
  at: number;
  heapBytes: number;
}

/** Ends the walk; never leaves this file. */
class Damage extends Error {}

function walk(walker: Walker, schema: DescMessage, end: number, path: readonly string[]): void {
  if (path.length > MAX_DEPTH) {
    throw new Damage(`nests its messages more than ${MAX_DEPTH} deep, at byte ${walker.at}`);
  }
  spend(walker, HEAP_BYTES_PER_MESSAGE);
  const fields = fieldsOf(schema);
  while (walker.at < end) {
    const start = walker.at;
    const tag = varint(walker, end, path);
    const field = fields.get(Math.floor(tag / 8));
    const within = field ? [...path, field.name] : path;
    if (tag < 8 || tag > 2 ** 32 - 1) throw damagedAt(start, "a field has an impossible number");
    if (!field) spend(walker, HEAP_BYTES_PER_PART);
    else if (!canBeStoredAs(field, tag % 8))
      throw damagedAt(start, `${nameOf(within)} is stored as something else`);
    switch (tag % 8) {
      case VARINT:
        varint(walker, end, within);
        spendOnNumbers(walker, field, 1);
        break;
      case FIXED64:
        step(walker, 8, end, within);
        spendOnNumbers(walker, field, 1);
        break;
      case FIXED32:
        step(walker, 4, end, within);
        spendOnNumbers(walker, field, 1);
        break;
      case LENGTH_DELIMITED: {
        const length = varint(walker, end, within);
        const isRaw = field !== undefined && isRawData(schema, field);
        if (length > MAX_LENGTH && !((field?.message || isRaw) && walker.at + length <= end)) {
          throw damagedAt(start, `${nameOf(within)} claims ${length} bytes, and protobuf ends at ${MAX_LENGTH}`);
        }
        const first = walker.at;
        step(walker, length, end, within);
        if (isRaw && isFile(walker.source) && length >= LEAST_LEFT) {
          walker.left.push({ start: first, end: first + length });
          break;
        }
        // Of bytes in memory already these are views.
        const copied = isFile(walker.source) && (!field || field.scalar === ScalarType.BYTES);
        if (copied) spend(walker, length);
        if (!field) break;
        if (field.message) {
          walker.at = first;
          walk(walker, field.message, first + length, within);
        } else if (field.fieldKind === "list" && field.scalar !== undefined) {
          spendOnList(walker, field.scalar, first, length);
        } else if (field.scalar === ScalarType.STRING) spend(walker, length);
        break;
      }
      default:
        throw damagedAt(start, "a field is of a kind that ONNX does not use");
    }
  }
}

/** Whether a field holds the bytes of a tensor. */
function isRawData(schema: DescMessage, field: DescField): boolean {
  return schema.typeName === TensorProtoSchema.typeName && field.number === TensorProtoSchema.field.rawData.number;
}

/** Whether a field is of the wire type its schema says; lists of numbers may also be packed into one piece. */
function canBeStoredAs(field: DescField, wireType: number): boolean {
  const { scalar } = field;
  if (scalar === undefined) return wireType === (field.enum ? VARINT : LENGTH_DELIMITED);
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return wireType === LENGTH_DELIMITED;
  if (wireType === LENGTH_DELIMITED) return field.fieldKind === "list";
  if (scalar === ScalarType.FLOAT) return wireType === FIXED32;
  if (scalar === ScalarType.DOUBLE) return wireType === FIXED64;
  return wireType === VARINT;
}

function spendOnNumbers(walker: Walker, field: DescField | undefined, count: number): void {
  if (field?.fieldKind !== "list") return;
  const big = field.scalar !== undefined && BIGINTS.has(field.scalar);
  spend(walker, count * (big ? HEAP_BYTES_PER_BIGINT : HEAP_BYTES_PER_NUMBER));
}

/** A list in one piece: packed numbers, or one of several strings. */
function spendOnList(walker: Walker, type: ScalarType, first: number, length: number): void {
  switch (type) {
    case ScalarType.STRING:
      return spend(walker, HEAP_BYTES_PER_PART + length);
    case ScalarType.BYTES:
      return spend(walker, HEAP_BYTES_PER_PART);
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE: {
      const width = type === ScalarType.FLOAT ? 4 : 8;
      if (length % width !== 0) throw damagedAt(first, `a list of numbers of ${width} bytes takes ${length}`);
      return spend(walker, (length / width) * HEAP_BYTES_PER_NUMBER);
    }
    default: {
      if (length > 0 && walker.byte(first + length - 1) >= 128) {
        throw damagedAt(first, "a list of numbers ends within a number");
      }
      let count = 0;
      for (let i = first; i < first + length; i++) if (walker.byte(i) < 128) count++;
      return spend(walker, count * (BIGINTS.has(type) ? HEAP_BYTES_PER_BIGINT : HEAP_BYTES_PER_NUMBER));
    }
  }
}

/** A number of 1 to 10 bytes, 7 bits each, least first; exact up to 2^53, and beyond that too large for any use here. */
function varint(walker: Walker, end: number, path: readonly string[]): number {
  const first = walker.at;
  let value = 0;
  for (let i = 0; i < 10; i++) {
    step(walker, 1, end, path);
    const byte = walker.byte(walker.at - 1);
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return value;
  }
  throw damagedAt(first, "a number takes more than 10 bytes");
}

/** Goes on by some bytes, which must lie within the message they belong to, and that within the file. */
function step(walker: Walker, length: number, end: number, path: readonly string[]): void {
  const next = walker.at + length;
  if (next > end) {
    if (end === walker.source.length) {
      throw new Damage(
        `ends too early, at byte ${end}, ${next - end} short of the end of its ${nameOf(path)}; the download was probably cut off`,
      );
    }
    throw damagedAt(walker.at, `${nameOf(path)} goes ${next - end} bytes beyond what it is part of`);
  }
  walker.at = next;
}

function spend(walker: Walker, bytes: number): void {
  walker.heapBytes += bytes;
  if (walker.heapBytes > MAX_HEAP_BYTES) {
    throw new Damage(`holds more nodes and numbers than ${MAX_HEAP_BYTES / 2 ** 20} MB of memory hold`);
  }
}

function damagedAt(at: number, why: string): Damage {
  return new Damage(`is not an ONNX model, or damaged at byte ${at}: ${why}`);
}

function nameOf(path: readonly string[]): string {
  return path.length === 0 ? "next field" : path.slice(-3).join(".");
}

const known = new WeakMap<DescMessage, Map<number, DescField>>();

function fieldsOf(schema: DescMessage): Map<number, DescField> {
  let fields = known.get(schema);
  if (!fields) known.set(schema, (fields = new Map(schema.fields.map(field => [field.number, field]))));
  return fields;
}
