import { allUsable, type Forward, startForward, stopsAt } from "./calibration/forward";
import type { Keep, KeptFeed } from "./calibration/kept";
import { layerRows } from "./calibration/rows";
import type { Session } from "./calibration/tensor";
import type { Timed } from "./cost";
import { fitLayer, type FittedLayer, type LayerPlan, withoutData } from "./fitLayer";
import type { LayerCodes } from "./formats/codes";
import { floatLayer } from "./formats/copy";
import { freshNames } from "./formats/names";
import type { Home } from "./graph/nested";
import type { Replaced } from "./graph/segments";
import type { GraphIndex } from "./graph/uses";
import type { Linalg } from "./linalg/linalg";
import { allNames, type Model } from "./onnx/model";
import type { ModelProto, NodeProto, TensorProto } from "./onnx/onnx_pb";

// Read this first. Consecutive application: the layers in execution order, each fitted on what the layers already quantized
// feed it. Two forward passes in all, one of the float network and one of the network quantized so far, both stopped in front
// of every layer.
//
//   onnx/         the file:        readModel -> Model -> writeModel
//   graph/        its layers:      foldBatchNorms, findLayers, and how to cut between them
//   calibration/  what they see:   forward passes, rows drawn from activations
//   grid/         the alphabets:   alphabetsOver
//   methods/      the fit:         levels for the weights of a layer          (on the loops of linalg/)
//   formats/      the copy:        codes -> nodes and tensors, writeCopy
//   report/       the account:     measure.ts defines every error

/** Calibration data as calls of the model: those a fit may see, and those held out of every fit. */
export interface Feeds {
  readonly fitted: readonly KeptFeed[];
  readonly heldOut: readonly KeptFeed[];
}

export interface PipelineSettings {
  /** Which network feeds a layer while it is fitted: the one quantized so far, or the float one. */
  readonly inputs: "quantized" | "float";
  readonly seed: number;
}

/** What the pipeline needs of the world. */
export interface Parts {
  /** Makes a model runnable. */
  readonly open: (model: ModelProto) => Promise<Session>;
  /** Keeps what is alive between two layers: in memory, or where there is more room. */
  readonly keep: Keep;
  /** Keeps the levels of a layer until the copy is written. */
  readonly keepLevels: Keep;
  readonly linalg: Linalg;
  /** Seconds since some moment. */
  readonly clock: () => number;
  readonly timed: Timed;
  /** Called before and after each layer. */
  readonly onStart: (plan: LayerPlan) => void;
  readonly onLayer: (outcome: FittedLayer) => void;
}

/** The float network: nothing stands in place of its own. */
export const NOTHING: Replaced = { nodes: new Map(), tensors: new Map(), nested: new Map() };

/**
 * Quantizes the planned layers of a model.
 *
 * @param plans in execution order.
 * @param feeds null: the model cannot be run here, so nothing is fitted to data and nothing measured on it.
 */
export async function quantizeLayers(
  model: Model,
  index: GraphIndex,
  plans: readonly LayerPlan[],
  feeds: Feeds | null,
  settings: PipelineSettings,
  parts: Parts,
): Promise<FittedLayer[]> {
  const layers = plans.map(plan => plan.layer);
  // A layer that aims at the float network makes up for what is lost in what is added to its outputs, too.
  const behind = plans.map(plan => ({
    sum: plan.target === "float",
    range: plan.target === "float" && plan.oneSided,
  }));
  const stops = stopsAt(index, layers, behind);
  const runs = feeds ? [...feeds.fitted, ...feeds.heldOut] : [];
  const floatPass = startForward(model, index, runs, parts.open, parts.keep);
  const quantizedPass = startForward(model, index, runs, parts.open, parts.keep);
  const replaced = {
    nodes: new Map<NodeProto, NodeProto>(),
    tensors: new Map<string, TensorProto>(),
    nested: new Map<Home, readonly TensorProto[]>(),
  };
  const name = freshNames(allNames(model));
  const outcomes: FittedLayer[] = [];

  for (const [k, planned] of plans.entries()) {
    let plan = planned;
    parts.onStart(plan);
    const started = parts.clock();
    let rows = null;
    if (feeds && plan.layer.input !== null) {
      const go = (pass: Forward, as: Replaced) => parts.timed("onnxruntime", () => pass.activations(stops[k]!, as));
      const float = await go(floatPass, NOTHING);
      const seen = settings.inputs === "float" ? float : await go(quantizedPass, replaced);
      if (allUsable(float) && allUsable(seen))
        rows = layerRows(plan.layer, float, seen, feeds.fitted.length, settings.seed);
      else plan = withoutData(plan);
    }
    const fitted = await fitLayer(plan, rows, parts);
    const codes = await keepCodes(fitted.codes, parts.keepLevels);
    const outcome = { ...fitted, codes, seconds: parts.clock() - started };
    const { nodes, tensors } = floatLayer(outcome.codes, name);
    for (const [old, node] of nodes) replaced.nodes.set(old, node);
    const { home } = plan.layer;
    if (home !== null) replaced.nested.set(home, [...(replaced.nested.get(home) ?? []), ...tensors]);
    else for (const tensor of tensors) replaced.tensors.set(tensor.name, tensor);
    outcomes.push(outcome);
    parts.onLayer(outcome);
  }
  floatPass.end();
  quantizedPass.end();
  return outcomes;
}

/** The codes of a layer, put away until the copy is written: of all layers they may not fit in memory. */
async function keepCodes(codes: LayerCodes, keep: Keep): Promise<LayerCodes> {
  const levels = codes.levels();
  const kept = await keep({ type: "uint8", dims: [levels.length], data: levels });
  return { ...codes, levels: () => kept.readNow().data as Uint8Array };
}
