import type { Linalg } from "../linalg/linalg";
import type { Fit, Layer } from "./layer";
import { damped } from "./metric";

// Cyclic coordinate descent on (w-q)ᵀH(w-q), after any method: each weight to the value nearest to q_i + g_i / H_ii,
// g = H(w-q), where the parabola of its own error has its lowest point (COMQ, arXiv 2403.07134; QuantEase, arXiv 2309.01885).
// It never makes the error on the fit larger. In the metric the method used itself: what was damped stays damped, for a
// descent on bare samples would only fit their noise.

const SWEEPS = 10;

export async function refine(layer: Layer, fit: Fit, linalg: Linalg): Promise<Fit> {
  const { weights, metric } = layer;
  if (!metric || !fit.costs) return fit; // No data, or data of zeros: nothing to descend on.
  const H = fit.damping > 0 ? damped(metric, fit.damping) : metric;
  const { levels, costs } = await linalg.descend(weights, fit.levels, H, fit.alphabets, SWEEPS);
  return { ...fit, levels, costs };
}
