import { Failure } from "../failure";
import { type Replaced, type Segment, segmentModel } from "../graph/segments";
import type { GraphIndex } from "../graph/uses";
import type { Model } from "../onnx/model";
import type { ModelProto } from "../onnx/onnx_pb";
import type { Feed, Session, Tensor } from "./tensor";

/** A network on its way through the calibration data: one forward pass, stopped in front of every layer. */
export interface Forward {
  /**
   * Runs one segment on every feed and reads the activation it leads to, one float32 tensor a feed.
   *
   * @param replaced what stands in place of the model's own nodes and tensors.
   */
  activations(segment: Segment, name: string, replaced: Replaced): Promise<Tensor[]>;
}

/** Starts a forward pass; what is alive between two layers stays in memory, nothing else does. */
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
    async activations(segment, name, replaced) {
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
      const tensors = alive.map(values => find(values, name));
      const odd = tensors.find(tensor => tensor.type !== "float32");
      if (odd) {
        throw new Failure(
          "model-invalid",
          `"${name}" is ${odd.type} where a float32 layer reads it.`,
          "Export the model again.",
        );
      }
      return tensors;
    },
  };
}
