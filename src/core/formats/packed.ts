import { intOf, intsOf } from "../onnx/build";
import { DataType } from "../onnx/dataTypes";
import type { AttributeProto, NodeProto, TensorProto } from "../onnx/onnx_pb";
import { int64Tensor, storedBytes, tensor, tensorMade } from "../onnx/tensors";
import { packLevels } from "../grid/pack";
import { weightCount } from "../graph/layers";
import { gridOf, hasOneAlphabet, neuronShape, turned } from "./codes";
import type { StoredLayer } from "./copy";
import { codesName, SCALES, ZERO_POINTS } from "./names";

// `packed`: any alphabet of 1, 2, 3, 4 or 8 bits in standard operators that mean the same from opset 7 on, so that every
// ONNX runtime loads it. onnxruntime folds all of it to float32 when it loads the model: smaller on disk, not in memory.
//
//   bytes -> Cast int32 -> Gather from a table of what the levels in a byte stand for -> Reshape to the weight's shape
//         -> Sub zero points (of affine, where they differ from neuron to neuron) -> Mul by the steps
//
// 3 bits are a plane of the low 2 bits and a plane of the high bit, added. 8 bits need no table.

/** From this opset on Mul, Sub and Add broadcast as NumPy does. */
export const PACKED_LEAST_OPSET = 7;

/** What the writer of a layer needs from the copy it writes into. */
export interface CopyParts {
  /** A name nothing in the model has yet. */
  name(wish: string): string;
  /** Stores a tensor and gives back the name to read it by. */
  store(stored: TensorProto): string;
  /** Adds a node in front of the graph's own; gives back the name of its result. */
  add(opType: string, input: readonly string[], attribute?: readonly AttributeProto[]): string;
  /** Adds a node there as it is. */
  put(added: NodeProto): void;
  /** Made once a copy and shared by its layers. */
  shared(key: string, make: () => string): string;
  readonly opset: number;
}

/** Adds the nodes that compute the weight of a layer; gives back the name of their result and the bytes they store. */
export function writePacked(stored: StoredLayer, parts: CopyParts): { output: string; bytes: number } {
  // The levels are read when the copy is written, or never where only its size is asked for.
  const { layer, alphabets, levels } = stored;
  const { bits } = alphabets;
  const count = weightCount(layer);
  let bytes = 0;
  const store = (
    name: string,
    type: "uint8" | "int8" | "float32" | "int64",
    dims: number[],
    make: () => ArrayBufferView,
  ): string => {
    const stored = tensorMade(parts.name(name), type, dims, make);
    bytes += storedBytes(stored);
    return parts.store(stored);
  };
  // Half-integer zero points are carried in half steps: level - zeroPoint = (2 level - 2 zeroPoint) / 2, all of it exact.
  // By kind, not by looking: layers of one width then share one table, and the size is known before the levels are.
  const unit = alphabets.kind === "midrise" || (alphabets.kind === "affine" && bits <= 3) ? 2 : 1;
  const same = alphabets.kind !== "affine";
  // Not the first neuron's: where all its weights are zero it has a step and a zero point of 0.
  const offset = same ? (unit * (alphabets.kind === "full" ? alphabets.levels : alphabets.levels - 1)) / 2 : 0;

  let value: string;
  if (bits === 8) {
    // One byte a weight: the level itself, read as a number.
    const codes = store(codesName(layer), "uint8", [...layer.shape], levels);
    value = parts.add("Cast", [codes], [intOf("to", DataType.float32)]);
    if (unit === 2) value = parts.add("Add", [value, value]);
    if (offset !== 0) value = parts.add("Sub", [value, scalar(offset, parts)]);
  } else if (bits === 3) {
    const low = unpack(
      codesName(layer),
      () => levels().map(level => level & 3),
      2,
      code => unit * code - offset,
    );
    const high = unpack(
      "h",
      () => levels().map(level => level >> 2),
      1,
      code => unit * 4 * code,
    );
    value = parts.add("Add", [low, high]);
  } else {
    value = unpack(codesName(layer), levels, bits, code => unit * code - offset);
  }
  if (!same) {
    const zeros = spread(
      ZERO_POINTS,
      "uint8",
      Uint8Array.from(alphabets.zeroPoints, zero => unit * zero),
    );
    const asFloat = parts.add("Cast", [zeros], [intOf("to", DataType.float32)]);
    value = parts.add("Sub", [value, asFloat]);
  }
  const steps = spread(
    SCALES,
    "float32",
    Float32Array.from(alphabets.steps, step => step / unit),
  );
  return { output: parts.add("Mul", [value, steps]), bytes };

  /**
   * Stores numbers [groups of inputs, neurons] so that they broadcast along the weight. With several groups each input looks
   * its group up, since the last group may be shorter than the others.
   */
  function spread(name: string, type: "uint8" | "float32", values: Uint8Array | Float32Array): string {
    if (hasOneAlphabet(gridOf(stored))) return store(name, type, [], () => values.subarray(0, 1));
    if (alphabets.groupInputs === undefined) return store(name, type, neuronShape(layer), () => values);
    const groups = values.length / layer.neurons;
    const grouped = layer.neuronsFirst
      ? store(name, type, [layer.neurons, groups], () => turned(values, groups, layer.neurons))
      : store(name, type, [groups, layer.neurons], () => values);
    const groupOfInput = int64s(
      Array.from({ length: layer.inputs }, (_, input) => Math.floor(input / alphabets.groupInputs!)),
      parts,
    );
    const axis = layer.neuronsFirst ? 1 : 0;
    const each = parts.add("Gather", [grouped, groupOfInput], [intOf("axis", axis)]);
    return parts.add("Reshape", [each, int64s(layer.shape, parts)]);
  }

  /** A plane of packed codes as float32 values in the shape of the weight. */
  function unpack(
    name: string,
    planeCodes: () => Uint8Array,
    width: 1 | 2 | 4,
    meaning: (code: number) => number,
  ): string {
    const table = sharedTable(width, meaning, parts);
    const perByte = 8 / width;
    const codes = store(name, "uint8", [Math.ceil(count / perByte)], () => packLevels(planeCodes(), width));
    const indices = parts.add("Cast", [codes], [intOf("to", DataType.int32)]);
    // axis 0 and a table of [256, 8 / width]: one row of values for every byte.
    let unpacked = parts.add("Gather", [table, indices]);
    if (count % perByte !== 0) {
      const flat = parts.add("Reshape", [unpacked, int64s([-1], parts)]);
      unpacked = cutTo(flat, count, parts);
    }
    return parts.add("Reshape", [unpacked, int64s(layer.shape, parts)]);
  }
}

/**
 * What the levels in each of the 256 bytes stand for, float32 [256, 8 / width], shared by the layers that agree on it. Stored for
 * the 16 halves of a byte; the first levels of a byte are in its low half.
 */
function sharedTable(width: 1 | 2 | 4, meaning: (code: number) => number, parts: CopyParts): string {
  const codes = 2 ** width;
  const values = Array.from({ length: codes }, (_, code) => meaning(code));
  return parts.shared(`table ${values.join(" ")}`, () => {
    const perHalf = 4 / width;
    // All values are integers of at most 15 in size.
    const halves = Int8Array.from(
      { length: 16 * perHalf },
      (_, at) => values[(Math.floor(at / perHalf) >> ((at % perHalf) * width)) % codes]!,
    );
    const stored = parts.store(tensor(parts.name("t"), "int8", [16, perHalf], halves));
    const table = parts.add("Cast", [stored], [intOf("to", DataType.float32)]);
    const low = parts.add("Tile", [table, int64s([16, 1], parts)]);
    const repeated = parts.add("Tile", [table, int64s([1, 16], parts)]);
    const high = parts.add("Reshape", [repeated, int64s([256, perHalf], parts)]);
    return parts.add("Concat", [low, high], [intOf("axis", 1)]);
  });
}

/** Keeps the first `length` entries; the bounds of Slice became inputs at opset 10. */
function cutTo(input: string, length: number, parts: CopyParts): string {
  if (parts.opset < 10) return parts.add("Slice", [input], [intsOf("starts", [0]), intsOf("ends", [length])]);
  return parts.add("Slice", [input, int64s([0], parts), int64s([length], parts)]);
}

/** Whole numbers, as shapes and indices are given. */
export function int64s(values: readonly number[], parts: CopyParts): string {
  return parts.shared(`int64 ${values.join(" ")}`, () =>
    parts.store(int64Tensor(parts.name("i"), values.map(BigInt))),
  );
}

function scalar(value: number, parts: CopyParts): string {
  return parts.shared(`float ${value}`, () =>
    parts.store(tensor(parts.name("o"), "float32", [], Float32Array.of(value))),
  );
}
