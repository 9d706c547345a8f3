import type { Feed, Tensor } from "../core/calibration/tensor";
import { Failure } from "../core/failure";
import { constantNodes } from "../core/graph/segments";
import { type GraphIndex, indexModel, readNames } from "../core/graph/uses";
import { changed, node, valueInfo } from "../core/onnx/build";
import { allTensors, INITIALIZERS_STAND_ALONE, type Model } from "../core/onnx/model";
import type { NodeProto } from "../core/onnx/onnx_pb";
import { storedBytes } from "../core/onnx/tensors";
import { openSession } from "./runtime";

/** A larger model is not loaded only to be asked for its shapes. */
const MOST_STORED_BYTES = 2 ** 28;

/**
 * Bytes of what is alive at once at most, while a model answers one call: onnxruntime runs it with a Shape behind every value.
 *
 * @returns null where it is too large for that, or cannot be run so.
 */
export async function activationBytes(model: Model, feed: Feed): Promise<number | null> {
  if (allTensors(model).reduce((sum, tensor) => sum + storedBytes(tensor), 0) > MOST_STORED_BYTES) return null;
  const index = indexModel(model);
  const constants = constantNodes(index);
  const nodes = index.nodes.filter(one => !constants.has(one));
  const sizes = await sizesOf(
    model,
    nodes.flatMap(one => one.output.filter(name => name !== "")),
    feed,
  );
  if (!sizes) return null;
  for (const [name, { data }] of feed) sizes.set(name, data.byteLength);
  return mostAlive(nodes, index, sizes);
}

/** Of values, by name; numbers of another width than float32 are few, or no larger. */
async function sizesOf(model: Model, names: readonly string[], feed: Feed): Promise<Map<string, number> | null> {
  const shapeOf = new Map(names.map((name, k): [string, string] => [name, `whittle_shape_of_${k}`]));
  const graph = changed(model.graph, {
    node: [...model.graph.node, ...[...shapeOf].map(([name, shape]) => node("Shape", [name], shape))],
    output: [...shapeOf.values()].map(shape => valueInfo(shape, "int64")),
  });
  const irVersion = model.irVersion < INITIALIZERS_STAND_ALONE ? INITIALIZERS_STAND_ALONE : model.irVersion;
  const asked = changed(model, { graph, irVersion });
  let shapes: Map<string, Tensor>;
  try {
    const session = await openSession(asked, { weightsAlone: true, threads: 1, probe: true });
    try {
      shapes = await session.run(feed);
    } finally {
      await session.release();
    }
  } catch (error) {
    // A value that is no tensor has no shape; what else speaks against the model is told when it is run in earnest.
    if (error instanceof Failure) return null;
    throw error;
  }
  const bytes = (shape: string): number =>
    Array.from(shapes.get(shape)!.data as BigInt64Array, Number).reduce(
      (product, side) => product * side,
      Float32Array.BYTES_PER_ELEMENT,
    );
  return new Map([...shapeOf].map(([name, shape]) => [name, bytes(shape)]));
}

/** The largest sum of the sizes of values that are made and still needed, node by node. */
function mostAlive(
  nodes: readonly NodeProto[],
  { outputs }: GraphIndex,
  sizes: ReadonlyMap<string, number>,
): number {
  const lastUse = new Map<string, number>();
  for (const [place, one] of nodes.entries()) for (const name of readNames(one)) lastUse.set(name, place);
  const made = new Set(nodes.flatMap(one => one.output));
  const fed = [...lastUse.keys()].filter(name => !made.has(name));
  let alive = fed.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  let most = alive;
  for (const [place, one] of nodes.entries()) {
    for (const name of one.output) alive += sizes.get(name) ?? 0;
    most = Math.max(most, alive);
    for (const name of new Set([...readNames(one), ...one.output]))
      if ((lastUse.get(name) ?? -1) <= place && !outputs.has(name)) alive -= sizes.get(name) ?? 0;
  }
  return most;
}
