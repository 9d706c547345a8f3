import { tmpdir } from "node:os";
import { isUsable, type Keep, keptInMemory, type KeptTensor } from "../core/calibration/kept";
import type { Tensor, TensorData } from "../core/calibration/tensor";
import { Failure } from "../core/failure";
import { noRoom, openTemporaryFile, type TemporaryFile } from "./data/temporaryFile";
import { spaceOf } from "./space";

/** Bytes of live activations and samples in memory where the user does not say. */
export const USUAL_MEMORY = 2e9;

/** Where samples and live activations are kept: in memory up to a budget, in a temporary file past it. */
export interface TensorStore {
  readonly keep: Keep;
  /** Bytes kept now and at most so far, and how long the file is. */
  readonly bytes: { readonly inMemory: number; readonly mostInMemory: number; readonly inFile: number };
  /** Gives the file up; nothing kept in it can be read any more. */
  close(): Promise<void>;
}

/**
 * @param memory bytes of tensors to keep in memory at most.
 * @returns a store whose `keep` throws {Failure} `no-room` where the temporary file cannot be written.
 */
export function openTensorStore(memory: number): TensorStore {
  let inMemory = 0;
  let mostInMemory = 0;
  let file: Promise<TemporaryFile> | undefined;
  const space = spaceOf();

  const keepInMemory = (tensor: Tensor): KeptTensor => {
    const { byteLength } = tensor.data;
    inMemory += byteLength;
    mostInMemory = Math.max(mostInMemory, inMemory);
    return keptInMemory(tensor, () => {
      inMemory -= byteLength;
    });
  };
  const keepInFile = async (tensor: Tensor): Promise<KeptTensor> => {
    const { type, dims, data } = tensor;
    const { byteLength } = data;
    const offset = space.take(byteLength);
    try {
      file ??= openTemporaryFile();
      await (await file).write(new Uint8Array(data.buffer, data.byteOffset, byteLength), offset);
    } catch (error) {
      const reason = noRoom(error);
      if (reason === undefined) throw error;
      throw new Failure(
        "no-room",
        `Activations past --memory cannot be written to ${tmpdir()} (${reason}).`,
        "Make room there, allow more with --memory, or give fewer samples.",
      );
    }
    const opened = await file;
    const Data = data.constructor as new (bytes: ArrayBufferLike) => TensorData;
    const whole = (bytes: Uint8Array): Tensor => {
      if (bytes.length < byteLength) throw new Error(`The temporary file ends before byte ${offset + byteLength}.`);
      return { type, dims, data: new Data(bytes.buffer) };
    };
    return {
      type,
      dims,
      usable: isUsable(tensor),
      read: async () => whole(await opened.read(offset, byteLength)),
      readNow: () => whole(opened.readNow(offset, byteLength)),
      drop: () => space.giveBack(offset, byteLength),
    };
  };
  return {
    keep: async tensor => (inMemory + tensor.data.byteLength <= memory ? keepInMemory(tensor) : keepInFile(tensor)),
    get bytes() {
      return { inMemory, mostInMemory, inFile: space.end() };
    },
    async close() {
      // Where it could not be opened, `keep` has said so.
      const opened = await file?.catch(() => undefined);
      file = undefined;
      await opened?.close();
    },
  };
}
