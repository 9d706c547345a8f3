import { Failure } from "../core/failure";
import { storageOf } from "../core/formats/readBack";
import { BIAS_SLOT, type Reading, type ReadValue, WEIGHT_SLOTS } from "../core/graph/readValues";
import type { Model } from "../core/onnx/model";
import { dimsOf, rawBuffer } from "../core/onnx/tensors";
import { errorToDb, relativeError, weightError } from "../core/report/measure";
import type { ComparedValue, ComparedWeight, Comparison } from "./compareModels";
import { type Numbers, readBack } from "./readBack";

/** A model as it is compared, and the tensors that several of its values are made of. */
export interface Side {
  readonly model: Model;
  readonly common: ReadonlySet<string>;
}

/** Compares what the nodes of each pair read of what is stored. */
export async function compareWeights(
  pairs: readonly (readonly [Reading, Reading])[],
  a: Side,
  b: Side,
): Promise<Pick<Comparison, "layers" | "tensors" | "equalTensors" | "warnings">> {
  const layers: ComparedWeight[] = [];
  const tensors: ComparedValue[] = [];
  const warnings: string[] = [];
  let equalTensors = 0;
  const seen = new Set<string>();
  for (const [left, right] of pairs) {
    const weightSlots = WEIGHT_SLOTS[left.op] ?? [];
    const biasSlot = left.op === "MatMul" || left.op === "Conv" || left.op === "ConvTranspose" ? BIAS_SLOT : -1;
    let biasError: number | null = null;
    const found: ComparedValue[] = [];
    for (const [slot, value] of left.values) {
      const other = right.values.get(slot);
      const key = `${value.name}\n${other?.name}`;
      if (!other || seen.has(key)) continue;
      seen.add(key);
      const one = await compareValues(left, value, other, a, b, warnings);
      if (one.weightError === 0) equalTensors++;
      if (weightSlots.includes(slot)) found.push(one);
      else if (slot === biasSlot) biasError = one.weightError;
      else if (one.weightError !== 0) tensors.push(one);
    }
    for (const one of found) layers.push({ ...one, sqnrDb: errorToDb(one.weightError), biasError });
  }
  return { layers, tensors, equalTensors, warnings };
}

async function compareValues(
  { node, op }: Reading,
  value: ReadValue,
  other: ReadValue,
  a: Side,
  b: Side,
  warnings: string[],
): Promise<ComparedValue> {
  const name = node.name || node.output[0] || op;
  const [first] = value.tensors;
  const plain = first && value.nodes.length === 0 ? dimsOf(first) : undefined;
  const row = (shape: readonly number[], error: number | null): ComparedValue => {
    const count = shape.reduce((product, dim) => product * dim, 1);
    const tensor = value.probe ? (first?.name ?? value.name) : value.name;
    return {
      name,
      op: node.opType,
      tensor,
      shape,
      a: storageOf(value, count, a.common),
      b: storageOf(other, count, b.common),
      weightError: error,
    };
  };
  if (plain && sameTensor(value, other)) return row(plain, 0);
  let numbers: readonly [Numbers, Numbers];
  try {
    numbers = [await readBack(a.model, value), await readBack(b.model, other)];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    warnings.push(`What ${name} reads could not be read back (${error.happened})`);
    return row(plain ?? [], null);
  }
  const [wanted, found] = numbers;
  const sameShape =
    wanted.dims.length === found.dims.length && wanted.dims.every((dim, k) => dim === found.dims[k]);
  if (!sameShape)
    warnings.push(`${name} reads [${wanted.dims.join(", ")}] in A and [${found.dims.join(", ")}] in B.`);
  return row(wanted.dims, sameShape ? relativeError([weightError(wanted.data, found.data)]) : null);
}

/** Whether both read the same bytes as they are. */
function sameTensor(value: ReadValue, other: ReadValue): boolean {
  const [one] = value.tensors;
  const [two] = other.tensors;
  if (!one || !two || value.nodes.length + other.nodes.length > 0 || value.turned !== other.turned) return false;
  if (one.dataType !== two.dataType || one.dims.join() !== two.dims.join()) return false;
  const [left, right] = [rawBuffer(one), rawBuffer(two)];
  return left.byteLength > 0 && Buffer.from(left).equals(Buffer.from(right));
}
