/** Models that tests make themselves: random weights, as large as a test needs to have time. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { SAMPLES } from "./whittle.mjs";

/** Each of its layers takes the default method seconds. */
export const SLOW_MODEL = "slow.onnx";
export const SLOW_DATA = "slow.json";

/**
 * A copy of the samples with a model that takes long; it goes when this process ends.
 *
 * @param {number[]} [widths] of the model's input and of each layer.
 */
export function workspaceWithSlowModel({ widths = [1500, 1500, 1500, 1500], samples = 1000 } = {}) {
  const folder = join(mkdtempSync(join(tmpdir(), "whittle-models-")), "models");
  process.once("exit", () => rmSync(join(folder, ".."), { recursive: true, force: true }));
  cpSync(SAMPLES, folder, { recursive: true });
  const random = seeded(1);
  writeFileSync(join(folder, SLOW_MODEL), denseModel(widths, random));
  writeFileSync(join(folder, "slow_calibration.npy"), npy([samples, widths[0]], random));
  writeFileSync(join(folder, SLOW_DATA), JSON.stringify({ input: "x", calib: "slow_calibration.npy" }));
  return folder;
}

/** MatMul and Relu, one after the other. */
function denseModel(widths, random) {
  const names = widths.slice(1).map((_, i) => `dense${i + 1}`);
  const graph = message(
    ...names.flatMap((name, i) => [
      field(1, node("MatMul", [i === 0 ? "x" : `${names[i - 1]}.out`, `${name}.weight`], `${name}.sum`, name)),
      field(1, node("Relu", [`${name}.sum`], `${name}.out`, `${name}.relu`)),
    ]),
    field(2, "mlp"),
    ...names.map((name, i) => field(5, tensor(`${name}.weight`, [widths[i], widths[i + 1]], random))),
    field(11, value("x", widths[0])),
    field(12, value(`${names.at(-1)}.out`, widths.at(-1))),
  );
  return message(field(1, 8), field(8, message(field(2, 17))), field(7, graph));
}

// ONNX is protocol buffers: numbers of fields as in onnx.proto.

function node(op, inputs, output, name) {
  return message(...inputs.map(input => field(1, input)), field(2, output), field(3, name), field(4, op));
}

function tensor(name, dims, random) {
  const FLOAT = 1;
  const weights = Float32Array.from({ length: dims[0] * dims[1] }, () => (random() - 0.5) / Math.sqrt(dims[0]));
  return message(...dims.map(dim => field(1, dim)), field(2, FLOAT), field(8, name), field(9, bytesOf(weights)));
}

function value(name, width) {
  const shape = message(field(1, message(field(2, "batch"))), field(1, message(field(1, width))));
  return message(field(1, name), field(2, message(field(1, message(field(1, 1), field(2, shape))))));
}

function field(number, content) {
  return writer => {
    if (typeof content === "number") writer.tag(number, WireType.Varint).int64(content);
    else if (typeof content === "string") writer.tag(number, WireType.LengthDelimited).string(content);
    else writer.tag(number, WireType.LengthDelimited).bytes(content);
  };
}

function message(...fields) {
  const writer = new BinaryWriter();
  for (const write of fields) write(writer);
  return writer.finish();
}

/** A NumPy array of floats, 0..1. */
function npy(dims, random) {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(", ")}), }`.padEnd(117) + "\n";
  const start = Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), Buffer.from([header.length, 0])]);
  const values = Float32Array.from({ length: dims[0] * dims[1] }, random);
  return Buffer.concat([start, Buffer.from(header), bytesOf(values)]);
}

function bytesOf(array) {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** The same numbers, 0..1, for the same seed. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
