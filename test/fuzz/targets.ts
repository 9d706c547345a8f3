import { dirname, join } from "node:path";
import { findLayers } from "../../src/core/graph/layers";
import type { FileSource } from "../../src/core/onnx/bytes";
import { readModel, writeModel } from "../../src/core/onnx/model";
import { openBytes } from "../../src/engine/data/bytes";
import { arraySource, wholeArray } from "../../src/engine/data/arrays";
import { csvSource } from "../../src/engine/data/csv";
import { npzSources } from "../../src/engine/data/npz";
import { readTensorFile } from "../../src/engine/data/pb";
import { readPicture } from "../../src/engine/data/pictureFile";
import type { Source } from "../../src/engine/data/source";
import { openWav } from "../../src/engine/data/wav";
import { readDataFile } from "../../src/engine/dataFile";
import type { Seed } from "./seeds";

/** A reader of files, to be shown any bytes. */
export interface Target {
  /** Which seeds it begins with. */
  readonly seeds: (seed: Seed) => boolean;
  /** What a file for it is called. */
  readonly file: string;
  /** Reads the file, whose bytes are given, too; what is thrown and is no Failure is a find. */
  readonly read: (file: string, bytes: Uint8Array) => unknown;
}

const named = (ending: RegExp) => (seed: Seed) => seed.kind === "data" && ending.test(seed.name);

async function readSome(source: Source): Promise<void> {
  for (let sample = 0; sample < Math.min(3, source.count); sample++) await source.read(sample);
}

export const TARGETS: Readonly<Record<string, Target>> = {
  model: {
    seeds: ({ kind, bytes }) => kind !== "data" && bytes.length < 40_000,
    file: "model.onnx",
    read: asModel,
  },
  npy: {
    seeds: named(/\.npy$/),
    file: "x.npy",
    async read(file) {
      const bytes = await openBytes(file);
      await readSome(await arraySource(bytes));
      await wholeArray(bytes);
    },
  },
  npz: {
    seeds: named(/\.npz$/),
    file: "x.npz",
    async read(file) {
      for (const source of (await npzSources(await openBytes(file))).values()) await readSome(source);
    },
  },
  csv: { seeds: named(/\.csv$/), file: "x.csv", read: async file => readSome(await csvSource(file)) },
  wav: {
    seeds: named(/\.wav$/),
    file: "x.wav",
    async read(file) {
      const sound = await openWav(await openBytes(file));
      await sound.read(0, Math.min(sound.length, 1000));
    },
  },
  picture: { seeds: named(/\.(jpg|png|webp|bmp)$/), file: "x.jpg", read: readPicture },
  pb: { seeds: named(/\.pb$/), file: "input_0.pb", read: readTensorFile },
  json: { seeds: named(/\.json$/), file: "x.json", read: readDataFile },
};

/** What is read at once and what is skimmed from a file is one model, and its layers can be found. */
function asModel(file: string, bytes: Uint8Array): void {
  const model = readModel(bytes, file);
  const source: FileSource = {
    file: join(dirname(file), "skimmed.onnx"),
    length: bytes.length,
    read: (offset, length) => bytes.slice(offset, offset + length),
  };
  if (Buffer.compare(writeModel(model), writeModel(readModel(source, file))) !== 0)
    throw new Error("Skimmed, the model is another.");
  findLayers(model);
}
