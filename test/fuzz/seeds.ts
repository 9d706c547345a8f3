import { create, toBinary } from "@bufbuild/protobuf";
import { encode as png } from "fast-png";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { TensorProtoSchema } from "../../src/core/onnx/onnx_pb";
import { tensor } from "../../src/core/onnx/tensors";
import { bmp, npy, wav, zip } from "../engine/containers";

/** A file that is mutated, and how its mutants are read. */
export interface Seed {
  readonly kind: "model" | "real model" | "data";
  /** What it is called in the tally. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Where a mutant is written, below the folder of the run. */
  readonly file: string;
  /** Data files: what is given to a quantization of the sample model. */
  readonly reference: string | undefined;
  /** Whether a mutant of a model is copied, too; else the run ends in front of the fit. */
  readonly copied: boolean;
  /** An archive: what lies in it, and how it becomes one. */
  readonly inside?: { readonly bytes: Uint8Array; readonly wrap: (bytes: Uint8Array) => Uint8Array };
}

const AWKWARD = "test/data/awkward";
/** The developers' pack lies beside the repository; without it there are no real models but the sample. */
const REAL = "../shared/data/models";
/** Real models that can be copied within half the time a mutant has. The others compute for seconds on made-up inputs alone. */
const QUICK = /^(byte_sb|mnist|silero)/;
/** Models that fail as they are. */
const FAIL_ANYWAY = /^(broken_|external_missing|external_p|external_a)/;

export interface Seeds {
  readonly models: readonly Seed[];
  readonly real: readonly Seed[];
  readonly data: readonly Seed[];
}

/** @param folder of the run: what seeds need beside them is put there. */
export function seedsIn(folder: string): Seeds {
  cpSync(AWKWARD, folder, { recursive: true, filter: path => !/\.(onnx|npy)$/.test(path) });
  cpSync("samples", folder, { recursive: true });
  return {
    models: modelsOf(AWKWARD, "model"),
    real: [...modelsOf("samples", "real model"), ...(existsSync(REAL) ? modelsOf(REAL, "real model") : [])],
    data: dataSeeds(folder),
  };
}

function modelsOf(folder: string, kind: "model" | "real model"): Seed[] {
  return readdirSync(folder)
    .filter(file => file.endsWith(".onnx") && !FAIL_ANYWAY.test(file))
    .sort()
    .map(name => ({
      kind,
      name,
      bytes: bytesOf(join(folder, name)),
      file: "mutant.onnx",
      reference: undefined,
      copied: kind === "model" || QUICK.test(name),
    }));
}

const bytesOf = (file: string): Uint8Array => new Uint8Array(readFileSync(file));
const text = (words: string): Uint8Array => new Uint8Array(Buffer.from(words));

function dataSeeds(folder: string): Seed[] {
  const seeds: Seed[] = [];
  const add = (name: string, bytes: Uint8Array, spec?: object, more: Partial<Seed> = {}): void => {
    const file = `mutant_${name}`;
    const reference = spec === undefined ? file : `${name}.spec.json`;
    if (spec) writeFileSync(join(folder, reference), JSON.stringify({ input: "input", ...spec }));
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    seeds.push({ kind: "data", name, bytes, file, reference, copied: true, ...more });
  };

  const floats = Float32Array.from({ length: 6 * 784 }, (_, k) => (k % 97) / 97);
  const array = npy("<f4", [6, 784], floats);
  const bytes = new Uint8Array(6 * 784).fill(7);
  add("floats.npy", array);
  add("halves.npy", npy("<f2", [6, 784], new Uint16Array(6 * 784).fill(0x3800)));
  add("doubles.npy", npy("<f8", [6, 784], Float64Array.from(floats)));
  add("fortran.npy", inFortranOrder(array));
  const pictures = { kind: "image", pre: "zero-one", dims: [784] };
  add("pixels.npy", npy("|u1", [6, 28, 28], bytes), { ...pictures, data: "mutant_pixels.npy" });
  for (const deflate of [false, true]) {
    const wrap = (content: Uint8Array): Uint8Array => zip({ "input.npy": content }, { deflate });
    add(deflate ? "deflated.npz" : "stored.npz", wrap(array), undefined, { inside: { bytes: array, wrap } });
  }
  const rows = Array.from({ length: 6 }, (_, k) => Array.from({ length: 784 }, (_, i) => ((i + k) % 9) / 8).join());
  add("table.csv", text(rows.join("\n")));

  const sounds: [name: string, bytes: Uint8Array][] = [
    ["pcm16.wav", wav(Int16Array.from({ length: 6 * 784 }, (_, k) => 1000 * Math.sin(k)))],
    ["float32.wav", asFloats(wav(new Int16Array(floats.buffer.slice(0, 4 * 4 * 784))))],
  ];
  for (const [name, sound] of sounds) add(name, sound, { kind: "audio", window: 784, data: `mutant_${name}` });
  writeFileSync(join(folder, "sound.wav"), sounds[0]![1]);
  add("starts.npy", npy("<i4", [6], Int32Array.from([0, 10, 20, 30, 40, 50])), {
    kind: "audio",
    window: 784,
    data: "sound.wav",
    starts: "mutant_starts.npy",
  });

  const grey = { width: 28, height: 28, data: new Uint8Array(784).fill(9) };
  const deep = { ...grey, data: new Uint16Array(3 * 784).fill(9000), channels: 3, depth: 16 } as const;
  const photos: [name: string, bytes: Uint8Array][] = [
    ["grey.jpg", bytesOf("test/data/pictures/7_first.jpg")],
    ["grey.webp", bytesOf("test/data/pictures/7_first.webp")],
    ["grey.png", png({ ...grey, channels: 1, depth: 8 })],
    ["deep.png", png(deep)],
    ["grey.bmp", bmp(28, 28, grey.data)],
  ];
  const photo = "../shared/data/data/imagenet_calib/0600_n03532672.jpg";
  if (existsSync(photo)) photos.push(["photo.jpg", bytesOf(photo)]);
  for (const [name, picture] of photos)
    add(name, picture, { ...pictures, data: `mutant_${name}`, pre: { preset: "zero-one", resize: [28, 28] } });

  const raw = toBinary(TensorProtoSchema, tensor("input", "float32", [1, 784], floats.subarray(0, 784)));
  const listed = toBinary(
    TensorProtoSchema,
    create(TensorProtoSchema, { dims: [1n, 784n], dataType: 1, floatData: [...floats.subarray(0, 784)] }),
  );
  for (const [name, set] of [
    ["raw", raw],
    ["listed", listed],
  ] as const) {
    add(`${name}.pb`, set, undefined, {
      file: `${name}/test_data_set_0/input_0.pb`,
      reference: name,
    });
    mkdirSync(join(folder, name, "test_data_set_0"), { recursive: true });
  }

  add("sample.json", bytesOf("samples/mnist.json"));
  add("sound.json", text(JSON.stringify(SOUND)));
  add("further.json", text(JSON.stringify(FURTHER)));
  return seeds;
}

const SOUND = {
  input: "input",
  kind: "audio",
  data: "sound.wav",
  chunk: 700,
  context: 84,
  rate: 16_000,
};
const FURTHER = {
  input: "other",
  kind: "tensor",
  calib: "mnist_calibration.npy",
  pre: { resize: [28, 28], crop: 28, scale: 0.1, mean: [0], std: [1], layout: "NCHW", bgr: 1 },
  dims: [28, 28],
  batch: 2,
  label_offset: 1,
  inputs: { input: { value: 0.5, shape: [1, 784] }, other: "mnist_test.npy", third: { range: 0 } },
};

/** The header says so, at the same length. */
function inFortranOrder(array: Uint8Array): Uint8Array {
  const file = Buffer.from(array);
  const at = file.indexOf("False, ");
  file.write("True,  ", at);
  return new Uint8Array(file);
}

/** A sound of 16 bits whose head says that they are half as many floats. */
function asFloats(sound: Uint8Array): Uint8Array {
  const file = Buffer.from(sound);
  file.writeUInt16LE(3, 20);
  file.writeUInt16LE(32, 34);
  return new Uint8Array(file);
}
