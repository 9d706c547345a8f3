import { type Bytes, partOf, unreadable } from "./bytes";

/** One file of a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** Of the bytes it unpacks to, by the archive's own word. */
  readonly size: number;
  readonly deflated: boolean;
  /** CRC-32 of the bytes it unpacks to. */
  readonly crc: number;
  /** The bytes as they lie in the archive. */
  readonly packed: Bytes;
}

const END = 0x06054b50;
const END_BYTES = 22;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** A comment after the end record is at most this long. */
const MAX_COMMENT = 65_535;
/** An `.npz` has one entry an array; thousands would be strange, and each is looked up in the file. */
const MAX_ENTRIES = 4096;
const MAX_DIRECTORY_BYTES = 2 ** 24;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
/** Stands in 32 bits for a number that is in the 64-bit extra field. */
const ELSEWHERE = 0xffff_ffff;

/**
 * The files in a zip archive.
 *
 * @throws {Failure} `data-unreadable`: not an archive, damaged, encrypted, or with entries that overlap.
 * @see PKWARE's APPNOTE, sections 4.3 and 4.5.3.
 */
export async function zipEntries(bytes: Bytes): Promise<ZipEntry[]> {
  const bad = (why: string) => unreadable(bytes.name, why, "Save the arrays again with numpy.savez.");
  const { offset, length, count } = await directoryOf(bytes);
  if (count > MAX_ENTRIES) throw bad(`has ${count} entries, and ${MAX_ENTRIES} are the most`);
  if (length > MAX_DIRECTORY_BYTES || offset + length > bytes.size) throw bad("has a damaged directory");
  const directory = viewOf(await bytes.read(offset, length));
  const entries: ZipEntry[] = [];
  const stretches: { from: number; to: number }[] = [];
  let at = 0;
  for (let k = 0; k < count; k++) {
    if (at + 46 > length || directory.getUint32(at, true) !== CENTRAL) throw bad("has a damaged directory");
    const flags = directory.getUint16(at + 8, true);
    const method = directory.getUint16(at + 10, true);
    const nameLength = directory.getUint16(at + 28, true);
    const extraLength = directory.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + directory.getUint16(at + 32, true);
    if (next > length) throw bad("has a damaged directory");
    const name = new TextDecoder().decode(
      new Uint8Array(directory.buffer, directory.byteOffset + at + 46, nameLength),
    );
    if (flags & ENCRYPTED) throw bad("is encrypted");
    if (method !== STORED && method !== DEFLATED) throw bad(`packs "${name}" by a method that NumPy does not use`);
    const extra = new DataView(directory.buffer, directory.byteOffset + at + 46 + nameLength, extraLength);
    const [size, packedSize, local] = wideNumbers(extra, [
      directory.getUint32(at + 24, true),
      directory.getUint32(at + 20, true),
      directory.getUint32(at + 42, true),
    ]);
    if (local! + 30 > bytes.size) throw bad(`has its entry "${name}" beyond its end`);
    const header = viewOf(await bytes.read(local!, 30));
    if (header.getUint32(0, true) !== LOCAL) throw bad(`has a damaged entry "${name}"`);
    const from = local! + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    if (from + packedSize! > bytes.size) throw bad(`has its entry "${name}" beyond its end`);
    if (method === STORED && size !== packedSize) throw bad(`has a damaged entry "${name}"`);
    stretches.push({ from: local!, to: from + packedSize! });
    entries.push({
      name,
      size: size!,
      deflated: method === DEFLATED,
      crc: directory.getUint32(at + 16, true),
      packed: partOf(bytes, `${bytes.name}: ${name}`, from, packedSize!),
    });
    at = next;
  }
  stretches.sort((a, b) => a.from - b.from);
  // Entries that share bytes are how a small archive unpacks to more than any disk holds.
  if (stretches.some(({ from }, k) => k > 0 && from < stretches[k - 1]!.to)) throw bad("has entries that overlap");
  return entries;
}

interface Directory {
  readonly offset: number;
  readonly length: number;
  readonly count: number;
}

async function directoryOf(bytes: Bytes): Promise<Directory> {
  const tailStart = Math.max(0, bytes.size - END_BYTES - MAX_COMMENT);
  const tail = viewOf(await bytes.read(tailStart, bytes.size - tailStart));
  let at = tail.byteLength - END_BYTES;
  while (at >= 0 && tail.getUint32(at, true) !== END) at--;
  if (at < 0) {
    throw unreadable(
      bytes.name,
      "is not an .npz archive, or its end is missing",
      "Save the arrays again with numpy.savez.",
    );
  }
  const directory = {
    count: tail.getUint16(at + 10, true),
    length: tail.getUint32(at + 12, true),
    offset: tail.getUint32(at + 16, true),
  };
  const locator = at - 20;
  if (locator < 0 || tail.getUint32(locator, true) !== LOCATOR64) return directory;
  const record = Number(tail.getBigUint64(locator + 8, true));
  if (record + 56 > bytes.size) throw unreadable(bytes.name, "has a damaged directory");
  const wide = viewOf(await bytes.read(record, 56));
  if (wide.getUint32(0, true) !== END64) throw unreadable(bytes.name, "has a damaged directory");
  return {
    count: Number(wide.getBigUint64(32, true)),
    length: Number(wide.getBigUint64(40, true)),
    offset: Number(wide.getBigUint64(48, true)),
  };
}

/** Replaces numbers that did not fit 32 bits by those of the extra field of kind 1, which has them in the same order. */
function wideNumbers(extra: DataView, numbers: readonly number[]): number[] {
  const WIDE = 1;
  let at = 0;
  while (at + 4 <= extra.byteLength && extra.getUint16(at, true) !== WIDE) at += 4 + extra.getUint16(at + 2, true);
  at += 4;
  return numbers.map(value => {
    if (value !== ELSEWHERE || at + 8 > extra.byteLength) return value;
    at += 8;
    return Number(extra.getBigUint64(at - 8, true));
  });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
