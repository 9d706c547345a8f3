import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { putElsewhere } from "../../src/core/onnx/bytes";
import { node, valueInfo } from "../../src/core/onnx/build";
import { DataType } from "../../src/core/onnx/dataTypes";
import { modelParts } from "../../src/core/onnx/model";
import {
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
} from "../../src/core/onnx/onnx_pb";
import { seeded } from "../../src/core/random";

// Models larger than 2 GB, of the kind that make_big.py of the shared data makes: products one after the other, weights of which
// the first rows are drawn and the rest is zero, so that on most systems the files take little room.

/** Rows of each weight that hold numbers. */
export const BIG_ROWS = 64;

export interface BigModel {
  readonly layers: number;
  readonly inputs: number;
  readonly neurons: number;
}

/** Writes `model.onnx` with its weights in another file beside it. */
export function writeBigPair(folder: string, big: BigModel, location = "model.bin"): string {
  const [path, data] = [join(folder, "model.onnx"), join(folder, location)];
  const length = 4 * big.inputs * big.neurons;
  const file = openSync(data, "w");
  const rows = drawnRows(big);
  const weights = Array.from({ length: big.layers }, (_, k) => {
    writeSync(file, rows, 0, rows.length, k * length);
    const entries = { location, offset: String(k * length), length: String(length) };
    return weight(k, big, {
      dataLocation: 1,
      externalData: Object.entries(entries).map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value }),
      ),
    });
  });
  ftruncateSync(file, big.layers * length);
  closeSync(file);
  writeParts(path, modelOf(big, weights), rows);
  return path;
}

/** Writes `model.onnx` with its weights in it, as one file past the 2 GiB where protobuf ends. */
export function writeBigSingle(folder: string, big: BigModel): string {
  const path = join(folder, "model.onnx");
  const length = 4 * big.inputs * big.neurons;
  const read = (): never => {
    throw new Error("Only its first rows are written.");
  };
  const weights = Array.from({ length: big.layers }, (_, k) => putElsewhere(weight(k, big, {}), { length, read }));
  writeParts(path, modelOf(big, weights), drawnRows(big));
  return path;
}

function drawnRows({ inputs, neurons }: BigModel): Uint8Array {
  const random = seeded(inputs);
  const values = Float32Array.from(
    { length: Math.min(BIG_ROWS, inputs) * neurons },
    () => 0.02 * (random() + random() + random() - 1.5),
  );
  return new Uint8Array(values.buffer);
}

function weight(
  k: number,
  { inputs, neurons }: BigModel,
  more: Extract<MessageInitShape<typeof TensorProtoSchema>, { $typeName?: undefined }>,
): TensorProto {
  return create(TensorProtoSchema, {
    ...more,
    name: `W${k}`,
    dataType: DataType.float32,
    dims: [BigInt(inputs), BigInt(neurons)],
  });
}

function modelOf({ layers, inputs, neurons }: BigModel, weights: TensorProto[]): ModelProto {
  const value = (name: string, size: number): ValueInfoProto => {
    const info = valueInfo(name, "float32");
    info.type!.tensorType!.shape = {
      $typeName: "onnx.TensorShapeProto",
      dim: [
        { $typeName: "onnx.TensorShapeProto.Dimension", value: { case: "dimParam", value: "N" } },
        { $typeName: "onnx.TensorShapeProto.Dimension", value: { case: "dimValue", value: BigInt(size) } },
      ],
    };
    return info;
  };
  return create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: "", version: 13n }],
    graph: create(GraphProtoSchema, {
      name: "big",
      node: Array.from({ length: layers }, (_, k) =>
        node("MatMul", [k === 0 ? "x" : `y${k - 1}`, `W${k}`], `y${k}`),
      ),
      initializer: weights,
      input: [value("x", inputs)],
      output: [value(`y${layers - 1}`, neurons)],
    }),
  });
}

/** Of weights that are not in the message only the rows with numbers are written; what is left out reads as zeros. */
function writeParts(path: string, model: ModelProto, rows: Uint8Array): void {
  const file = openSync(path, "w");
  let at = 0;
  for (const part of modelParts(model)) {
    const bytes = part instanceof Uint8Array ? part : rows;
    writeSync(file, bytes, 0, bytes.length, at);
    at += part.length;
  }
  ftruncateSync(file, at);
  closeSync(file);
}
