import { allGraphs, allNodes, type Model } from "../onnx/model";
import type { TensorProto } from "../onnx/onnx_pb";
import { rawLength } from "../onnx/bytes";
import { elementCount, piecesOfBytes, storedBytes } from "../onnx/tensors";
import { constantTensor } from "./storedValues";

// What a model file is made of, for somebody who wonders where its bytes are.

/** A stored tensor under the name that nodes read it by. */
function namedTensors(model: Model): TensorProto[] {
  const initializers = allGraphs(model).flatMap(graph => graph.initializer);
  return [...initializers, ...allNodes(model).flatMap(node => constantTensor(node) ?? [])];
}

/** Numbers that a model stores, wherever: in its graph, in nested ones, in Constant nodes. */
export function storedNumbers(model: Model): number {
  return namedTensors(model).reduce((sum, tensor) => sum + elementCount(tensor), 0);
}

/** Bytes of the stored tensors by the operator that reads them first, most bytes first. */
export function bytesByOperator(model: Model): Record<string, number> {
  const readers = new Map<string, string>();
  for (const { input, opType } of allNodes(model))
    for (const name of input) if (!readers.has(name)) readers.set(name, opType);
  const bytes = new Map<string, number>();
  for (const tensor of namedTensors(model)) {
    const op = readers.get(tensor.name) ?? NOBODY;
    bytes.set(op, (bytes.get(op) ?? 0) + storedBytes(tensor));
  }
  return Object.fromEntries([...bytes].sort(([, one], [, other]) => other - one));
}

/** Who reads a tensor that no node reads: an output of the model, or nobody at all. */
const NOBODY = "(no operator)";

/** Tensors that hold the same numbers, and the bytes that all but one of them take. */
export interface Duplicates {
  readonly tensors: readonly string[];
  readonly bytes: number;
}

/** Smaller ones are shapes and factors, of which many are alike by nature. */
const LEAST_BYTES = 256;
/** Of tensors that could be alike the beginnings are compared before all of them is read. */
const BEGINNING = 4096;

/**
 * @param mostBytes of tensors of one type and size whose beginnings are alike that are read as a whole; of larger ones the
 *                  beginnings decide nothing, and they are not listed.
 */
export function duplicatesIn(model: Model, mostBytes: number): Duplicates[] {
  const alike = (tensors: readonly TensorProto[], key: (one: TensorProto) => string): TensorProto[][] => {
    const groups = new Map<string, TensorProto[]>();
    for (const one of tensors) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
    return [...groups.values()].filter(group => group.length > 1);
  };
  const large = namedTensors(model).filter(one => storedBytes(one) >= LEAST_BYTES && hasBytes(one));
  let left = mostBytes;
  return alike(large, one => `${one.dataType} ${one.dims.join("x")}`)
    .flatMap(group => alike(group, one => fingerprint(one, BEGINNING)))
    .flatMap(group => {
      left -= group.length * storedBytes(group[0]!);
      return left < 0 ? [] : alike(group, one => fingerprint(one, Infinity));
    })
    .map(group => ({
      tensors: group.map(one => one.name),
      bytes: (group.length - 1) * storedBytes(group[0]!),
    }));
}

function hasBytes(tensor: TensorProto): boolean {
  return rawLength(tensor) > 0 || tensor.floatData.length > 0;
}

/** Two hashes of 32 bits over the first so many bytes, of the kind of FNV-1a: enough to tell tensors of one file apart. */
function fingerprint(tensor: TensorProto, most: number): string {
  let [one, other] = [0x811c9dc5, 0x9747b28c];
  let seen = 0;
  for (const piece of piecesOfBytes(tensor, Math.min(most, 2 ** 20))) {
    for (const byte of piece) {
      one = Math.imul(one ^ byte, 0x01000193);
      other = Math.imul(other ^ byte, 0x85ebca6b) + one;
    }
    seen += piece.length;
    if (seen >= most) break;
  }
  return `${one >>> 0} ${other >>> 0}`;
}
