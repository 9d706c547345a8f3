import { bodiesOf } from "../onnx/model";
import type { NodeProto } from "../onnx/onnx_pb";
import { rowsThrough } from "./rows";
import { passed, passesOn, storedValue, type StoredValue } from "./storedValues";
import { calledFunction, type GraphIndex, innerIndex, type Use } from "./uses";

/** A place where a stored value is used at last, behind what only moves or casts its numbers. */
export interface Reader extends Use {
  /** The value as this place reads it; undefined where that cannot be told. */
  readonly value: StoredValue | undefined;
  /** Axes of what this place reads, where it is made of whole rows (last axes) of the value; undefined where it may not be. */
  readonly rowsRank: number | undefined;
  /** What stands between. */
  readonly through: readonly NodeProto[];
  /** Whether it stands in a graph nested in a node, or in a function. */
  readonly nested: boolean;
}

/** Everything that uses a value, in nested graphs and functions too. */
export interface Readers {
  readonly places: readonly Reader[];
  /** Whether it leaves a graph as an output. */
  readonly isOutput: boolean;
}

/** A value on its way to those who use it. */
interface Passing extends Pick<Reader, "value" | "rowsRank" | "through"> {
  readonly name: string;
  readonly index: GraphIndex;
}

/** Every place a stored value is used at, seen through the nodes that only pass it on. */
export function readersOf(value: StoredValue, index: GraphIndex): Readers {
  const places: Reader[] = [];
  let isOutput = false;
  const seen = new Map<GraphIndex, Set<string>>();
  const waiting: Passing[] = [{ name: value.name, value, index, through: [], rowsRank: value.shape.length }];
  for (let at = waiting.pop(); at; at = waiting.pop()) {
    const { name, index: within } = at;
    const names = seen.get(within) ?? new Set();
    if (names.has(name)) continue;
    seen.set(within, names.add(name));
    if (within.outputs.has(name)) isOutput = true;
    for (const use of within.uses.get(name) ?? []) {
      const next = goesOn(at, use);
      if (next) waiting.push(...next);
      else {
        const { value, rowsRank, through } = at;
        places.push({ ...use, value, rowsRank, through, nested: within !== index });
      }
    }
  }
  return { places, isOutput };
}

/** What a use makes of a value it only passes on, into a nested graph or a function, or out of a node; undefined for others. */
function goesOn(at: Passing, use: Use): Passing[] | undefined {
  const { node, slot } = use;
  if (slot < 0) {
    const inner = bodiesOf(node).map(body => innerIndex(body, at.index));
    return inner.filter(index => !makes(index, at.name)).map(index => ({ ...at, index }));
  }
  const called = calledFunction(node, at.index);
  if (called) {
    const name = called.input[slot];
    return name === undefined ? undefined : [{ ...at, name, index: innerIndex(called, at.index) }];
  }
  const through = [...at.through, node];
  if (passesOn(use)) {
    const value = at.value && passed(at.value, node, at.index);
    const keepsRows = node.opType === "Identity" || node.opType === "Cast";
    return [{ ...at, name: node.output[0]!, value, rowsRank: keepsRows ? at.rowsRank : undefined, through }];
  }
  const rowsRank = at.rowsRank === undefined ? undefined : rowsThrough(use, at.rowsRank, at.index);
  if (rowsRank === undefined) return undefined;
  return node.output.map(name => ({ ...at, name, value: undefined, rowsRank, through }));
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
