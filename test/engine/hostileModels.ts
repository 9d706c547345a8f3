import { create } from "@bufbuild/protobuf";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Model, readModel, writeModel } from "../../src/core/onnx/model";
import { changed, node, tensorOf } from "../../src/core/onnx/build";
import {
  FunctionProtoSchema,
  OperatorSetIdProtoSchema,
  SparseTensorProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
} from "../../src/core/onnx/onnx_pb";
import { tensor } from "../../src/core/onnx/tensors";
import { bytesOf } from "./files";

/** A hostile or broken model, and what Whittle says of it. */
export interface HostileModel {
  readonly kind: string;
  /** Makes it in an empty folder that has an empty folder `beside` next to it; the model is always `model.onnx`. */
  readonly make: (folder: string) => void;
  /** All of the failure, the folder of the model taken out. */
  readonly said: string;
  /** Of systems that have such files. */
  readonly unixOnly?: true;
}

const awkward = (file: string): Uint8Array => bytesOf(`test/data/awkward/${file}`);
const whole = awkward("mlp_opset13.onnx");
const text = (words: string): Uint8Array => new Uint8Array(Buffer.from(words, "latin1"));

const written = (bytes: Uint8Array) => (folder: string) => writeFileSync(join(folder, "model.onnx"), bytes);

/** A model of which something was changed after it had been read. */
const edited = (change: (model: Model) => void) => (folder: string) => {
  const model = readModel(whole, "seed");
  change(model);
  written(writeModel(model))(folder);
};

/** A model whose weight "W1", [48, 32] float32 in 6,144 bytes, lies in another file. */
const outside =
  (entries: Record<string, string>, prepare: (folder: string) => void = () => undefined) =>
  (folder: string) => {
    prepare(folder);
    edited(({ graph }) => {
      outsideOf(
        graph.initializer.find(one => one.name === "W1")!,
        entries,
      );
    })(folder);
  };

function outsideOf(one: TensorProto, entries: Record<string, string>): TensorProto {
  return Object.assign(one, {
    rawData: new Uint8Array(0),
    dataLocation: 1,
    externalData: Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    ),
  });
}

const weights = (bytes: number) => (folder: string) => writeFileSync(join(folder, "w.bin"), new Uint8Array(bytes));

/** A model with one more field of the given bytes in its graph. */
const withField = (bytes: Uint8Array): Uint8Array => new Uint8Array(Buffer.concat([whole, bytes]));

const nested = (depth: number): Uint8Array => {
  let graph: Buffer = Buffer.alloc(0);
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
  const field = (tag: number, content: Buffer): Buffer =>
    Buffer.concat([Buffer.from([tag, ...varint(content.length)]), content]);
  // graph.node.attribute.g
  for (let left = depth; left > 0; left--) graph = field(0x0a, field(0x2a, field(0x32, graph)));
  const opsetImport = field(0x42, Buffer.from([0x10, 13]));
  return new Uint8Array(Buffer.concat([field(0x3a, graph), opsetImport]));
};

export const HOSTILE_MODELS: readonly HostileModel[] = [
  {
    kind: "nothing there",
    make: () => undefined,
    said: "model-missing: There is no file model.onnx. Check the path.",
  },
  {
    kind: "a folder",
    make: folder => mkdirSync(join(folder, "model.onnx")),
    said: "model-unreadable: model.onnx is a folder. Name a file in it.",
  },
  {
    kind: "a pipe",
    make: folder => execFileSync("mkfifo", [join(folder, "model.onnx")]),
    said: "model-unreadable: model.onnx is a pipe, not a regular file. Name a file.",
    unixOnly: true,
  },
  {
    kind: "a device",
    make: folder => symlinkSync("/dev/zero", join(folder, "model.onnx")),
    said: "model-unreadable: model.onnx is a device, not a regular file. Name a file.",
    unixOnly: true,
  },
  {
    kind: "an empty file",
    make: written(new Uint8Array(0)),
    said: "model-unreadable: model.onnx is empty. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "zeros",
    make: written(new Uint8Array(5000)),
    said: "model-unreadable: model.onnx holds nothing but zeros. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "a text",
    make: written(text("these are words\n")),
    said: "model-unreadable: model.onnx is a text, not an ONNX model. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "a Git LFS pointer",
    make: written(awkward("broken_lfs_pointer.onnx")),
    said: "model-unreadable: model.onnx is a Git LFS pointer, not the model itself. Run `git lfs pull` in its repository, then try again.",
  },
  {
    kind: "an HTML page",
    make: written(awkward("broken_html.onnx")),
    said: "model-unreadable: model.onnx is a web page, probably the answer to a failed download. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "an XML file",
    make: written(text('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')),
    said: "model-unreadable: model.onnx is XML: an OpenVINO model, or the answer to a failed download. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "a zip archive",
    make: written(text("PK\u0003\u0004\u0014\u0000\u0000\u0000")),
    said: "model-unreadable: model.onnx is a zip archive (a PyTorch checkpoint or a packed folder). Unpack it, and choose the .onnx file in it.",
  },
  {
    kind: "a gzip file",
    make: written(text("\u001f\u008b\u0008\u0000\u0000\u0000")),
    said: "model-unreadable: model.onnx is packed with gzip. Unpack it, and choose the .onnx file in it.",
  },
  {
    kind: "an HDF5 file",
    make: written(text("\u0089HDF\r\n\u001a\n")),
    said: "model-unreadable: model.onnx is an HDF5 file (Keras). Export the network to ONNX with the program it was made with.",
  },
  {
    kind: "a TensorFlow Lite model",
    make: written(text("\u001c\u0000\u0000\u0000TFL3\u0000")),
    said: "model-unreadable: model.onnx is a TensorFlow Lite model. Export the network to ONNX with the program it was made with.",
  },
  {
    kind: "an ORT-format model",
    make: written(text("\u001c\u0000\u0000\u0000ORTM\u0000")),
    said: "model-unreadable: model.onnx is a model in onnxruntime's own ORT format. Choose the .onnx file that it was made from.",
  },
  {
    kind: "a safetensors file",
    make: written(text('\u0010\u0000\u0000\u0000\u0000\u0000\u0000\u0000{"a":{}}')),
    said: "model-unreadable: model.onnx is a safetensors file: weights without their network. Export the network to ONNX with the program it was made with.",
  },
  {
    kind: "a NumPy array",
    make: written(awkward("mlp_opset13.in.x.npy")),
    said: "model-unreadable: model.onnx is a NumPy array. It can be calibration data; choose the model for it.",
  },
  {
    kind: "random bytes",
    make: written(awkward("broken_garbage.onnx")),
    said: "model-unreadable: model.onnx is not an ONNX model, or damaged at byte 0: graph is stored as something else. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "cut in the middle",
    make: written(awkward("broken_truncated_half.onnx")),
    said: "model-unreadable: model.onnx ends too early, at byte 1342, 1336 short of the end of its graph; the download was probably cut off. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "without its last byte",
    make: written(awkward("broken_truncated_last_byte.onnx")),
    said: "model-unreadable: model.onnx ends too early, at byte 2683, 1 short of the end of its opset_import; the download was probably cut off. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "a length of 34 GB",
    make: written(awkward("broken_huge_length.onnx")),
    said: "model-unreadable: model.onnx is not an ONNX model, or damaged at byte 2: graph claims 34359738367 bytes, and protobuf ends at 2147483647. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "bytes after the end",
    make: written(awkward("broken_trailing_garbage.onnx")),
    said: "model-unreadable: model.onnx is not an ONNX model, or damaged at byte 2684: a number takes more than 10 bytes. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "bits flipped",
    make: written(awkward("broken_bit_flips.onnx")),
    said: "model-unreadable: model.onnx is not an ONNX model, or damaged at byte 0: producer_version is stored as something else. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "a part longer than the whole",
    make: written(withField(text("\u003a\u0004\u0012\u007f\u0000\u0000"))),
    said: "model-unreadable: model.onnx ends too early, at byte 8627, 125 short of the end of its graph.name; the download was probably cut off. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "a number without end",
    make: written(withField(text("\u0008" + "\u00ff".repeat(12)))),
    said: "model-unreadable: model.onnx is not an ONNX model, or damaged at byte 8622: a number takes more than 10 bytes. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "a field of an old kind (a group)",
    make: written(withField(text("\u00fb\u0007"))),
    said: "model-unreadable: model.onnx is not an ONNX model, or damaged at byte 8621: a field is of a kind that ONNX does not use. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "30 graphs in one another",
    make: written(nested(30)),
    said: "model-invalid: model.onnx nests graphs more than 24 deep. The file is damaged; fetch or export the model again.",
  },
  {
    kind: "300 graphs in one another",
    make: written(nested(300)),
    said: "model-unreadable: model.onnx nests its messages more than 100 deep, at byte 303. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "six million nodes of no bytes",
    make: written(
      new Uint8Array(
        Buffer.concat([Buffer.from([0x3a, 0x80, 0xb6, 0xdc, 0x05]), Buffer.alloc(12_000_000, "\n\0")]),
      ),
    ),
    said: "model-unreadable: model.onnx holds more nodes and numbers than 2048 MB of memory hold. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "no graph",
    make: written(text("\u0008\u0008\u0042\u0000")),
    said: "model-unreadable: model.onnx holds no graph, so it is not an ONNX model. Choose an .onnx file, or fetch this one again.",
  },
  {
    kind: "no operator set",
    make: written(awkward("broken_no_opset.onnx")),
    said: "model-invalid: model.onnx names no operator set (opset_import is empty). The file is damaged; fetch or export the model again.",
  },
  {
    kind: "fewer bytes than dimensions",
    make: written(awkward("broken_short_raw_data.onnx")),
    said: 'model-invalid: Tensor "W" promises 3072 bytes and holds 3064. The file is damaged; fetch or export the model again.',
  },
  {
    kind: "a negative dimension",
    make: written(awkward("broken_negative_dim.onnx")),
    said: 'model-invalid: Tensor "W" has impossible dimensions [-24, 32]. The file is damaged; fetch or export the model again.',
  },
  {
    kind: "2^45 elements",
    make: written(awkward("broken_dim_overflow.onnx")),
    said: 'model-invalid: Tensor "W" has impossible dimensions [1099511627776, 32]. The file is damaged; fetch or export the model again.',
  },
  {
    kind: "1,000 dimensions",
    make: edited(({ graph }) => (graph.initializer[0]!.dims = Array.from({ length: 1000 }, () => 1n))),
    said: 'model-invalid: Tensor "W1" has 1000 dimensions, and 16 are the most that are read. The file is damaged; fetch or export the model again.',
  },
  {
    kind: "a Constant with fewer bytes than dimensions",
    make: edited(({ graph }) => {
      const value = changed(tensor("c", "float32", [2], new Float32Array(2)), { dims: [3n] });
      graph.node.push(node("Constant", [], "c", [tensorOf("value", value)]));
    }),
    said: 'model-invalid: Tensor "c" promises 12 bytes and holds 8. The file is damaged; fetch or export the model again.',
  },
  {
    kind: "data in no file",
    make: outside({}),
    said: 'model-invalid: The data of tensor "W1" lie in a file that is not named. Fetch the model again with all its files.',
  },
  {
    kind: "data in a missing file",
    make: outside({ location: "w.bin" }),
    said: 'model-invalid: The data of tensor "W1" should be in "w.bin", which is not there. Fetch the model again with all its files.',
  },
  {
    kind: "data in a folder",
    make: outside({ location: "sub" }, at => mkdirSync(join(at, "sub"))),
    said: 'model-invalid: The data of tensor "W1" are in "sub", which is a folder, not a regular file. Fetch the model again with all its files.',
  },
  {
    kind: "data at an absolute path",
    make: outside({ location: "/etc/hostname" }),
    said: 'model-invalid: The data of tensor "W1" lie at "/etc/hostname", an absolute path; only files beside the model are read. Fetch the model again with all its files.',
  },
  {
    kind: "data at a path of Windows",
    make: outside({ location: "C:\\w.bin" }),
    said: 'model-invalid: The data of tensor "W1" lie at "C:\\w.bin", an absolute path; only files beside the model are read. Fetch the model again with all its files.',
  },
  {
    kind: "data outside the folder",
    make: outside({ location: "../beside/w.bin" }),
    said: 'model-invalid: The data of tensor "W1" lie at "../beside/w.bin", outside the model\'s folder. Fetch the model again with all its files.',
  },
  {
    kind: "data behind a link out of the folder",
    make: outside({ location: "w.bin" }, at => {
      writeFileSync(join(at, "../beside/w.bin"), new Uint8Array(6144));
      symlinkSync("../beside/w.bin", join(at, "w.bin"));
    }),
    said: 'model-invalid: The data of tensor "W1" lie behind the link "w.bin", outside the model\'s folder. Fetch the model again with all its files.',
    unixOnly: true,
  },
  {
    kind: "data in a device",
    // In the folder by name; behind the link it is not.
    make: outside({ location: "w.bin" }, at => symlinkSync("/dev/zero", join(at, "w.bin"))),
    said: 'model-invalid: The data of tensor "W1" lie behind the link "w.bin", outside the model\'s folder. Fetch the model again with all its files.',
    unixOnly: true,
  },
  {
    kind: "data in a pipe",
    make: outside({ location: "w.bin" }, at => execFileSync("mkfifo", [join(at, "w.bin")])),
    said: 'model-invalid: The data of tensor "W1" are in "w.bin", which is a pipe, not a regular file. Fetch the model again with all its files.',
    unixOnly: true,
  },
  {
    kind: "data in a file that is too short",
    make: outside({ location: "w.bin" }, weights(6000)),
    said: 'model-invalid: The data of tensor "W1" end at byte 6144 of "w.bin", which has 6000. Fetch the model again with all its files.',
  },
  {
    kind: "data past the end",
    make: outside({ location: "w.bin", offset: "4096" }, weights(6144)),
    said: 'model-invalid: The data of tensor "W1" end at byte 10240 of "w.bin", which has 6144. Fetch the model again with all its files.',
  },
  {
    kind: "data at no number",
    make: outside({ location: "w.bin", offset: "-8" }, weights(6144)),
    said: 'model-invalid: The data of tensor "W1" are said to be 6144 bytes at -8 of "w.bin", and its dimensions need 6144. Fetch the model again with all its files.',
  },
  {
    kind: "data of another length",
    make: outside({ location: "w.bin", length: "6000" }, weights(6144)),
    said: 'model-invalid: The data of tensor "W1" are said to be 6000 bytes at 0 of "w.bin", and its dimensions need 6144. Fetch the model again with all its files.',
  },
  {
    kind: "data that overlap",
    make: folder => {
      weights(20_000)(folder);
      edited(({ graph }) => {
        for (const [k, one] of graph.initializer.filter(({ dims }) => dims.length === 2).entries())
          outsideOf(one, { location: "w.bin", offset: String(k * 64) });
      })(folder);
    },
    said: 'model-invalid: The data of tensor "W2" begin at byte 64 of "w.bin", within those of tensor "W1", which end at 6144. Fetch the model again with all its files.',
  },
  {
    kind: "opset 999",
    make: written(awkward("broken_opset999.onnx")),
    said: "model-does-not-run: The model is newer than onnxruntime 1.30.0: it needs opset 999 of ai.onnx, which is known up to 26. Export it for an older opset, or use a Whittle with a newer onnxruntime.",
  },
  {
    kind: "IR version 999",
    make: edited(model => (model.irVersion = 999n)),
    said: "model-does-not-run: The model is newer than onnxruntime 1.30.0: it is of IR version 999, which is known up to 13. Export it for an older opset, or use a Whittle with a newer onnxruntime.",
  },
  {
    kind: "a cycle",
    make: written(awkward("broken_cycle.onnx")),
    said: 'model-invalid: The graph is not acyclic: node "Relu" waits for its own output. No runtime can run it; export the model again.',
  },
  {
    kind: "an input that nothing gives",
    make: written(awkward("broken_undefined_input.onnx")),
    said: "model-does-not-run: onnxruntime 1.30.0 cannot load this model: Invalid model. Node input 'does_not_exist' is not a graph input, initializer, or output of a previous node. Check that the model runs outside Whittle.",
  },
  {
    kind: "a function that calls itself",
    make: edited(model => {
      const call = { ...node("F", ["a"], "b"), domain: "own" };
      model.functions.push(create(FunctionProtoSchema, { name: "F", domain: "own", input: ["a"], output: ["b"] }));
      model.functions[0]!.node.push(call);
      model.functions[0]!.opsetImport.push(model.opsetImport[0]!);
      model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: "own", version: 1n }));
      model.graph.node.push({ ...call, input: ["x"], output: ["z"] });
    }),
    said: "model-does-not-run: onnxruntime 1.30.0 cannot load this model: [ONNXRuntimeError] : 10 : INVALID_GRAPH : Model local function definitions must not be recursive. Cycle detected: own:F -> own:F. Check that the model runs outside Whittle.",
  },
  {
    kind: "a name with a line end and a code for the terminal",
    make: outside({ location: "w\n\u001b[31m.bin" }),
    said: 'model-invalid: The data of tensor "W1" should be in "w [31m.bin", which is not there. Fetch the model again with all its files.',
  },
  {
    kind: "a sparse tensor whose numbers lie outside the folder",
    make: edited(({ graph }) => {
      const values = outsideOf(tensor("S", "float32", [2], new Float32Array(2)), { location: "../beside/w.bin" });
      const indices = tensor("i", "int64", [2], new BigInt64Array(2));
      graph.sparseInitializer.push(create(SparseTensorProtoSchema, { values, indices, dims: [4n] }));
    }),
    said: 'model-invalid: The data of tensor "S" are of a sparse tensor and lie in another file, which is not read. Fetch the model again with all its files.',
  },
];
