import type { Linalg } from "../linalg/linalg";
import { gpfqLayer } from "./gpfq";
import { gptqLayer, type GptqOptions, PAPER } from "./gptq";
import type { Choice, Fit, Layer } from "./layer";
import { malySaabLayer } from "./malySaab";
import { msqLayer } from "./msq";
import { refine } from "./refine";
import { walkLayer } from "./walk";
import { layerAlonePlan, networkPlan, type WalkPlan } from "./walkPlan";

export const METHOD_NAMES = ["maly-saab", "gptq", "gpfq", "msq"] as const;
export type MethodName = (typeof METHOD_NAMES)[number];
/** Of `maly-saab`: `auto` is `walk`; `cell` and `range` are the paper's pre-processing, for m < n. */
export const VARIANTS = ["auto", "walk", "cell", "range"] as const;
export type Variant = (typeof VARIANTS)[number];

export interface FitOptions {
  readonly method: MethodName;
  /** Of `maly-saab`; undefined: `auto`. */
  readonly variant?: Variant | undefined;
  /** Coordinate descent after the method. */
  readonly refine?: boolean | undefined;
  /** Share of the mean diagonal added to the metric; undefined: 0.01 for `gptq`, what the plan says for the walk. */
  readonly damping?: number | undefined;
  /** Of the walk: how many are kept side by side; undefined: what the plan says. */
  readonly paths?: number | undefined;
  /** Of `gptq`; undefined: true. */
  readonly byEnergy?: boolean | undefined;
  /** Of the walk: the set-up for a layer of a network, or for a layer alone (which wants `Layer.inputs`), or other numbers. */
  readonly plan?: "network" | "layer-alone" | WalkPlan | undefined;
}

/** Quantizes a layer: alphabets, levels, and what they cost. */
export async function applyMethod(layer: Layer, choice: Choice, options: FitOptions, linalg: Linalg): Promise<Fit> {
  const fit = await fitWithout(layer, choice, options, linalg);
  return options.refine ? refine(layer, fit, linalg) : fit;
}

function fitWithout(layer: Layer, choice: Choice, options: FitOptions, linalg: Linalg): Promise<Fit> {
  const variant = options.variant ?? "auto";
  switch (options.method) {
    case "msq":
      return msqLayer(layer, choice, linalg);
    case "gptq":
      return gptqLayer(layer, choice, gptqOptions(options), linalg);
    case "gpfq":
      return gpfqLayer(layer, choice, linalg);
    case "maly-saab":
      return variant === "cell" || variant === "range"
        ? malySaabLayer(layer, choice, variant, linalg)
        : walkLayer(layer, choice, planOf(options, choice, layer), linalg);
    default:
      return options.method satisfies never;
  }
}

function gptqOptions({ damping, byEnergy }: FitOptions): GptqOptions {
  return { damping: damping ?? PAPER.damping, byEnergy: byEnergy ?? PAPER.byEnergy };
}

function planOf(options: FitOptions, { bits }: Choice, { weights }: Layer): WalkPlan {
  const named = options.plan ?? "network";
  const plan =
    named === "network"
      ? networkPlan(bits, weights.rows)
      : named === "layer-alone"
        ? layerAlonePlan(weights.rows)
        : named;
  const damping = options.damping ?? plan.damping;
  // The network's order and first guess belong to the metric of the walk; the layer alone has its own for them.
  const firstDamping = named === "network" && typeof damping === "number" ? damping : plan.firstDamping;
  return { ...plan, damping, firstDamping, paths: options.paths ?? plan.paths };
}

/** The largest C that is made: a fit in it takes about five matrices of this size, in doubles. */
export const MOST_METRIC_BYTES = 2 ** 30;
/** Inputs of a layer beyond which no C is made. */
export const MOST_METRIC_INPUTS = Math.floor(Math.sqrt(MOST_METRIC_BYTES / 8));

/** Weights of a layer beyond which none walks or descends: XᵀY of twice as many bytes has to fit beside C where addresses end at 4 GiB. */
export const MOST_WALKED_WEIGHTS = 2 ** 28;

/** Whether a method walks or descends in C; to the others rows of inputs say as much. */
export function needsMetric({ method, variant = "auto", refine = false }: FitOptions): boolean {
  return refine || !(method === "msq" || (method === "maly-saab" && (variant === "cell" || variant === "range")));
}

/**
 * Rows a method can use of a layer with `inputs` inputs. The pre-processing of `range` and `cell` moves weights inside
 * the kernel of X, so it wants far fewer rows than inputs: the paper's setting, here a quarter. The others take all there are.
 */
export function mostRows(name: MethodName, inputs: number, variant: Variant = "cell"): number {
  const inKernel = name === "maly-saab" && (variant === "cell" || variant === "range");
  return inKernel ? Math.max(1, Math.floor(inputs / 4)) : Infinity;
}
