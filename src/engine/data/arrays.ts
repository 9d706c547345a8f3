import { elementsOf, NPY_HEAD_BYTES, type NpyArray, readNpy, readNpyHeader } from "../../core/calibration/npy";
import { type Bytes, unreadable } from "./bytes";
import { elements, type Source } from "./source";

/** An array that is not read sample by sample may have so many bytes; four times all that the developers' pack needs. */
const MAX_WHOLE_BYTES = 2 ** 29;

/**
 * Samples of a `.npy` array, the first axis counting them, read one by one.
 *
 * @throws {Failure} `data-unreadable`.
 */
export async function arraySource(bytes: Bytes): Promise<Source> {
  const head = await bytes.read(0, Math.min(bytes.size, NPY_HEAD_BYTES));
  const { type, dims, bytesPerElement, fortran, start } = readNpyHeader(head, bytes.size, bytes.name);
  const count = dims[0];
  if (count === undefined) throw unreadable(bytes.name, "holds a single number, not a row of samples");
  const sampleDims = dims.slice(1);
  const size = elements(sampleDims);
  // With the first axis running fastest a sample lies all over the file.
  const whole = fortran && dims.length > 1 ? await wholeArray(bytes) : undefined;
  return {
    name: bytes.name,
    count,
    type,
    dims: sampleDims,
    async read(sample) {
      const data = whole
        ? whole.data.slice(sample * size, (sample + 1) * size)
        : elementsOf(type, await bytes.read(start + sample * size * bytesPerElement, size * bytesPerElement));
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
