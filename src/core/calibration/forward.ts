import { Failure } from "../failure";
import { addendsOf } from "../graph/addends";
import { type SeenRange, seenRange } from "../graph/cutOffs";
import type { Layer } from "../graph/layers";
import { cutGraph, type Replaced, type Segment, segmentModel } from "../graph/segments";
import type { GraphIndex } from "../graph/uses";
import type { Model } from "../onnx/model";
import type { ModelProto } from "../onnx/onnx_pb";
import { convertTo } from "./convert";
import { type Keep, keepFeed, type KeptFeed, type KeptTensor, readFeed } from "./kept";
import type { Session, Tensor } from "./tensor";

/** A stop in front of a layer: the part of the network that leads to it, and the names of the values wanted there. */
export interface Stop {
  readonly segment: Segment;
  /** What the layer reads; null where there is nothing to read. */
  readonly input: string | null;
  /** What is added to its outputs, where that matters and is known in time. */
  readonly addend: string | null;
  /** What is seen of its outputs; null for all, or where that does not matter. */
  readonly range: SeenRange | null;
}

/** What matters behind a layer. */
export interface Behind {
  /** What is added to its outputs. */
  readonly sum: boolean;
  /** What is cut off from them. */
  readonly range: boolean;
}

/** Where a layer answers for itself alone. */
export const ALONE: Behind = { sum: false, range: false };

/**
 * @param layers in execution order.
 * @param behind what matters behind each of them.
 */
export function stopsAt(index: GraphIndex, layers: readonly Layer[], behind: readonly Behind[]): Stop[] {
  const addends = addendsOf(index, layers).map((addend, k) => (behind[k]!.sum ? addend : null));
  const wanted = layers.map(({ input }, k) =>
    [input, addends[k]].filter(name => name !== null && name !== undefined),
  );
  return cutGraph(index, wanted).map((segment, k) => ({
    segment,
    input: layers[k]!.input,
    addend: addends[k]!,
    range: behind[k]!.range ? seenRange(layers[k]!, addends[k]!, index) : null,
  }));
}

/** The values wanted, one float32 tensor a feed; there until the pass goes on. */
export interface LayerActivations {
  readonly inputs: readonly KeptTensor[];
  readonly addends: readonly KeptTensor[] | undefined;
  /** What is seen of the outputs of the layer they are for; null for all. */
  readonly range: SeenRange | null;
}

/** Whether a layer can be fitted to them. */
export function allUsable({ inputs, addends = [] }: LayerActivations): boolean {
  return inputs.every(one => one.usable) && addends.every(one => one.usable);
}

/** A network on its way through the calibration data: one forward pass, stopped where values are wanted. */
export interface Forward {
  /**
   * Goes on to the end of a segment with every feed.
   *
   * @returns what is alive there, by feed; there until the pass goes on.
   */
  through(segment: Segment, replaced: Replaced): Promise<readonly KeptFeed[]>;
  /**
   * Goes on to the next stop with every feed and finds the values wanted there.
   *
   * @param replaced what stands in place of the model's own nodes and tensors.
   */
  activations(stop: Stop, replaced: Replaced): Promise<LayerActivations>;
  /** Drops what is still alive; the feeds are not the pass's own. */
  end(): void;
}

/**
 * Starts a forward pass; what is alive between two segments is kept, nothing else is.
 *
 * @param keep of what the segments make: one call of the model is in memory at a time, and what this keeps there.
 */
export function startForward(
  model: Model,
  index: GraphIndex,
  feeds: readonly KeptFeed[],
  open: (model: ModelProto) => Promise<Session>,
  keep: Keep,
): Forward {
  const alive: KeptFeed[] = [...feeds];
  const find = (values: KeptFeed, name: string): KeptTensor => {
    const value = values.get(name);
    if (!value) throw new Error(`Value "${name}" is not alive at this place of the graph.`);
    return value;
  };
  const goOn = (run: number, values: KeptFeed, keeps: ReadonlySet<string>): void => {
    for (const [name, value] of values) if (!keeps.has(name) && !feeds[run]!.has(name)) value.drop();
    alive[run] = new Map([...values].filter(([name]) => keeps.has(name)));
  };
  const through = async (segment: Segment, replaced: Replaced): Promise<readonly KeptFeed[]> => {
    const { makes, reads, keeps } = segment;
    if (makes.length > 0) {
      const first = alive[0]!;
      const session = await open(segmentModel(model, index, segment, name => find(first, name).type, replaced));
      try {
        for (const [run, values] of alive.entries()) {
          const fed = await readFeed(new Map(reads.map(name => [name, find(values, name)])));
          const made = await keepFeed(await session.run(fed), keep);
          goOn(run, new Map([...values, ...made]), keeps);
        }
      } finally {
        await session.release();
      }
    } else for (const [run, values] of alive.entries()) goOn(run, values, keeps);
    return alive;
  };
  return {
    through,
    async activations({ segment, input, addend, range }, replaced) {
      await through(segment, replaced);
      const wanted = (name: string): KeptTensor[] => alive.map(values => float32(name, find(values, name)));
      return {
        inputs: input === null ? [] : wanted(input),
        addends: addend === null ? undefined : wanted(addend),
        range,
      };
    },
    end() {
      for (const [run, values] of alive.entries()) goOn(run, values, new Set());
    },
  };
}

/** Layers are fitted in float32, whatever they compute in. */
function float32(name: string, tensor: KeptTensor): KeptTensor {
  if (tensor.type === "float32") return tensor;
  if (tensor.type === "float16" || tensor.type === "float64") {
    const asFloat32 = (values: Tensor): Tensor => ({
      type: "float32",
      dims: values.dims,
      data: convertTo("float32", values),
    });
    return {
      type: "float32",
      dims: tensor.dims,
      usable: tensor.usable,
      read: async () => asFloat32(await tensor.read()),
      readNow: () => asFloat32(tensor.readNow()),
      drop: () => tensor.drop(),
    };
  }
  throw new Failure(
    "model-invalid",
    `"${name}" is ${tensor.type} where a layer of floats needs it.`,
    "Export the model again.",
  );
}
