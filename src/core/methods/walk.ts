import type { Alphabets } from "../grid/alphabet";
import { scaled } from "../grid/shares";
import type { Factor, Linalg } from "../linalg/linalg";
import type { Matrix } from "../matrix";
import { type Candidate, cheaper } from "./best";
import { totalBound, walkBounds } from "./bound";
import { heldOutDamping } from "./damping";
import { type Choice, type Fit, type Layer, searches } from "./layer";
import { dampedFactor, meanDiagonal, squaredDistances, sum } from "./metric";
import { type Pilot, pilotWalks, rootMeanSquares } from "./pilot";
import { refitSteps } from "./refit";
import { orRounding } from "./rivals";
import { roundWithoutData } from "./msq";
import { start, startWithoutData } from "./start";
import type { WalkPlan } from "./walkPlan";

// The walk, the default method: Maly & Saab's move along what the data does not see, for any number of samples.
//
// Weights go onto the grid one after the other; after each move the weights still free follow along the direction the data sees
// least, b = (1, -H_FF⁻¹ H_Fi): of all directions with b_i = 1 the one with the least ||Xb||. While column i of X depends on the
// free columns that is a step in the kernel of X and costs nothing, as in the paper; one walk with one path is exactly GPTQ.
//
//   H = C + damping · mean(diag C) · I                                   order, L: from the back, LᵀL = H
//   1 start   the steps (and zero points) of least Σ_i L_ii² (w_i - nearest)²
//   2 pilot   one factor for the layer, by walks of 32 neurons with one path
//   3 walk    several paths side by side, at three factors around that; per neuron the cheapest
//   4 pairs   correlated pairs of weights correct each other
//   5 refit   the steps that suit the levels, then pairs again; kept where cheaper
//   6 or plain rounding, where that is cheaper still (rivals.ts), and pairs: never worse than MSQ on the fit, by construction
//
// Dead inputs cost next to nothing: they are placed at the end and take the value nearest to them. C = 0 and no data: rounding.

/** The walk of a layer, with its alphabets. */
export async function walkLayer(layer: Layer, choice: Choice, plan: WalkPlan, linalg: Linalg): Promise<Fit> {
  const { weights, metric } = layer;
  if (!metric || !(meanDiagonal(metric) > 0)) return roundWithoutData(weights, choice, linalg);

  const first = await dampedFactor(metric, plan.firstDamping, H => linalg.walkOrder(H), linalg);
  const guess = searches(choice)
    ? await guessSteps(weights, choice, plan, first.factor, linalg)
    : { alphabets: await startWithoutData(weights, choice, linalg), factor: null };
  const damping = await dampingOf(layer, guess.alphabets, choice, plan, first.factor.order, linalg);
  const { order } = first.factor;
  const at =
    damping === plan.firstDamping
      ? first
      : await dampedFactor(metric, damping, () => Promise.resolve(order), linalg);

  const radii = searches(choice) ? plan.radii : [1];
  const walked = await walkRadii(weights, guess.alphabets, radii, choice, plan, at.factor, linalg);
  const near = await linalg.neighbours(at.H, plan.neighbours);
  const { levels, alphabets } = walked.best;
  let best: Candidate = {
    ...(await linalg.pairs(weights, levels, at.H, alphabets, near, plan.sweeps)),
    alphabets,
  };
  if (searches(choice) && plan.refitAbove !== null) {
    const steps = await refitSteps(weights, best.levels, alphabets, at.H, choice, plan.refitAbove, linalg);
    const refitted = await linalg.pairs(weights, best.levels, at.H, steps, near, plan.sweeps);
    best = cheaper(best, { ...refitted, alphabets: steps }, choice.perTensor === true);
  }
  if (plan.rounding) {
    const other = await orAnyRounding(best, layer, choice, at.factor, linalg);
    if (other !== best) {
      const again = await linalg.pairs(weights, other.levels, at.H, other.alphabets, near, plan.sweeps);
      best = { ...again, alphabets: other.alphabets };
    }
  }
  return { ...best, bound: walked.bound, damping: at.damping, pilot: guess.factor, kernel: null };
}

/** Steps 1 and 2. */
export async function guessSteps(
  weights: Matrix,
  choice: Choice,
  plan: Pick<WalkPlan, "shares" | "statistics" | "pilots" | "block">,
  factor: Factor,
  linalg: Linalg,
): Promise<Pilot> {
  const first = await start(weights, squaredDistances(factor), choice, plan.shares, linalg);
  const guesses = plan.statistics.map(statistic =>
    statistic === "mse" ? first.alphabets : rootMeanSquares(weights, first, choice),
  );
  return pilotWalks(weights, guesses, plan.pilots, choice, factor, plan.block, linalg);
}

async function dampingOf(
  layer: Layer,
  alphabets: Alphabets,
  choice: Choice,
  plan: WalkPlan,
  order: Int32Array,
  linalg: Linalg,
): Promise<number> {
  if (plan.damping !== "held-out") return plan.damping;
  if (!layer.inputs) return 0.1;
  return heldOutDamping(layer.weights, layer.inputs, alphabets, order, choice, plan.block, linalg);
}

/** Step 3, and the least of the bounds: the walk kept costs no more than any of the others. */
async function walkRadii(
  weights: Matrix,
  alphabets: Alphabets,
  radii: readonly number[],
  choice: Choice,
  plan: WalkPlan,
  factor: Factor,
  linalg: Linalg,
): Promise<{ best: Candidate; bound: number | null }> {
  const perTensor = choice.perTensor === true;
  let best: Candidate | null = null;
  let bounds: Float64Array = new Float64Array(weights.columns).fill(Infinity);
  for (const radius of radii) {
    const grids = radius === 1 ? alphabets : scaled(alphabets, radius, choice);
    const walked = await linalg.walk(weights, factor, grids, plan.paths, plan.block);
    const candidate = { levels: walked.levels, costs: walked.costs, alphabets: grids };
    best = best ? cheaper(best, candidate, perTensor) : candidate;
    const own = walkBounds(factor, grids, walked);
    if (!perTensor) bounds = bounds.map((bound, j) => Math.min(bound, own[j]!));
    else if (sum(own) < sum(bounds)) bounds = own;
  }
  return { best: best!, bound: totalBound(bounds) };
}

/** Rounding by either rule, of the target and of the weights before alignment. */
async function orAnyRounding(
  walked: Candidate,
  { weights, unaligned }: Layer,
  choice: Choice,
  factor: Factor,
  linalg: Linalg,
): Promise<Candidate> {
  let best = walked;
  for (const radius of ["mse", "max"] as const) {
    for (const rounded of unaligned ? [weights, unaligned] : [weights]) {
      const grids = await startWithoutData(rounded, { ...choice, radius }, linalg);
      best = await orRounding(best, rounded, grids, weights, factor, choice.perTensor === true, linalg);
    }
  }
  return best;
}
