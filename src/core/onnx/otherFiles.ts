/** What a file is that lies where a model should: a clause that can follow its name, and what to do about it. */
export interface OtherFile {
  readonly is: string;
  readonly next: string;
}

const FETCH = "Choose an .onnx file, or fetch this one again.";
const EXPORT = "Export the network to ONNX with the program it was made with.";
const UNPACK = "Unpack it, and choose the .onnx file in it.";

/** Bytes by which files of other kinds are known, and their place in the file. */
const SIGNATURES: readonly [at: number, bytes: string, is: string, next: string][] = [
  [
    0,
    "version https://git-lfs",
    "is a Git LFS pointer, not the model itself",
    "Run `git lfs pull` in its repository, then try again.",
  ],
  [0, "PK\u0003\u0004", "is a zip archive (a PyTorch checkpoint or a packed folder)", UNPACK],
  [0, "\u001f\u008b", "is packed with gzip", UNPACK],
  [0, "7z\u00bc\u00af\u0027\u001c", "is a 7z archive", UNPACK],
  [0, "\u0028\u00b5\u002f\u00fd", "is packed with zstd", UNPACK],
  [257, "ustar", "is a tar archive", UNPACK],
  [0, "\u0089HDF\r\n", "is an HDF5 file (Keras)", EXPORT],
  [4, "TFL3", "is a TensorFlow Lite model", EXPORT],
  [4, "ORTM", "is a model in onnxruntime's own ORT format", "Choose the .onnx file that it was made from."],
  [0, "GGUF", "is a GGUF model (llama.cpp)", EXPORT],
  [8, '{"', "is a safetensors file: weights without their network", EXPORT],
  [0, "\u0080\u0002", "is a Python pickle (an old PyTorch checkpoint)", EXPORT],
  [0, "\u0093NUMPY", "is a NumPy array", "It can be calibration data; choose the model for it."],
];

/** The kind of file that some bytes are when they are none that could be a model; undefined where they may be one. */
export function otherFile(bytes: Uint8Array): OtherFile | undefined {
  if (bytes.length === 0) return { is: "is empty", next: FETCH };
  for (const [at, signature, is, next] of SIGNATURES) if (holds(bytes, at, signature)) return { is, next };
  const head = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart().toLowerCase();
  if (head.startsWith("<!doctype") || head.startsWith("<html")) {
    return { is: "is a web page, probably the answer to a failed download", next: FETCH };
  }
  if (head.startsWith("<?xml"))
    return { is: "is XML: an OpenVINO model, or the answer to a failed download", next: FETCH };
  if (isText(bytes)) return { is: "is a text, not an ONNX model", next: FETCH };
  return bytes.every(byte => byte === 0) ? { is: "holds nothing but zeros", next: FETCH } : undefined;
}

const holds = (bytes: Uint8Array, at: number, signature: string): boolean =>
  bytes.length >= at + signature.length &&
  Array.from(signature).every((letter, i) => bytes[at + i] === letter.charCodeAt(0));

/** Whether the first bytes are all of those that texts are made of; a model begins with a tag below 32 and a number. */
function isText(bytes: Uint8Array): boolean {
  return bytes
    .subarray(0, 64)
    .every(byte => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte !== 127));
}
