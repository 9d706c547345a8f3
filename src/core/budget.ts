// Bits for every layer within a budget. Errors of single layers add up, so this is a multiple-choice knapsack: of each layer's
// ways only those on the lower convex hull of (bytes, error) are worth their bytes, and the steps along the hulls are taken in
// the order of error saved for a byte (Lagrange), as long as they fit.

/** One way to quantize a layer. */
export interface Way {
  readonly bytes: number;
  /** What it adds to the squared error of the outputs. */
  readonly error: number;
}

/** Which of the two the budget limits; the other is made as small as it can be. */
export type Budget = { readonly bytes: number } | { readonly error: number };

/**
 * @param layers the ways of every layer.
 * @returns for every layer, which of its ways to take; the smallest in bytes where even those are beyond the budget.
 */
export function choose(layers: readonly (readonly Way[])[], budget: Budget): number[] {
  const hulls = layers.map(hullOf);
  const place = hulls.map(() => 0);
  const chosen = (): number[] => hulls.map((hull, k) => hull[place[k]!]!);
  const sum = (of: keyof Way): number => chosen().reduce((total, way, k) => total + layers[k]![way]![of], 0);
  const steps = hulls
    .flatMap((hull, layer) =>
      hull.slice(1).map((way, k) => {
        const [from, to] = [layers[layer]![hull[k]!]!, layers[layer]![way]!];
        return { layer, to: k + 1, bytes: to.bytes - from.bytes, saved: from.error - to.error };
      }),
    )
    .sort((a, b) => b.saved / b.bytes - a.saved / a.bytes);
  let [bytes, error] = [sum("bytes"), sum("error")];
  for (const step of steps) {
    if ("error" in budget && error <= budget.error) break;
    // The steps of a hull fall in worth, so one that is not taken leaves the later ones of its layer out of reach.
    if (place[step.layer] !== step.to - 1) continue;
    if ("bytes" in budget && bytes + step.bytes > budget.bytes) continue;
    place[step.layer] = step.to;
    bytes += step.bytes;
    error -= step.saved;
  }
  return "bytes" in budget ? filled(layers, chosen(), budget.bytes - bytes) : chosen();
}

/** The ways with what is left of the bytes spent, each time on the step that saves most for a byte; hull or not. */
function filled(layers: readonly (readonly Way[])[], ways: readonly number[], left: number): number[] {
  const filled = [...ways];
  for (;;) {
    const best = layers
      .flatMap((all, layer) => {
        const now = all[filled[layer]!]!;
        return all.map((one, way) => ({
          layer,
          way,
          bytes: one.bytes - now.bytes,
          saved: now.error - one.error,
        }));
      })
      .filter(step => step.saved > 0 && step.bytes > 0 && step.bytes <= left)
      .sort((a, b) => b.saved / b.bytes - a.saved / a.bytes)[0];
    if (!best) return filled;
    filled[best.layer] = best.way;
    left -= best.bytes;
  }
}

/** The ways on the lower convex hull, fewest bytes first. */
function hullOf(ways: readonly Way[]): number[] {
  const order = ways
    .map((_, way) => way)
    .sort((a, b) => ways[a]!.bytes - ways[b]!.bytes || ways[a]!.error - ways[b]!.error);
  const hull: number[] = [];
  const slope = (from: number, to: number): number =>
    (ways[from]!.error - ways[to]!.error) / (ways[to]!.bytes - ways[from]!.bytes);
  for (const way of order) {
    if (hull.length > 0 && ways[way]!.error >= ways[hull.at(-1)!]!.error) continue;
    while (hull.length > 1 && slope(hull.at(-1)!, way) >= slope(hull.at(-2)!, hull.at(-1)!)) hull.pop();
    hull.push(way);
  }
  return hull;
}
