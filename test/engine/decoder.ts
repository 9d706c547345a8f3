import { intOf, intsOf, node } from "../../src/core/onnx/build";
import type { Model } from "../../src/core/onnx/model";
import type { NodeProto, TensorProto } from "../../src/core/onnx/onnx_pb";
import { tensor } from "../../src/core/onnx/tensors";
import { normal, seeded } from "../../src/core/random";
import { modelOf } from "./models";

export const [VOCABULARY, HEADS, SIZE] = [32, 2, 4];
const WIDTH = HEADS * SIZE;
const LONGEST = 64;

/**
 * A decoder of one layer as exporters write them: `input_ids`, `attention_mask`, `position_ids`, keys and values of the past in,
 * logits and keys and values so far out. Each token attends to those at earlier positions that the mask leaves in.
 *
 * @param heads side of the past that counts heads; a name where the exporter left it free.
 */
export function decoder(heads: number | string = HEADS): Model {
  const random = seeded(7);
  const nodes: NodeProto[] = [];
  const stored: TensorProto[] = [];
  const store = (name: string, dims: number[], scale = 1): string => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const values = Float32Array.from({ length: size }, () => scale * normal(random));
    stored.push(tensor(name, "float32", dims, values));
    return name;
  };
  const whole = (name: string, values: number[], dims = [values.length]): string => {
    stored.push(tensor(name, "int64", dims, BigInt64Array.from(values, BigInt)));
    return name;
  };
  const number = (name: string, value: number): string => {
    stored.push(tensor(name, "float32", [], Float32Array.of(value)));
    return name;
  };
  const add = (...[op, inputs, output, attributes]: Parameters<typeof node>): string => {
    nodes.push(node(op, inputs, output, attributes));
    return output;
  };
  const product = (input: string, name: string, columns: number): string =>
    add("MatMul", [input, store(`${name}.weight`, [WIDTH, columns], 1 / Math.sqrt(WIDTH))], name);

  const tokens = add("Gather", [store("embed.weight", [VOCABULARY, WIDTH]), "input_ids"], "embed");
  const places = add("Gather", [store("places.weight", [LONGEST, WIDTH]), "position_ids"], "places");
  const hidden = add("Add", [tokens, places], "hidden");
  const split = whole("split", [0, 0, HEADS, SIZE]);
  const headsOf = (name: string): string => {
    const apart = add("Reshape", [product(hidden, name, WIDTH), split], `${name}.apart`);
    return add("Transpose", [apart], `${name}.heads`, [intsOf("perm", [0, 2, 1, 3])]);
  };
  const withPast = (name: string, what: string): string =>
    add("Concat", [`past_key_values.0.${what}`, headsOf(name)], `present.0.${what}`, [intOf("axis", 2)]);
  const query = headsOf("q");
  const [keys, values] = [withPast("k", "key"), withPast("v", "value")];

  const turned = add("Transpose", [keys], "keys.turned", [intsOf("perm", [0, 1, 3, 2])]);
  const scaled = add("Div", [add("MatMul", [query, turned], "scores"), number("root", Math.sqrt(SIZE))], "scaled");
  const one = whole("one", [1], []);
  const counted = add("CumSum", ["attention_mask", one], "counted");
  const keyPlaces = add(
    "Unsqueeze",
    [add("Sub", [counted, one], "key.places"), whole("axes12", [1, 2])],
    "key.row",
  );
  const queryPlaces = add("Unsqueeze", ["position_ids", whole("axes13", [1, 3])], "query.column");
  const later = add("Cast", [add("Greater", [keyPlaces, queryPlaces], "is.later")], "later", [intOf("to", 1)]);
  const masked = add("Unsqueeze", [add("Sub", [one, "attention_mask"], "left.out"), "axes12"], "left.out.row");
  const hiddenKeys = add("Add", [later, add("Cast", [masked], "masked", [intOf("to", 1)])], "hidden.keys");
  const bias = add("Mul", [hiddenKeys, number("far", -1e4)], "bias");
  const attention = add("Softmax", [add("Add", [scaled, bias], "seen")], "attention", [intOf("axis", 3)]);

  const mixed = add("MatMul", [attention, values], "mixed");
  const back = add("Transpose", [mixed], "mixed.back", [intsOf("perm", [0, 2, 1, 3])]);
  const together = add("Reshape", [back, whole("join", [0, 0, WIDTH])], "mixed.together");
  const sum = add("Add", [hidden, product(together, "o", WIDTH)], "sum");
  product(sum, "logits", VOCABULARY);

  const past = ["float32", "batch", heads, "past_length", SIZE] as const;
  const present = ["float32", "batch", HEADS, "total_length", SIZE] as const;
  return modelOf(
    {
      input_ids: ["int64", "batch", "length"],
      attention_mask: ["int64", "batch", "total_length"],
      position_ids: ["int64", "batch", "length"],
      "past_key_values.0.key": past,
      "past_key_values.0.value": past,
    },
    nodes,
    {
      logits: ["float32", "batch", "length", VOCABULARY],
      "present.0.key": present,
      "present.0.value": present,
    },
    stored,
  );
}
