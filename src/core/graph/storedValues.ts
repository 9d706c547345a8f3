import { intAttribute, intsAttribute } from "../onnx/attributes";
import { changed } from "../onnx/build";
import { DataType, type DataTypeName, dataTypeName } from "../onnx/dataTypes";
import { floatTensor, type FloatType, floatValues, isFloatType, roundedTo } from "../onnx/floats";
import { isOnnxDomain } from "../onnx/model";
import type { NodeProto, TensorProto } from "../onnx/onnx_pb";
import { dimsOf, elementCount, float32Pieces, int64Tensor, int64Values } from "../onnx/tensors";
import type { GraphIndex, Use } from "./uses";

// Weights are not always stored as they are consumed: exporters leave a Transpose, a Reshape, a Cast or an Identity between
// the stored tensor and the layer, and some keep tensors in Constant nodes. Such a value is known without running the model.

/** A value of the graph that is a stored tensor, or one seen through operators that only move or cast its numbers. */
export interface StoredValue {
  /** What the value is called in the graph. */
  readonly name: string;
  /** The tensor behind it; one of a Constant node has the name of the node's output. */
  readonly tensor: TensorProto;
  /** Names on the way here: the tensor, what else the way reads (shapes), and what its nodes make; this value is the last. */
  readonly path: readonly string[];
  readonly shape: readonly number[];
  /** Of the value; its numbers may be stored as another. Undefined for a type newer than Whittle. */
  readonly type: DataTypeName | undefined;
  /** What happens to the stored numbers on the way, in order; a Reshape leaves them as they are. */
  readonly steps: readonly Step[];
}

type Step =
  | { readonly what: "round"; readonly to: FloatType }
  | { readonly what: "transpose"; readonly shape: readonly number[]; readonly order: readonly number[] };

/** The numbers of a value as float32, in its own order. Its `type` is one of floats. */
export function valuesOf({ tensor, steps }: StoredValue): Float32Array {
  const type = dataTypeName(tensor.dataType);
  if (!isFloatType(type)) throw new Error(`"${tensor.name}" holds no floats.`);
  return steps.reduce(
    (values, step) =>
      step.what === "round" ? roundedTo(step.to, values) : transposed(values, step.shape, step.order),
    floatValues(tensor, type),
  );
}

/** The numbers of a value in any order, some at a time where they lie in a file as they are. */
export function piecesOf(value: StoredValue): Iterable<Float32Array> {
  const asStored = value.tensor.dataType === DataType.float32 && value.steps.every(step => step.what !== "round");
  return asStored ? float32Pieces(value.tensor) : [valuesOf(value)];
}

/** Whether a node only moves or casts the numbers of its first input. */
export function passesOn({ node, slot }: Use): boolean {
  return slot === 0 && isOnnxDomain(node) && Object.hasOwn(PASSES, node.opType);
}

/** Exporters leave one or two such nodes in a row, we have met 4; a chain of thousands is no weight's way. */
const MAX_WAY = 64;

/** The value of such a name; undefined where it is worked out from more than one stored tensor, or when the model runs. */
export function storedValue(name: string, index: GraphIndex): StoredValue | undefined {
  const way: NodeProto[] = [];
  let start = name;
  let tensor = tensorAt(start, index);
  while (!tensor) {
    const node = index.producers.get(start);
    if (!node || !passesOn({ node, slot: 0 }) || node.output.length !== 1 || way.length === MAX_WAY)
      return undefined;
    way.unshift(node);
    start = node.input[0] ?? "";
    tensor = tensorAt(start, index);
  }
  return way.reduce<StoredValue | undefined>((value, node) => value && passed(value, node, index), whole(tensor));
}

/** What a node makes of a value it only passes on; undefined where that cannot be told, or is no float any more. */
export function passed(value: StoredValue, node: NodeProto, index: GraphIndex): StoredValue | undefined {
  return PASSES[node.opType]?.(
    { ...value, name: node.output[0]!, path: [...value.path, node.output[0]!] },
    node,
    index,
  );
}

function whole(tensor: TensorProto): StoredValue {
  const type = dataTypeName(tensor.dataType);
  return { name: tensor.name, tensor, path: [tensor.name], shape: dimsOf(tensor), type, steps: [] };
}

/** An initializer, or what a Constant node holds. */
export function tensorAt(name: string, index: GraphIndex): TensorProto | undefined {
  const stored = index.initializers.get(name);
  if (stored) return stored;
  const node = index.producers.get(name);
  return node && constantTensor(node);
}

/** Shapes and axes have as many entries as a tensor has dimensions; where more are listed, they are something else. */
const MAX_INTS = 1024;

/** Stored int64 numbers, as shapes and axes are; undefined where they are none, or a caller may feed others. */
export function storedInts(name: string, index: GraphIndex): number[] | undefined {
  const stored = tensorAt(name, index);
  if (stored?.dataType !== DataType.int64 || index.inputs.has(name) || elementCount(stored) > MAX_INTS)
    return undefined;
  return int64Values(stored).map(Number);
}

/** The tensor of a Constant node, under the name of its output; undefined for other nodes, and for what is no weight or shape. */
export function constantTensor(node: NodeProto): TensorProto | undefined {
  if (node.opType !== "Constant" || !isOnnxDomain(node)) return undefined;
  const name = node.output[0];
  if (name === undefined || name === "") return undefined;
  for (const attribute of node.attribute) {
    if (attribute.name === "value" && attribute.t) return changed(attribute.t, { name });
    if (attribute.name === "value_floats")
      return floatTensor(name, "float32", [attribute.floats.length], Float32Array.from(attribute.floats));
    if (attribute.name === "value_ints") return int64Tensor(name, attribute.ints);
  }
  return undefined;
}

type Pass = (value: StoredValue, node: NodeProto, index: GraphIndex) => StoredValue | undefined;

const PASSES: Readonly<Record<string, Pass>> = {
  Identity: value => value,
  Cast: cast,
  Transpose: transpose,
  Reshape: reshape,
};

function cast(value: StoredValue, node: NodeProto): StoredValue | undefined {
  const to = dataTypeName(intAttribute(node, "to", DataType.float32));
  // Integers that become floats are codes: a weight that is quantized already.
  if (!isFloatType(to) || !isFloatType(value.type)) return undefined;
  return { ...value, type: to, steps: [...value.steps, { what: "round", to }] };
}

function transpose(value: StoredValue, node: NodeProto): StoredValue | undefined {
  const { shape } = value;
  const order = intsAttribute(node, "perm") ?? shape.map((_, axis) => shape.length - 1 - axis);
  const each = new Set(order);
  if (order.length !== shape.length || each.size !== shape.length || !shape.every((_, axis) => each.has(axis)))
    return undefined;
  const moved = order.map(axis => shape[axis]!);
  return { ...value, shape: moved, steps: [...value.steps, { what: "transpose", shape, order }] };
}

/** Row-major numbers of such a shape with their axes in another order. */
function transposed(values: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, dim) => product * dim, 1));
  const out = new Float32Array(values.length);
  const at = order.map(() => 0);
  let from = 0;
  for (let place = 0; place < out.length; place++) {
    out[place] = values[from]!;
    for (let axis = order.length - 1; axis >= 0; axis--) {
      const stride = strides[order[axis]!]!;
      const size = shape[order[axis]!]!;
      from += stride;
      if (++at[axis]! < size) break;
      from -= stride * size;
      at[axis] = 0;
    }
  }
  return out;
}

/** @see ONNX operator Reshape: 0 keeps an axis (but for allowzero), -1 is what remains. */
function reshape(value: StoredValue, node: NodeProto, index: GraphIndex): StoredValue | undefined {
  const name = node.input[1] ?? "";
  const wish = storedInts(name, index);
  if (!wish || intAttribute(node, "allowzero", 0) !== 0) return undefined;
  const shape = wish.map((dim, axis) => (dim === 0 ? (value.shape[axis] ?? 0) : dim));
  const count = elementCount(value.tensor);
  const known = shape.reduce((product, dim) => (dim === -1 ? product : product * dim), 1);
  const filled = shape.map(dim => (dim === -1 ? count / known : dim));
  const isShape = filled.every(dim => Number.isInteger(dim) && dim >= 0);
  const holds = isShape && filled.reduce((product, dim) => product * dim, 1) === count;
  return holds ? { ...value, shape: filled, path: [name, ...value.path] } : undefined;
}
