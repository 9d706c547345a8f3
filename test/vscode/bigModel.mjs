// A model that takes the engine some ten seconds: layers of MatMul and Relu with random weights, and inputs for it. ONNX is
// protobuf; so little of it is written here by hand.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const varint = value => {
  const bytes = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number((rest & 127n) | 128n));
  }
};
const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const bytes = (field, content) => {
  const buffer = Buffer.from(content);
  return Buffer.concat([varint((field << 3) | 2), varint(buffer.length), buffer]);
};
const message = (...parts) => Buffer.concat(parts);

/** Numbers in -1 .. 1, the same at every run. */
function random(count) {
  const values = new Float32Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = state / 2 ** 31 - 1;
  }
  return Buffer.from(values.buffer);
}

/** Writes NAME.onnx and NAME.npy into a folder; returns the file name of the model. */
export function writeBigModel(folder, name = "big", width = 1200, layers = 8, samples = 400) {
  const value = title =>
    message(
      bytes(1, title),
      bytes(
        2,
        bytes(1, message(number(1, 1), bytes(2, message(bytes(1, bytes(2, "N")), bytes(1, number(1, width)))))),
      ),
    );
  const nodes = [];
  const weights = [];
  for (let k = 0; k < layers; k++) {
    nodes.push(
      bytes(
        1,
        message(bytes(1, `x${k}`), bytes(1, `w${k}`), bytes(2, `y${k}`), bytes(3, `fc${k}`), bytes(4, "MatMul")),
      ),
    );
    nodes.push(bytes(1, message(bytes(1, `y${k}`), bytes(2, `x${k + 1}`), bytes(3, `relu${k}`), bytes(4, "Relu"))));
    weights.push(
      bytes(
        5,
        message(
          number(1, width),
          number(1, width),
          number(2, 1),
          bytes(8, `w${k}`),
          bytes(9, random(width * width)),
        ),
      ),
    );
  }
  const graph = message(
    ...nodes,
    bytes(2, "big"),
    ...weights,
    bytes(11, value("x0")),
    bytes(12, value(`x${layers}`)),
  );
  writeFileSync(
    join(folder, `${name}.onnx`),
    message(number(1, 8), bytes(7, graph), bytes(8, message(bytes(1, ""), number(2, 17)))),
  );

  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${samples}, ${width}), }`.padEnd(117) + "\n";
  writeFileSync(
    join(folder, `${name}.npy`),
    Buffer.concat([
      Buffer.from([0x93]),
      Buffer.from("NUMPY"),
      Buffer.from([1, 0, header.length, 0]),
      Buffer.from(header),
      random(samples * width),
    ]),
  );
  return `${name}.onnx`;
}
