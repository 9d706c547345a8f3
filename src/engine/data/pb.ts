import { fromBinary } from "@bufbuild/protobuf";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { ModelInput } from "../../core/calibration/inputs";
import { elementsOf } from "../../core/calibration/npy";
import { type Tensor, type TensorData, type TensorType, tensorTypeOf } from "../../core/calibration/tensor";
import { Failure } from "../../core/failure";
import { inMemory } from "../../core/onnx/bytes";
import { dataTypeName } from "../../core/onnx/dataTypes";
import { type TensorProto, TensorProtoSchema } from "../../core/onnx/onnx_pb";
import { checkTensor, dimsOf, isExternal } from "../../core/onnx/tensors";
import { walkMessage } from "../../core/onnx/wire";
import { failureOf, readFileWhole, unreadable } from "./bytes";
import type { Source } from "./source";

/** One tensor of a test data set is read as a whole; the largest of the ONNX model zoo have some 10 MB. */
const MAX_TENSOR_BYTES = 2 ** 29;

/** One call of a model and what it answered: a folder `test_data_set_*`. */
export interface TestSet {
  readonly folder: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/**
 * The test data sets in a folder: the folder itself where it holds `input_0.pb`, else its folders that do, in the order of
 * their numbers.
 */
export async function testSets(folder: string): Promise<TestSet[]> {
  const own = await testSetOf(folder);
  if (own) return [own];
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw failureOf(folder, error);
  });
  const names = entries.filter(entry => entry.isDirectory()).map(entry => entry.name);
  const sets = await Promise.all(names.sort(byNumber).map(name => testSetOf(join(folder, name))));
  return sets.filter(set => set !== undefined);
}

async function testSetOf(folder: string): Promise<TestSet | undefined> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw failureOf(folder, error);
  });
  const numbered = (kind: string): string[] =>
    names
      .filter(name => new RegExp(`^${kind}_\\d+\\.pb$`).test(name))
      .sort(byNumber)
      .map(name => join(folder, name));
  const inputs = numbered("input");
  return inputs.length > 0 ? { folder, inputs, outputs: numbered("output") } : undefined;
}

const numerals = new Intl.Collator("en", { numeric: true });
const byNumber = (a: string, b: string): number => numerals.compare(a, b);

/**
 * What test data sets feed each input: whole tensors, first axis and all. A tensor belongs to the input whose name it has,
 * else to the one at the place its file's number says.
 *
 * @throws {Failure} `data-unreadable` or `data-does-not-fit`.
 */
export async function testSetSources(
  sets: readonly TestSet[],
  inputs: readonly ModelInput[],
): Promise<Map<string, Source>> {
  const first = sets[0]!;
  const tensors = await Promise.all(first.inputs.map(readTensorFile));
  const names = new Set(inputs.map(input => input.name));
  return new Map(
    tensors.map(({ name, tensor }, place): [string, Source] => {
      const input = names.has(name) ? name : inputs[place]?.name;
      if (input === undefined) {
        throw new Failure(
          "data-does-not-fit",
          `${first.inputs[place]} is for input ${place}, and the model has ${inputs.length}.`,
          "Leave it out, or choose the model's own test data.",
        );
      }
      const read = async (sample: number): Promise<Tensor> => {
        const file = sets[sample]!.inputs[place];
        if (file === undefined) {
          throw unreadable(sets[sample]!.folder, `has no input_${place}.pb, as ${basename(first.folder)} has`);
        }
        return (await readTensorFile(file)).tensor;
      };
      return [
        input,
        { name: first.inputs[place]!, count: sets.length, type: tensor.type, dims: tensor.dims, read },
      ];
    }),
  );
}

/**
 * A tensor in a file of its own, as ONNX's test data sets have them.
 *
 * @throws {Failure} `data-unreadable`, with the cause.
 */
export async function readTensorFile(path: string): Promise<{ name: string; tensor: Tensor }> {
  const bytes = await readFileWhole(path, MAX_TENSOR_BYTES);
  if (bytes.length === 0) throw unreadable(path, "is empty");
  const { why } = walkMessage(inMemory(bytes), TensorProtoSchema);
  if (why !== undefined) throw unreadable(path, why.replace("an ONNX model", "a tensor in ONNX's format"));
  let proto: TensorProto;
  let dims: number[];
  try {
    proto = fromBinary(TensorProtoSchema, bytes);
    checkTensor(proto);
    dims = dimsOf(proto);
  } catch (error) {
    if (error instanceof Failure)
      throw unreadable(path, `is no usable tensor: ${error.happened.replace(/\.$/, "")}`);
    throw unreadable(path, "is not a tensor in ONNX's format, or it ends too early");
  }
  if (isExternal(proto)) throw unreadable(path, "keeps its numbers in another file");
  const type = tensorTypeOf(dataTypeName(proto.dataType));
  if (type === undefined) {
    const name = dataTypeName(proto.dataType) ?? `number ${proto.dataType}`;
    throw unreadable(path, `holds elements of type ${name}, which cannot be fed here`);
  }
  return { name: proto.name, tensor: { type, dims, data: dataOf(proto, type) } };
}

/** The numbers, from the bytes or from the typed field that the type uses. @see onnx.proto, TensorProto. */
function dataOf(proto: TensorProto, type: TensorType): TensorData {
  if (proto.rawData.length > 0) return elementsOf(type, proto.rawData);
  switch (type) {
    case "float32":
      return Float32Array.from(proto.floatData);
    case "float64":
      return Float64Array.from(proto.doubleData);
    case "int64":
      return BigInt64Array.from(proto.int64Data);
    case "uint64":
      return BigUint64Array.from(proto.uint64Data);
    case "uint32":
      return Uint32Array.from(proto.uint64Data, Number);
    case "int8":
      return Int8Array.from(proto.int32Data);
    case "uint8":
    case "bool":
      return Uint8Array.from(proto.int32Data);
    case "int16":
      return Int16Array.from(proto.int32Data);
    case "uint16":
    case "float16":
      return Uint16Array.from(proto.int32Data);
    case "int32":
      return Int32Array.from(proto.int32Data);
    default:
      return type satisfies never;
  }
}
