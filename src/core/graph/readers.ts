import { bodiesOf } from "../onnx/model";
import type { NodeProto } from "../onnx/onnx_pb";
import { passed, passesOn, storedValue, type StoredValue } from "./storedValues";
import { bodyIndex, type GraphIndex, type Use } from "./uses";

/** A place where a stored value is used at last, behind what only moves or casts its numbers. */
export interface Reader extends Use {
  /** The value as this place reads it; undefined where that cannot be told. */
  readonly value: StoredValue | undefined;
  /** What stands between. */
  readonly through: readonly NodeProto[];
  /** Whether it stands in a graph nested in a node. */
  readonly nested: boolean;
}

/** Everything that uses a value, in nested graphs too. */
export interface Readers {
  readonly places: readonly Reader[];
  /** Whether it leaves a graph as an output. */
  readonly isOutput: boolean;
}

/** Every place a stored value is used at, seen through the nodes that only pass it on. */
export function readersOf(value: StoredValue, index: GraphIndex): Readers {
  const places: Reader[] = [];
  let isOutput = false;
  interface Waiting {
    readonly name: string;
    readonly value: StoredValue | undefined;
    readonly index: GraphIndex;
    readonly through: readonly NodeProto[];
  }
  const waiting: Waiting[] = [{ name: value.name, value, index, through: [] }];
  for (let at = waiting.pop(); at; at = waiting.pop()) {
    const { name, value: here, index: within, through } = at;
    if (within.outputs.has(name)) isOutput = true;
    for (const use of within.uses.get(name) ?? []) {
      if (use.slot < 0) {
        for (const body of bodiesOf(use.node)) {
          const inner = bodyIndex(body);
          if (!makes(inner, name)) waiting.push({ ...at, index: inner });
        }
      } else if (passesOn(use)) {
        const next = here && passed(here, use.node, within);
        waiting.push({
          name: use.node.output[0]!,
          value: next,
          index: within,
          through: [...through, use.node],
        });
      } else places.push({ ...use, value: here, through, nested: within !== index });
    }
  }
  return { places, isOutput };
}

/** Whether a graph has a value of its own of such a name. */
function makes(index: GraphIndex, name: string): boolean {
  return index.producers.has(name) || index.initializers.has(name) || index.inputs.has(name);
}

/**
 * The first value on the way from a stored tensor to one seen through some nodes that more than one place reads, or that is an
 * output; the value itself where there is none. What stands before it can be left out of a copy.
 */
export function lastAlone(value: StoredValue, index: GraphIndex): StoredValue {
  const from = value.path.indexOf(value.tensor.name);
  const branches = value.path.slice(from).find(name => {
    return (index.uses.get(name)?.length ?? 0) > 1 || index.outputs.has(name);
  });
  return (branches !== undefined && storedValue(branches, index)) || value;
}
