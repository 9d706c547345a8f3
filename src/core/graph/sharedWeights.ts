import { isFloatType } from "../onnx/floats";
import type { NodeProto } from "../onnx/onnx_pb";
import { storedBytes } from "../onnx/tensors";
import type { Layer } from "./layers";
import type { Home } from "./nested";
import { lastAlone, type Reader, readersOf } from "./readers";
import { refusal, skipOf, type Skipped } from "./skipped";
import { type StoredValue } from "./storedValues";
import { isRecurrent, layoutAt, type RoundedOp, type WeightLayout } from "./storedWeights";
import type { GraphIndex } from "./uses";

// A weight that several places use (a table of embeddings that is the head, too; a layer that is applied again and again), or one
// that is used in a body of If, Loop or Scan or in a function, is stored once: its codes are turned into floats under the old name
// of the weight, which every place goes on reading. What it meets there is not seen, so it is rounded as it is stored.

/**
 * The layer of a weight that is used in several places, in a nested graph or in a function, or why it is none; undefined for what
 * is no weight, and for one that a single node of the model's graph reads.
 *
 * @param home where the weight is stored, if not in the model's graph.
 */
export function sharedWeight(
  seen: StoredValue,
  index: GraphIndex,
  titleOf: (node: NodeProto) => string,
  home: Home | null = null,
): Layer | Skipped | undefined {
  const value = lastAlone(seen, index);
  const { places, isOutput } = readersOf(value, index);
  // One reader has the weight for itself, if it sees all of it; and where none reads it as a weight, it is none.
  const alone = places.length === 1 && !places[0]!.nested && places[0]!.value !== undefined && !isOutput;
  if ((alone && home === null) || !places.some(isWeight)) return undefined;
  const skip = skipOf(value.tensor);
  const refused = refusal(value, index);
  if (refused) return refused;
  if (isOutput) return skip("graph-output", "Also an output of the model, so its values must not change.");
  const other = places.find(place => !isWeight(place));
  if (other) return skip("shared", `Also used by ${other.node.opType}, for which it must stay as it is.`);
  // What looks rows up in the very tensor says how it is read; else what reads it with nothing between.
  const inOrder = [...places].sort(
    (a, b) => Number(isLookUp(b)) - Number(isLookUp(a)) || a.through.length - b.through.length,
  );
  const main = inOrder.find(place => layoutOf(place, value));
  const layout = main && layoutOf(main, value);
  if (!main || !layout || !isFloatType(value.type))
    return skip("shared", `Used by ${places.length} nodes that each read it in another shape.`);
  return {
    ...layout,
    name: `${titleOf(main.node)}${isRecurrent(main.node) ? (main.slot === 1 ? " W" : " R") : ""}`,
    node: main.node,
    tensor: value.tensor.name,
    value,
    type: value.type,
    bytes: storedBytes(value.tensor),
    weightSlot: main.slot,
    lookUps: places.filter(isLookUp).map(place => place.node),
    shared: true,
    home,
    nested: home !== null || places.some(place => place.nested),
    readers: places.length,
    groups: 1,
    input: null,
    window: null,
    bias: null,
    biasAt: null,
  };
}

function isWeight(place: Reader): boolean {
  return whole(place) !== undefined || byRows(place);
}

/** How a place reads the value, where it reads all of it. */
function whole(place: Reader): WeightLayout | undefined {
  return place.value && layoutAt(place, place.value.shape);
}

/** Whether a recurrent layer reads whole rows of the value, in another order perhaps. */
function byRows({ node, slot, rowsRank }: Reader): boolean {
  return isRecurrent(node) && (slot === 1 || slot === 2) && rowsRank === 3;
}

/** Whether a node beside the value looks up rows of it. */
function isLookUp({ node, through, nested }: Reader): boolean {
  return node.opType === "Gather" && through.length === 0 && !nested;
}

/** How the value itself is read, where a place reads it as it is, turned over or by rows; undefined where that cannot be told. */
function layoutOf(place: Reader, value: StoredValue): WeightLayout | undefined {
  const read = whole(place);
  if (!read) return byRows(place) ? rowLayout(place.node.opType as RoundedOp, value.shape) : undefined;
  const moves = place.through.filter(node => node.opType === "Transpose" || node.opType === "Reshape");
  if (moves.length === 0) return read;
  const turned = moves.length === 1 && moves[0]!.opType === "Transpose" && value.shape.length === 2;
  // Rows of a table that is looked up turned over are no rows of the value.
  return turned && read.op !== "Gather"
    ? { ...read, shape: value.shape, neuronsFirst: !read.neuronsFirst }
    : undefined;
}

function rowLayout(op: RoundedOp, shape: readonly number[]): WeightLayout {
  const inputs = shape.at(-1) ?? 1;
  const neurons = shape.slice(0, -1).reduce((product, dim) => product * dim, 1);
  return { op, shape, neurons, inputs, neuronsFirst: true };
}
