import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { numbersOf } from "../../src/core/calibration/convert";
import { readNpy } from "../../src/core/calibration/npy";
import type { Tensor } from "../../src/core/calibration/tensor";

/** An empty folder that is gone after the test. */
export function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "whittle-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function bytesOf(file: string): Uint8Array {
  return new Uint8Array(readFileSync(file));
}

export function arrayOf(file: string): Tensor {
  return readNpy(bytesOf(file), file);
}

/** The arrays beside an awkward model for its inputs or its outputs, by name: `MODEL.in.NAME.npy`. */
export function arraysBeside(model: string, kind: "in" | "out"): Map<string, Tensor> {
  const folder = dirname(model);
  const prefix = `${basename(model, ".onnx")}.${kind}.`;
  const found = readdirSync(folder).filter(name => name.startsWith(prefix) && name.endsWith(".npy"));
  return new Map(found.map(name => [name.slice(prefix.length, -".npy".length), arrayOf(join(folder, name))]));
}

/** ||a - b|| / ||b||. */
export function distance(a: Tensor, b: Tensor): number {
  const [x, y] = [numbersOf(a), numbersOf(b)];
  let difference = 0;
  let size = 0;
  for (let i = 0; i < y.length; i++) {
    difference += (x[i]! - y[i]!) ** 2;
    size += y[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}

/** A .npy file of float32 values. */
export function writeNpy(file: string, dims: readonly number[], values: Float32Array): string {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(", ")},), }`.padEnd(117) + "\n";
  const bytes = new Uint8Array(values.buffer);
  writeFileSync(
    file,
    Buffer.concat([
      Buffer.from([0x93]),
      Buffer.from("NUMPY\u0001\u0000"),
      Buffer.from([header.length, 0]),
      Buffer.from(header),
      bytes,
    ]),
  );
  return file;
}
