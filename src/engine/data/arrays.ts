import { elementsOf, NPY_HEAD_BYTES, type NpyArray, readNpy, readNpyHeader } from "../../core/calibration/npy";
import type { TensorData, TensorType } from "../../core/calibration/tensor";
import { type Bytes, unreadable } from "./bytes";
import { elements, MAX_CALL_ELEMENTS, type Source } from "./source";

/** An array that is not read sample by sample may have so many bytes; four times all that the developers' pack needs. */
const MAX_WHOLE_BYTES = 2 ** 29;
/** Samples are read some at a time: one by one, opening the file would take longer than reading it. */
const READ_BYTES = 2 ** 20;

/** An array of a `.npy` file whose elements are read in stretches, in the order they are stored. */
export interface StoredArray {
  readonly name: string;
  readonly type: TensorType;
  readonly dims: readonly number[];
  readonly bytesPerElement: number;
  /** Whether the first axis runs fastest. */
  readonly fortran: boolean;
  read(from: number, count: number): Promise<TensorData>;
}

/** @throws {Failure} `data-unreadable`. */
export async function openArray(bytes: Bytes): Promise<StoredArray> {
  const head = await bytes.read(0, Math.min(bytes.size, NPY_HEAD_BYTES));
  const { start, ...header } = readNpyHeader(head, bytes.size, bytes.name);
  const { type, bytesPerElement } = header;
  return {
    ...header,
    name: bytes.name,
    read: async (from, count) =>
      elementsOf(type, await bytes.read(start + from * bytesPerElement, count * bytesPerElement)),
  };
}

/**
 * Samples of a `.npy` array, the first axis counting them, read when asked for.
 *
 * @throws {Failure} `data-unreadable`.
 */
export async function arraySource(bytes: Bytes): Promise<Source> {
  const array = await openArray(bytes);
  const { type, dims, bytesPerElement, fortran } = array;
  const count = dims[0];
  if (count === undefined) throw unreadable(bytes.name, "holds a single number, not a row of samples");
  const sampleDims = dims.slice(1);
  const size = elements(sampleDims);
  if (size > MAX_CALL_ELEMENTS) {
    throw unreadable(
      bytes.name,
      `holds samples of ${size} numbers, and ${MAX_CALL_ELEMENTS} are the most`,
      "The first axis counts samples; save them so.",
    );
  }
  // With the first axis running fastest a sample lies all over the file.
  const whole = fortran && dims.length > 1 ? await wholeArray(bytes) : undefined;
  const atOnce = whole ? count : Math.max(1, Math.floor(READ_BYTES / Math.max(1, size * bytesPerElement)));
  let last: { from: number; values: Promise<TensorData> } | undefined;
  return {
    name: bytes.name,
    count,
    type,
    dims: sampleDims,
    async read(sample) {
      const from = sample - (sample % atOnce);
      if (last?.from !== from) {
        const values = whole
          ? Promise.resolve(whole.data)
          : array.read(from * size, Math.min(atOnce, count - from) * size);
        last = { from, values };
      }
      const data = (await last.values).slice((sample - from) * size, (sample - from + 1) * size);
      return { type, dims: sampleDims, data };
    },
  };
}

/**
 * An array that is needed as a whole: labels, constants, places of windows.
 *
 * @throws {Failure} `data-unreadable`.
 */
export async function wholeArray(bytes: Bytes): Promise<NpyArray> {
  if (bytes.size > MAX_WHOLE_BYTES) {
    throw unreadable(
      bytes.name,
      `has ${bytes.size} bytes where at most ${MAX_WHOLE_BYTES} can be used at once`,
      "Save samples in C order (numpy.ascontiguousarray); those are read one by one, however many there are.",
    );
  }
  return readNpy(await bytes.read(0, bytes.size), bytes.name);
}
