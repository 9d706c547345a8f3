import { type Budget, choose } from "../core/budget";
import { type Keep, keepFeed, type KeptFeed, readFeeds } from "../core/calibration/kept";
import { Failure } from "../core/failure";
import { type FormatOf, impossible } from "../core/formats/choose";
import type { Grid } from "../core/formats/codes";
import { predictCopy } from "../core/formats/predict";
import { ALL_BITS, type Bits } from "../core/grid/alphabet";
import { type Layer, weightCount } from "../core/graph/layers";
import type { GraphIndex } from "../core/graph/uses";
import type { Layout } from "../core/onnx/external";
import type { Model } from "../core/onnx/model";
import type { Feeds, Parts } from "../core/pipeline";
import { logitDivergence } from "../core/report/measure";
import type { BudgetReport } from "../core/report/report";
import { sensitivities } from "../core/sensitivity";
import type { CalibrationData } from "./calibrationData";
import { compareRuns } from "./compare";
import { alphabetFor, type QuantizeOptions } from "./options";
import type { OpenNetwork } from "./network";
import { ifStorable, planLayers, type StoredPlan, unfittedLayer } from "./plan";

export interface Planner {
  readonly model: Model;
  readonly index: GraphIndex;
  readonly layers: readonly Layer[];
  readonly options: QuantizeOptions;
  readonly formatOf: FormatOf;
  readonly network: OpenNetwork;
  /** Of the copy: they take bytes, too. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly layout: Layout;
}

/**
 * Plans the layers with the bits that cost the outputs least within `maxBytes`, or the fewest bytes within `maxError`. Layers
 * with a rule of their own keep what it says.
 *
 * @throws {Failure} `budget-impossible` where the smallest copy is too large; `budget-needs-data` where the model cannot be run.
 */
export async function planWithinBudget(
  planner: Planner,
  data: CalibrationData,
  parts: Parts,
): Promise<{ plans: StoredPlan[]; budget: BudgetReport }> {
  const { model, index, options, metadata, layout } = planner;
  const { maxBytes, maxError } = options;
  const uniform = uniformPlans(planner, data.fit);
  const bytesOf = (plans: readonly StoredPlan[]): number =>
    predictCopy(model, plans.map(unfittedLayer), metadata, layout).bytes;
  const layerBytes = uniform.map(plans => {
    const { layerBytes, bytes } = predictCopy(model, plans.map(unfittedLayer), metadata, layout);
    // What is not of one layer (nodes, tables, the rest of the file) is shared out: it differs with bits and formats.
    const shared = (bytes - layerBytes.reduce((sum, one) => sum + one, 0)) / layerBytes.length;
    return layerBytes.map(one => one + shared);
  });
  const ways = uniform[0]!.map((_, k) => uniform.map(plans => plans[k]!));
  const plansOf = (chosen: readonly number[]): StoredPlan[] => chosen.map((way, k) => ways[k]![way]!);
  // Fewest bits are not fewest bytes for every layer: a small one may need more of nodes in the format of 2 bits.
  const fewestBytes = ways.map((_, k) => {
    const bytes = layerBytes.map(ofWay => ofWay[k]!);
    return bytes.indexOf(Math.min(...bytes));
  });
  const [smallestWays, smallest] = [ways.map(() => 0), fewestBytes]
    .map(chosen => [chosen, bytesOf(plansOf(chosen))] as const)
    .reduce((least, one) => (one[1] < least[1] ? one : least));
  if (maxBytes !== undefined && smallest > maxBytes) {
    // The copy says with which options it was made, so a number of more digits makes it larger.
    const needed = smallest + String(smallest).length - String(maxBytes).length;
    throw new Failure(
      "budget-impossible",
      `The smallest copy takes ${needed} bytes, and only ${maxBytes} are allowed.`,
      `Allow more${whatTakesLess(options)}.`,
    );
  }
  const feeds = judgedOn(data);
  const harms = await sensitivities(
    model,
    index,
    ways,
    feeds,
    options.seed,
    parts,
    await harmTo(planner, feeds, data.classes, parts.keep),
  );
  // Which of two ways is worse is a matter of classes where there are any; an error that is aimed at is one of the outputs.
  const byDivergence = data.classes && maxError === undefined;
  const costs = harms.map((ofLayer, k) =>
    ofLayer.map(({ error, divergence }, way) => ({
      bytes: layerBytes[way]![k]!,
      error: byDivergence ? divergence! : error,
    })),
  );
  const pick = (budget: Budget): number[] => choose(costs, budget);

  let chosen: number[];
  if (maxBytes === undefined) chosen = pick({ error: maxError! ** 2 });
  else {
    const ofLayers = (one: readonly number[]): number => one.reduce((sum, way, k) => sum + layerBytes[way]![k]!, 0);
    let allowed = maxBytes;
    do {
      chosen = pick({ bytes: allowed });
      // Less than what these take, so that the next are others.
      allowed = ofLayers(chosen) - Math.max(1, bytesOf(plansOf(chosen)) - maxBytes);
    } while (bytesOf(plansOf(chosen)) > maxBytes && allowed >= ofLayers(fewestBytes));
    // What the layers have in common is shared out by the widths it is needed for, which mixed widths do not keep to.
    if (bytesOf(plansOf(chosen)) > maxBytes) chosen = [...smallestWays];
  }
  const plans = plansOf(chosen);
  return {
    plans,
    budget: {
      maxBytes: maxBytes ?? null,
      maxError: maxError ?? null,
      predictedBytes: bytesOf(plans),
      predictedError: Math.sqrt(chosen.reduce((sum, way, k) => sum + harms[k]![way]!.error, 0)),
      chosenBy: byDivergence ? "divergence" : "relativeError",
      averageBits: averageBits(plans),
      sensitivities: ways.map((one, k) => ({
        name: one[0]!.layer.name,
        bits: plans[k]!.bits,
        outputErrors: Object.fromEntries(one.map((plan, way) => [plan.bits, Math.sqrt(harms[k]![way]!.error)])),
        outputDivergences: data.classes
          ? Object.fromEntries(one.map((plan, way) => [plan.bits, harms[k]![way]!.divergence!]))
          : null,
      })),
    },
  };
}

/** What of the options makes a copy larger than it had to be, as the end of a sentence. */
function whatTakesLess({ layers, group, format }: QuantizeOptions): string {
  const ways = [
    ...(layers.length > 0 ? ["fewer bits for the layers that --layer and --exclude speak of"] : []),
    ...(group === undefined ? [] : ["larger groups"]),
    ...(format === "auto" || format === "packed" ? [] : ["--format auto"]),
  ];
  return ways.map(way => `, or take ${way}`).join("");
}

/** The plans of each width the format has for all layers, fewest bits first; 1 bit is never worth its error where another layer can give way. */
function uniformPlans(planner: Planner, fit: boolean): StoredPlan[][] {
  const { perTensor, group: groupInputs, alphabet, format } = planner.options;
  return ALL_BITS.flatMap(bits => {
    const grid: Grid = { alphabet: alphabetFor(alphabet, bits), bits, groupInputs, perTensor };
    if (bits === 1 || impossible(format === "auto" ? "packed" : format, grid) !== undefined) return [];
    const plans = ifStorable(() => plansAt(planner, bits, fit));
    return plans ? [plans] : [];
  });
}

function plansAt({ layers, options, formatOf }: Planner, bits: Bits, fit: boolean): StoredPlan[] {
  return planLayers(layers, { ...options, bits }, fit, formatOf).plans;
}

/** Samples to fit to and others to judge on: with too few to hold any out one half of them, with one sample itself. */
function judgedOn({ feeds, folds }: CalibrationData): Feeds {
  if (!feeds) {
    throw new Failure(
      "budget-needs-data",
      "Bits are chosen by what they cost the outputs, and this model cannot be run here.",
      "Give calibration data, or set the bits with --bits and --layer.",
    );
  }
  return feeds.heldOut.length > 0 ? feeds : (folds[0] ?? { fitted: feeds.fitted, heldOut: feeds.fitted });
}

/** What quantizing does to the outputs. */
interface Harm {
  /** The squared relative error, the mean of all outputs. */
  readonly error: number;
  /** Of the first output, in nats; null where it is not known to be logits. */
  readonly divergence: number | null;
}

async function harmTo({ model, network }: Planner, { heldOut }: Feeds, classes: boolean, keep: Keep) {
  const float = await network(model);
  const wanted: KeptFeed[] = [];
  try {
    for await (const outputs of float.outputs(heldOut)) wanted.push(await keepFeed(outputs, keep));
  } finally {
    await float.release();
  }
  const first = model.graph.output[0]?.name ?? "";
  const logits = classes ? logitsOf(model, first) : null;
  return async (copy: Model): Promise<Harm> => {
    const quantized = await network(copy);
    const divergence = logitDivergence();
    try {
      const outputs = await compareRuns(readFeeds(wanted), quantized.outputs(heldOut), (name, pair) => {
        if (logits && name === first) {
          divergence.add({ ...pair, wanted: logits(pair.wanted), found: logits(pair.found) });
        }
      });
      const errors = outputs.flatMap(one => one.relativeError ?? []);
      const error = errors.reduce((sum, one) => sum + one ** 2, 0) / Math.max(1, errors.length);
      return { error, divergence: logits && divergence.mean() };
    } finally {
      await quantized.release();
    }
  };
}

/** Below this a probability is as good as none: its logarithm must not decide. */
const LEAST_PROBABILITY = 1e-12;

/** Logits from what an output holds: themselves, or the logarithms of probabilities where it ends in a Softmax. */
function logitsOf(model: Model, output: string): (values: ArrayLike<number>) => ArrayLike<number> {
  const last = model.graph.node.find(node => node.output.includes(output));
  if (last?.opType !== "Softmax") return values => values;
  return values => Float64Array.from(values, p => Math.log(Math.max(p, LEAST_PROBABILITY)));
}

/** Tables are looked up and not multiplied with; they keep their bits and do not count. */
function averageBits(all: readonly StoredPlan[]): number {
  const plans = all.filter(plan => plan.layer.input !== null);
  const weights = plans.reduce((sum, plan) => sum + weightCount(plan.layer), 0);
  return plans.reduce((sum, plan) => sum + plan.bits * weightCount(plan.layer), 0) / Math.max(1, weights);
}
