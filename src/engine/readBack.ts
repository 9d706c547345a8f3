import { convertTo } from "../core/calibration/convert";
import type { Feed, Session, Tensor, TensorType } from "../core/calibration/tensor";
import { probeType, VALUE, valueModel } from "../core/formats/readBack";
import type { ReadValue } from "../core/graph/readValues";
import type { Model } from "../core/onnx/model";
import { openSession } from "./runtime";

/** The numbers of a value, and its shape. */
export interface Numbers {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/**
 * Reads a stored value back as floats, whatever it is stored as.
 *
 * @throws {Failure} `model-does-not-run` where onnxruntime cannot compute it.
 */
export async function readBack(model: Model, value: ReadValue): Promise<Numbers> {
  const session = await openSession(valueModel(model, value), { weightsAlone: true, threads: 1 });
  try {
    const { probe } = value;
    if (!probe) return await answer(session, new Map());
    const type = probeType(value) as TensorType;
    const pieces: Numbers[] = [];
    for (let from = 0; from < probe.count; from += ROWS_AT_ONCE) {
      const count = Math.min(ROWS_AT_ONCE, probe.count - from);
      const fed = probe.kind === "rows" ? rowNumbers(from, count) : identityRows(from, count, probe.count, type);
      pieces.push(await answer(session, new Map([[probe.input, fed]])));
    }
    return joined(pieces, probe.count);
  } finally {
    await session.release();
  }
}

/** Rows of an identity, or of a table, that are asked for at once. */
const ROWS_AT_ONCE = 256;

function identityRows(from: number, count: number, size: number, type: TensorType): Tensor {
  const data = new Float32Array(count * size);
  for (let row = 0; row < count; row++) data[row * size + from + row] = 1;
  return { type, dims: [count, size], data: convertTo(type, { type: "float32", data }) };
}

function rowNumbers(from: number, count: number): Tensor {
  return { type: "int64", dims: [count], data: BigInt64Array.from({ length: count }, (_, k) => BigInt(from + k)) };
}

async function answer(session: Session, feed: Feed): Promise<Numbers> {
  const { dims, data } = (await session.run(feed)).get(VALUE)!;
  return { dims, data: data as Float32Array };
}

function joined(pieces: readonly Numbers[], rows: number): Numbers {
  const data = new Float32Array(pieces.reduce((sum, piece) => sum + piece.data.length, 0));
  let at = 0;
  for (const piece of pieces) {
    data.set(piece.data, at);
    at += piece.data.length;
  }
  return { dims: [rows, ...(pieces[0]?.dims.slice(1) ?? [])], data };
}
