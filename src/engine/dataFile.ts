import { dirname, resolve } from "node:path";
import { Failure } from "../core/failure";
import { readWhole } from "./files";

/** How pictures become inputs: x = (u8 * scale - mean[c]) / std[c], then laid out. */
export interface ImagePreprocessing {
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly layout: "NCHW" | "NHWC";
  /** The channels are turned round first. */
  readonly bgr: boolean;
}

/** A data file (or one entry of it), checked. Paths are absolute. */
export interface DataSpec {
  readonly file: string;
  readonly kind: "image" | "tensor";
  /** Name of the model's input; undefined where the model has only one. */
  readonly input: string | undefined;
  /** What a fit uses. */
  readonly calibration: string | undefined;
  /** What `evaluate` uses. */
  readonly data: string | undefined;
  readonly labels: string | undefined;
  readonly preprocessing: ImagePreprocessing;
  /** Shape a sample is brought to. */
  readonly dims: readonly number[] | undefined;
  readonly batch: number | undefined;
  readonly labelOffset: number;
}

/** A `.npy` file given on the command line instead of a data file. */
export function tensorSpec(file: string): DataSpec {
  return {
    file,
    kind: "tensor",
    input: undefined,
    calibration: resolve(file),
    data: resolve(file),
    labels: undefined,
    preprocessing: { scale: 1, mean: [0], std: [1], layout: "NCHW", bgr: false },
    dims: undefined,
    batch: undefined,
    labelOffset: 0,
  };
}

/**
 * Reads `FILE.json` or `FILE.json#ID`.
 *
 * @throws {Failure} `data-missing` or `data-unreadable`, naming the field.
 */
export async function readDataFile(reference: string): Promise<DataSpec> {
  const hash = reference.lastIndexOf("#");
  const file = hash < 0 ? reference : reference.slice(0, hash);
  const text = new TextDecoder().decode(await readWhole(file, "data"));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw bad(file, `is not JSON (${(error as Error).message})`);
  }
  return specOf(hash < 0 ? json : entryOf(json, reference.slice(hash + 1), file), file);
}

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function entryOf(json: unknown, id: string, file: string): unknown {
  const entries = isFields(json) && Array.isArray(json.entries) ? json.entries.filter(isFields) : [];
  const found = entries.find(entry => entry.id === id);
  if (!found) {
    throw bad(
      file,
      `has no entry "${id}"${entries.length > 0 ? ` (it has ${entries.map(entry => String(entry.id)).join(", ")})` : ""}`,
    );
  }
  return found;
}

function specOf(fields: unknown, file: string): DataSpec {
  if (!isFields(fields)) throw bad(file, "does not hold an object");
  const wrong = (name: string, wanted: string): Failure => bad(file, `has a "${name}" that is not ${wanted}`);
  const text = (name: string): string | undefined => {
    const value = fields[name];
    if (value === undefined || typeof value === "string") return value;
    throw wrong(name, "a text");
  };
  const path = (name: string): string | undefined => {
    const value = text(name);
    return value === undefined ? undefined : resolve(dirname(file), value.replace(/ \(sorted\)$/, ""));
  };
  const count = (name: string, otherwise: number | undefined): number | undefined => {
    const value = fields[name];
    if (value === undefined) return otherwise;
    if (Number.isInteger(value)) return value as number;
    throw wrong(name, "a whole number");
  };
  const numbers = (from: Fields, name: string, otherwise: readonly number[]): readonly number[] => {
    const value = from[name] ?? otherwise;
    if (Array.isArray(value) && value.length > 0 && value.every(Number.isFinite)) return value as number[];
    throw wrong(name, "a list of numbers");
  };
  const kind = text("kind") ?? "tensor";
  if (kind !== "image" && kind !== "tensor")
    throw bad(file, `is of kind "${kind}", which is not handled yet; image and tensor are`);
  const pre = fields.pre === undefined ? {} : fields.pre;
  if (!isFields(pre)) throw wrong("pre", "an object");
  const scale = pre.scale ?? 1;
  if (typeof scale !== "number") throw wrong("scale", "a number");
  if (pre.layout !== undefined && pre.layout !== "NCHW" && pre.layout !== "NHWC")
    throw wrong("layout", "NCHW or NHWC");
  return {
    file,
    kind,
    input: text("input"),
    calibration: path("calib") ?? path("data"),
    data: path("data"),
    labels: path("labels"),
    preprocessing: {
      scale,
      mean: numbers(pre, "mean", [0]),
      std: numbers(pre, "std", [1]),
      layout: pre.layout ?? "NCHW",
      bgr: Boolean(pre.bgr),
    },
    dims: fields.dims === undefined ? undefined : numbers(fields, "dims", []),
    batch: count("batch", undefined),
    labelOffset: count("label_offset", 0)!,
  };
}

function bad(file: string, why: string): Failure {
  return new Failure("data-unreadable", `${file} ${why}.`, "The README says what a data file holds.");
}
