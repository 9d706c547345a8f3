import type { Keep } from "../core/calibration/kept";
import type { Timed } from "../core/cost";
import type { FittedLayer, LayerPlan } from "../core/fitLayer";
import { formatChooser } from "../core/formats/choose";
import { type StoredLayer, writeCopy } from "../core/formats/copy";
import { predictCopy } from "../core/formats/predict";
import type { Layer } from "../core/graph/layers";
import type { Skipped } from "../core/graph/skipped";
import type { GraphIndex } from "../core/graph/uses";
import type { Layout } from "../core/onnx/external";
import type { Model } from "../core/onnx/model";
import type { ModelProto } from "../core/onnx/onnx_pb";
import { quantizeLayers } from "../core/pipeline";
import type { BudgetReport, RoundingReport } from "../core/report/report";
import { againstRounding } from "./againstRounding";
import { bundleFolder } from "./bundle";
import type { CalibrationData } from "./calibrationData";
import { openLinalg } from "./kernelPool";
import { layerDetail, layerReport, plannedLayer } from "./layerReport";
import { openNetwork, type RunChoices } from "./network";
import { planLayers, type StoredPlan, unfittedLayer } from "./plan";
import { planWithinBudget } from "./planBudget";
import type { QuantizeEvents, QuantizeJob } from "./quantize";
import { openSession } from "./runtime";

/** What a fit made of a model. */
export interface FittedModel {
  readonly fitted: readonly FittedLayer[];
  readonly stored: readonly StoredLayer[];
  /** Layers a rule leaves alone. */
  readonly kept: readonly Skipped[];
  readonly budget: BudgetReport | null;
  readonly rounding: RoundingReport | null;
}

/** What a copy is beside its layers. */
export interface CopyFrame {
  readonly metadata: Readonly<Record<string, string>>;
  readonly layout: Layout;
}

/**
 * Plans the layers, within a budget where there is one, fits them, and holds the fit against plain rounding.
 *
 * @param frame its bytes count in a budget.
 */
export async function fitModel(
  { options, threads }: QuantizeJob,
  { model, index, layers }: { model: Model; index: GraphIndex; layers: readonly Layer[] },
  data: CalibrationData,
  { metadata, layout }: CopyFrame,
  events: QuantizeEvents,
  { clock, timed, keep, run }: { clock: () => number; timed: Timed; keep: Keep; run: RunChoices },
): Promise<FittedModel> {
  const formatOf = formatChooser(model, options.format, options.leastOrt);
  const planned = planLayers(layers, options, data.fit, formatOf);
  let plans: readonly StoredPlan[] = planned.plans;
  let budget: BudgetReport | null = null;
  const store = ({ plan, codes }: FittedLayer): StoredLayer => ({
    ...codes,
    format: plans.find(one => one.layer === plan.layer)!.format,
    perTensor: plan.perTensor,
  });
  const { inParts, ...choices } = run;
  const alone = { ...choices, weightsAlone: true, threads: 1 };
  const network = (whole: Model) => openNetwork(whole, alone, inParts);
  const { linalg, close } = await openLinalg(threads, bundleFolder(), breathe);
  try {
    const parts = {
      open: (part: ModelProto) => openSession(part, { ...alone, part: true }),
      keep,
      keepLevels: keep,
      linalg,
      clock,
      timed,
      onStart: () => {},
      onLayer: () => {},
    };
    if (plans.length > 0 && (options.maxBytes !== undefined || options.maxError !== undefined)) {
      events.onStage("choosing");
      const planner = { model, index, layers, options, formatOf, metadata, layout, network };
      ({ plans, budget } = await timed("choosing", () => planWithinBudget(planner, data, parts)));
    }
    const predicted = predictCopy(model, plans.map(unfittedLayer)).layerBytes;
    events.onPlan(plans.map((plan, k) => plannedLayer(plan, predicted[k]!)));
    const settings = { inputs: options.inputs, seed: options.seed };
    const fitted = await quantizeLayers(model, index, plans, data.feeds, settings, {
      ...parts,
      onStart: (plan: LayerPlan) => events.onLayerStart(plan.layer.name),
      onLayer: (one: FittedLayer) => {
        const stored = store(one);
        const bytesAfter = writeCopy(model, [stored], {}).layerBytes[0]!;
        events.onLayer(layerReport(one, stored.format, bytesAfter), () => layerDetail(one));
      },
    });
    const rounding = await againstRounding({ model, index, plans, settings, parts, network }, fitted, data);
    return { fitted, stored: fitted.map(store), kept: planned.kept, budget, rounding };
  } finally {
    await close();
  }
}

/** Lets the event loop turn, at most every few milliseconds: Ctrl-C and messages are seen between two neurons. */
const BREATH_MS = 25;
let lastBreath = 0;
async function breathe(): Promise<void> {
  if (performance.now() - lastBreath < BREATH_MS) return;
  await new Promise(resolve => setImmediate(resolve));
  lastBreath = performance.now();
}
