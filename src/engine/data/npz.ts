import { constants, crc32, createInflateRaw, inflateRawSync } from "node:zlib";
import { NPY_HEAD_BYTES, readNpyHeader } from "../../core/calibration/npy";
import { arraySource } from "./arrays";
import { type Bytes, inMemory, unreadable } from "./bytes";
import type { Source } from "./source";
import { spool } from "./spool";
import { type ZipEntry, zipEntries } from "./zip";

/** Compressed arrays up to this size are unpacked in memory, larger ones to a temporary file. */
const MAX_UNPACKED_IN_MEMORY = 2 ** 25;
/** The disk is the user's; an archive of a few megabytes can promise any size. */
const MAX_UNPACKED_BYTES = 2 ** 32;
/** Pieces of the archive that are unpacked at a time. */
const PIECE_BYTES = 2 ** 20;

/**
 * The arrays of an `.npz` file by their names, the first axis of each counting samples. Those stored as they are (numpy.savez)
 * are read in place; compressed ones are unpacked when their first sample is read, after their shape was held against the
 * model.
 *
 * @throws {Failure} `data-unreadable`.
 */
export async function npzSources(bytes: Bytes): Promise<Map<string, Source>> {
  const sources = new Map<string, Source>();
  for (const entry of await zipEntries(bytes)) {
    if (!entry.name.endsWith(".npy")) continue;
    const source = entry.deflated ? await compressedSource(entry) : await storedSource(entry);
    sources.set(entry.name.slice(0, -".npy".length), source);
  }
  if (sources.size === 0) throw unreadable(bytes.name, "holds no arrays", "Save them with numpy.savez.");
  return sources;
}

/** Arrays that are read in place are held against their checksum up to this size, which takes a tenth of a second. */
const MAX_CHECKED_BYTES = 2 ** 27;

/** An array that is read in place, some samples at a time. Its checksum is of all of it: one that is small is read for that. */
async function storedSource(entry: ZipEntry): Promise<Source> {
  const source = await arraySource(entry.packed);
  if (entry.size > MAX_CHECKED_BYTES) return source;
  let checked: Promise<void> | undefined;
  return {
    ...source,
    async read(sample) {
      checked ??= checkStored(entry);
      await checked;
      return source.read(sample);
    },
  };
}

async function checkStored(entry: ZipEntry): Promise<void> {
  let crc = 0;
  for (let at = 0; at < entry.size; at += PIECE_BYTES)
    crc = crc32(await entry.packed.read(at, Math.min(PIECE_BYTES, entry.size - at)), crc);
  checkCrc(entry, crc);
}

function checkCrc(entry: ZipEntry, crc: number): void {
  if (crc !== entry.crc) throw unreadable(entry.packed.name, "is damaged: its checksum is another");
}

async function compressedSource(entry: ZipEntry): Promise<Source> {
  const { name } = entry.packed;
  if (entry.size > MAX_UNPACKED_BYTES) {
    throw unreadable(
      name,
      `unpacks to ${entry.size} bytes, and ${MAX_UNPACKED_BYTES} are the most`,
      "Save it with numpy.savez, which does not compress; then it is read in place.",
    );
  }
  // Unpacked, and held against its own promise, once a sample is asked for: a shape that does not fit costs nothing.
  const header = await headerOf(entry);
  let unpacked: Promise<Source> | undefined;
  return {
    name,
    count: header.dims[0] ?? 0,
    type: header.type,
    dims: header.dims.slice(1),
    async read(sample) {
      unpacked ??= unpack(entry).then(arraySource);
      return (await unpacked).read(sample);
    },
  };
}

async function headerOf(entry: ZipEntry) {
  const { name, size } = entry.packed;
  const head = await entry.packed.read(0, Math.min(size, PIECE_BYTES));
  let unpacked: Uint8Array;
  try {
    // A megabyte of zeros unpacks to a thousand; the output is cut, not the input, once there is enough of it.
    unpacked = await firstBytes(head, NPY_HEAD_BYTES);
  } catch {
    // zlib's word for it (invalid block type, …) says nothing to a user.
    throw unreadable(name, "is damaged");
  }
  const header = readNpyHeader(unpacked.subarray(0, NPY_HEAD_BYTES), entry.size, name);
  if (header.dims.length === 0) throw unreadable(name, "holds a single number, not a row of samples");
  return header;
}

/** The first bytes that deflated bytes unpack to; no more is unpacked than was asked for. */
function firstBytes(packed: Uint8Array, count: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH, chunkSize: 16_384 });
    const pieces: Buffer[] = [];
    const finish = (): void => {
      inflate.destroy();
      resolve(Buffer.concat(pieces));
    };
    inflate.on("data", (piece: Buffer) => {
      pieces.push(piece);
      if (pieces.reduce((sum, one) => sum + one.length, 0) >= count) finish();
    });
    inflate.on("end", finish);
    inflate.on("error", reject);
    inflate.end(packed);
  });
}

async function unpack(entry: ZipEntry): Promise<Bytes> {
  const { name } = entry.packed;
  if (entry.size > MAX_UNPACKED_IN_MEMORY) return spool(name, inflated(entry));
  const packed = await entry.packed.read(0, entry.packed.size);
  try {
    const content = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
    if (content.length !== entry.size) throw wrongSize(entry, content.length);
    checkCrc(entry, crc32(content));
    return inMemory(name, new Uint8Array(content.buffer, content.byteOffset, content.length));
  } catch (error) {
    if (error instanceof RangeError) throw wrongSize(entry, entry.size + 1);
    if (error instanceof Error && "code" in error && String(error.code).startsWith("Z_"))
      throw unreadable(name, "is damaged");
    throw error;
  }
}

async function* inflated(entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const { name, size } = entry.packed;
  const inflate = createInflateRaw();
  const feeding = (async () => {
    for (let at = 0; at < size; at += PIECE_BYTES) {
      const piece = await entry.packed.read(at, Math.min(PIECE_BYTES, size - at));
      if (!inflate.write(piece)) await new Promise(resolve => inflate.once("drain", resolve));
      if (inflate.destroyed) return;
    }
    inflate.end();
  })().catch((error: unknown) => inflate.destroy(error as Error));
  let [total, crc] = [0, 0];
  try {
    for await (const piece of inflate as AsyncIterable<Buffer>) {
      total += piece.length;
      if (total > entry.size) throw wrongSize(entry, total);
      crc = crc32(piece, crc);
      yield piece;
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && String(error.code).startsWith("Z_"))
      throw unreadable(name, "is damaged");
    throw error;
  } finally {
    inflate.destroy();
  }
  await feeding;
  if (total !== entry.size) throw wrongSize(entry, total);
  checkCrc(entry, crc);
}

function wrongSize(entry: ZipEntry, found: number) {
  const what = found > entry.size ? "more than" : `${found} bytes and not`;
  return unreadable(entry.packed.name, `unpacks to ${what} the ${entry.size} bytes it promises`);
}
