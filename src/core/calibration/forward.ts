import { Failure } from "../failure";
import { addendsOf } from "../graph/addends";
import type { Layer } from "../graph/layers";
import { cutGraph, type Replaced, type Segment, segmentModel } from "../graph/segments";
import type { GraphIndex } from "../graph/uses";
import type { Model } from "../onnx/model";
import type { ModelProto } from "../onnx/onnx_pb";
import type { Feed, Session, Tensor } from "./tensor";

/** A stop in front of a layer: the part of the network that leads to it, and the names of the values wanted there. */
export interface Stop {
  readonly segment: Segment;
  /** What the layer reads; null where there is nothing to read. */
  readonly input: string | null;
  /** What is added to its outputs, where that matters and is known in time. */
  readonly addend: string | null;
}

/**
 * @param layers in execution order.
 * @param sums   of each layer, whether it matters what is added to its outputs.
 */
export function stopsAt(index: GraphIndex, layers: readonly Layer[], sums: readonly boolean[]): Stop[] {
  const addends = addendsOf(index, layers).map((addend, k) => (sums[k] ? addend : null));
  const wanted = layers.map(({ input }, k) =>
    [input, addends[k]].filter(name => name !== null && name !== undefined),
  );
  return cutGraph(index, wanted).map((segment, k) => ({
    segment,
    input: layers[k]!.input,
    addend: addends[k]!,
  }));
}

/** The values wanted, one float32 tensor a feed. */
export interface LayerActivations {
  readonly inputs: readonly Tensor[];
  readonly addends: readonly Tensor[] | undefined;
}

/** A network on its way through the calibration data: one forward pass, stopped where values are wanted. */
export interface Forward {
  /**
   * Goes on to the next stop with every feed and reads the values wanted there.
   *
   * @param replaced what stands in place of the model's own nodes and tensors.
   */
  activations(stop: Stop, replaced: Replaced): Promise<LayerActivations>;
}

/** Starts a forward pass; what is alive between two segments stays in memory, nothing else does. */
export function startForward(
  model: Model,
  index: GraphIndex,
  feeds: readonly Feed[],
  open: (model: ModelProto) => Promise<Session>,
): Forward {
  let alive: ReadonlyMap<string, Tensor>[] = [...feeds];
  const find = (values: ReadonlyMap<string, Tensor>, name: string): Tensor => {
    const value = values.get(name);
    if (!value) throw new Error(`Value "${name}" is not alive at this place of the graph.`);
    return value;
  };
  return {
    async activations({ segment, input, addend }, replaced) {
      if (segment.makes.length > 0) {
        const first = alive[0]!;
        const session = await open(segmentModel(model, index, segment, name => find(first, name).type, replaced));
        try {
          for (const [run, values] of alive.entries()) {
            const made = await session.run(new Map(segment.reads.map(name => [name, find(values, name)])));
            alive[run] = new Map([...values, ...made]);
          }
        } finally {
          await session.release();
        }
      }
      alive = alive.map(values => new Map([...values].filter(([alive]) => segment.keeps.has(alive))));
      const read = (name: string): Tensor[] => alive.map(values => float32(name, find(values, name)));
      return { inputs: input === null ? [] : read(input), addends: addend === null ? undefined : read(addend) };
    },
  };
}

function float32(name: string, tensor: Tensor): Tensor {
  if (tensor.type === "float32") return tensor;
  throw new Failure(
    "model-invalid",
    `"${name}" is ${tensor.type} where a float32 layer needs it.`,
    "Export the model again.",
  );
}
