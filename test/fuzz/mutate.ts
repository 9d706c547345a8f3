import { create } from "@bufbuild/protobuf";
import { allGraphs, allNodes, allTensors, bodiesOf, readModel, writeModel } from "../../src/core/onnx/model";
import { AttributeProtoSchema, NodeProtoSchema } from "../../src/core/onnx/onnx_pb";
import type { Seed } from "./seeds";

/** Draws that a mutation makes: the same from the same seed. */
export interface Dice {
  /** An integer in [0, below). */
  below(limit: number): number;
  of<T>(choices: readonly T[]): T;
  /** Undefined where there is nothing to choose from. */
  any<T>(choices: readonly T[]): T | undefined;
}

export function dice(random: () => number): Dice {
  const below = (limit: number): number => Math.floor(random() * limit);
  const any = <T>(choices: readonly T[]): T | undefined => choices[below(choices.length)];
  return { below, any, of: choices => any(choices)! };
}

type Change = (bytes: Uint8Array, dice: Dice, others: readonly Uint8Array[]) => Uint8Array;

const concat = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
/** Most of what a reader decides on stands at either end of a file, not in the weights between. */
const place = (bytes: Uint8Array, dice: Dice): number => {
  const near = Math.min(bytes.length, 400);
  return dice.of([dice.below(near), bytes.length - 1 - dice.below(near), dice.below(bytes.length)]);
};

/** Lengths as varints that no file keeps: 2^31 - 1, 2^32, 2^63 - 1, and one of eleven bytes. */
const LENGTHS = [
  [0xff, 0xff, 0xff, 0xff, 0x07],
  [0x80, 0x80, 0x80, 0x80, 0x10],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
];

/** Mutations of any file. */
const OF_BYTES: Record<string, Change> = {
  "bit flips": (bytes, dice) => {
    const out = bytes.slice();
    for (let left = 1 + dice.below(8); left > 0; left--) out[place(out, dice)]! ^= 1 << dice.below(8);
    return out;
  },
  "byte set": (bytes, dice) => {
    const out = bytes.slice();
    for (let left = 1 + dice.below(4); left > 0; left--) out[place(out, dice)] = dice.of([0, 1, 127, 128, 255]);
    return out;
  },
  cut: (bytes, dice) => bytes.slice(0, place(bytes, dice)),
  "piece taken out": (bytes, dice) => {
    const at = place(bytes, dice);
    return concat(bytes.subarray(0, at), bytes.subarray(at + 1 + dice.below(64)));
  },
  "piece twice": (bytes, dice) => {
    const at = place(bytes, dice);
    return concat(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - 1 - dice.below(512))));
  },
  splice: (bytes, dice, others) => {
    const other = dice.of(others);
    return concat(bytes.subarray(0, place(bytes, dice)), other.subarray(place(other, dice)));
  },
  "length bomb": (bytes, dice) => {
    const at = place(bytes, dice);
    return concat(bytes.subarray(0, at), Uint8Array.from(dice.of(LENGTHS)), bytes.subarray(at + dice.below(2)));
  },
};

/** Numbers at which something changes: signs, widths, and products that overflow. */
const NUMBERS = [
  0n,
  1n,
  -1n,
  2n,
  3n,
  7n,
  64n,
  255n,
  65_536n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 40n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

/** Mutations of a model that is still well-formed protobuf: what a reader lets in, and the code behind it has to bear. */
const OF_MODELS: Record<string, (model: ReturnType<typeof readModel>, dice: Dice) => void> = {
  dimension: (model, dice) => {
    const tensor = dice.any(allTensors(model));
    if (tensor) tensor.dims[dice.below(tensor.dims.length + 1)] = dice.of(NUMBERS);
  },
  "dimensions swapped": (model, dice) => dice.any(allTensors(model))?.dims.reverse(),
  "input's shape": (model, dice) => {
    const dims = dice.any(model.graph.input)?.type?.tensorType?.shape?.dim;
    if (dims && dims.length > 0) dice.of(dims).value = { case: "dimValue", value: dice.of(NUMBERS) };
  },
  "element type": (model, dice) => {
    const tensor = dice.any(allTensors(model));
    if (tensor) tensor.dataType = dice.below(30);
  },
  attribute: (model, dice) => {
    const attribute = dice.any(allNodes(model).flatMap(node => node.attribute));
    if (!attribute) return;
    attribute.i = dice.of(NUMBERS);
    if (attribute.ints.length > 0) attribute.ints[dice.below(attribute.ints.length + 1)] = dice.of(NUMBERS);
    attribute.f = dice.of([0, -1, NaN, Infinity, 1e38]);
    if (dice.below(4) === 0) attribute.type = dice.below(16);
  },
  "attribute gone": (model, dice) => {
    dice.any(allNodes(model))?.attribute.pop();
  },
  "another operator": (model, dice) => {
    const nodes = allNodes(model);
    const node = dice.any(nodes);
    if (node)
      node.opType = dice.of([...nodes.map(one => one.opType), "MatMul", "Gemm", "Conv", "LSTM", "Gather", ""]);
  },
  "another domain": (model, dice) => {
    const node = dice.any(allNodes(model));
    if (node) node.domain = dice.of(["", "ai.onnx", "com.microsoft", "nowhere"]);
  },
  "inputs crossed": (model, dice) => {
    const nodes = allNodes(model);
    const [to, from] = [dice.any(nodes), dice.any(nodes)];
    if (to && from)
      to.input[dice.below(to.input.length + 1)] = dice.of([...from.input, ...from.output, "", "none"]);
  },
  "inputs gone": (model, dice) => {
    dice.any(allNodes(model))?.input.splice(dice.below(3), 1 + dice.below(3));
  },
  "outputs gone": (model, dice) => {
    dice.any(allNodes(model))?.output.splice(0, 1);
  },
  "node twice": (model, dice) => {
    const { node } = dice.of(allGraphs(model));
    if (node.length > 0) node.splice(dice.below(node.length), 0, dice.of(node));
  },
  "node gone": (model, dice) => {
    const { node } = dice.of(allGraphs(model));
    node.splice(dice.below(node.length + 1), 1);
  },
  "tensor twice": (model, dice) => {
    const { initializer } = dice.of(allGraphs(model));
    if (initializer.length > 0) initializer.push(dice.of(initializer));
  },
  "names alike": (model, dice) => {
    const tensor = dice.any(allTensors(model));
    if (tensor) tensor.name = dice.of(["", "x", "y", "__proto__", "constructor", "\0", "a".repeat(100_000)]);
  },
  versions: (model, dice) => {
    for (const one of model.opsetImport) one.version = dice.of(NUMBERS);
    model.irVersion = dice.of([...NUMBERS, 3n, 8n, 10n, 99n]);
  },
  "bytes elsewhere": (model, dice) => {
    const tensor = dice.any(allTensors(model));
    if (!tensor) return;
    tensor.dataLocation = 1;
    tensor.rawData = new Uint8Array(0);
    const entry = (key: string, value: string) => ({
      $typeName: "onnx.StringStringEntryProto" as const,
      key,
      value,
    });
    tensor.externalData = [
      entry("location", dice.of(["ext_weights.bin", "sub", "", "/dev/zero", "../x", "no.bin", "\0"])),
      entry("offset", dice.of(["0", "16", "-1", "NaN", "1e300", "99999999999999999999", "x"])),
    ];
  },
  "deep nesting": (model, dice) => {
    for (let left = dice.of([3, 20, 24, 25, 30, 40, 300]); left > 0; left--) {
      // The tensors stay where they are: three hundred times the weights would be an honest file of gigabytes.
      const body = { ...model.graph, initializer: [] };
      const attribute = create(AttributeProtoSchema, { name: "then_branch", type: 5, g: body });
      model.graph.node = [
        create(NodeProtoSchema, { opType: "If", input: ["c"], output: ["y"], attribute: [attribute] }),
      ];
    }
  },
  "body gone": (model, dice) => {
    const body = dice.any(allNodes(model).flatMap(bodiesOf));
    if (body) body.output = [];
  },
};

/** Mutations of files with numbers of a fixed width at fixed places, as most data files have them. */
const OF_HEADERS: Record<string, Change> = {
  "number set": (bytes, dice) => {
    const out = Buffer.from(bytes);
    for (let left = 1 + dice.below(3); left > 0; left--) {
      const width = dice.of([2, 4, 8]);
      const at = Math.min(place(bytes, dice), bytes.length - width);
      if (at < 0) continue;
      const number = BigInt.asUintN(8 * width, dice.of(NUMBERS));
      const number64 = Buffer.alloc(8);
      number64.writeBigUInt64LE(number);
      const little = number64.subarray(0, width);
      out.set(dice.below(2) ? little : little.reverse(), at);
    }
    return new Uint8Array(out);
  },
  // Start of a group within a group, the one kind of nesting that protobuf needs no length for.
  "groups deep": (bytes, dice) => {
    const at = place(bytes, dice);
    return concat(bytes.subarray(0, at), new Uint8Array(dice.of([1000, 100_000])).fill(0x7b), bytes.subarray(at));
  },
};

/** Mutations of text: JSON whose words and brackets are out of place. */
const OF_TEXT: Record<string, Change> = {
  "word for word": (bytes, dice) => {
    const words =
      Buffer.from(bytes)
        .toString()
        .match(/"[^"]*"|-?[\d.]+|[^\s]/g) ?? [];
    const other = dice.of([
      ...words,
      "null",
      "-1",
      "1e308",
      "1e999",
      "[]",
      "{}",
      '""',
      '"\\u0000"',
      "true",
      '"/dev/zero"',
      '"."',
      '".."',
    ]);
    words[dice.below(words.length + 1)] = other;
    return new Uint8Array(Buffer.from(words.join(" ")));
  },
  "brackets deep": (bytes, dice) => {
    const depth = dice.of([10, 1000, 100_000]);
    const text = Buffer.from(bytes).toString();
    const deep = "[".repeat(depth) + "]".repeat(depth);
    return new Uint8Array(Buffer.from(dice.below(2) ? deep : text.replace(/\[[^\]]*\]/, () => deep)));
  },
  "header's numbers": (bytes, dice) => {
    const text = Buffer.from(bytes.subarray(0, 128)).toString("latin1");
    const numbers = ["0", "-1", "1", "99999999999999999999", "4294967296", "1e9", "65536", ""];
    const changed = text.replace(/\d+(?=[,)])/g, digits => (dice.below(2) ? digits : dice.of(numbers)));
    return concat(new Uint8Array(Buffer.from(changed, "latin1")), bytes.subarray(128));
  },
};

/** Everything that can be done to bytes that need not be of a model. */
export const OF_ANY: Record<string, Change> = { ...OF_BYTES, ...OF_HEADERS, ...OF_TEXT };

/** Bytes after one or two of such changes, and what those were. */
export function mutatedBytes(
  bytes: Uint8Array,
  others: readonly Uint8Array[],
  changes: Readonly<Record<string, Change>>,
  dice: Dice,
): { what: string; bytes: Uint8Array } {
  const done: string[] = [];
  let out = bytes;
  for (let left = dice.of([1, 1, 2]); left > 0 && out.length > 0; left--) {
    const what = dice.of(Object.keys(changes));
    out = changes[what]!(out, dice, others);
    done.push(what);
  }
  return { what: done.join(" + "), bytes: out };
}

/** One mutant of a file: what was done to it, and its bytes. Some have been mutated twice. */
export function mutant(seed: Seed, others: readonly Seed[], dice: Dice): { what: string; bytes: Uint8Array } {
  const isModel = seed.kind !== "data";
  const done: string[] = [];
  let { bytes } = seed;
  if (isModel && dice.below(2) === 0) {
    const what = dice.of(Object.keys(OF_MODELS));
    const model = readModel(bytes, "seed");
    OF_MODELS[what]!(model, dice);
    done.push(what);
    bytes = writeModel(model);
    if (dice.below(4) > 0) return { what, bytes };
  }
  // An archive of what was mutated is whole itself, so that what lies in it is looked at.
  const inside = seed.inside !== undefined && dice.below(2) === 0 ? seed.inside : undefined;
  if (inside) {
    bytes = inside.bytes;
    done.push("inside");
  }
  const changed = mutatedBytes(
    bytes,
    others.map(one => one.bytes),
    isModel ? OF_BYTES : OF_ANY,
    dice,
  );
  done.push(changed.what);
  ({ bytes } = changed);
  return { what: done.join(" + "), bytes: inside ? inside.wrap(bytes) : bytes };
}
