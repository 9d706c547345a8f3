import { median } from "./scales";

/** An error this many times the median layer's is among the worst… */
export const WORST_TIMES = 1.5;
/** …but at most one layer in so many is. */
const ONE_IN = 5;

export interface Worst {
  /** Places of the worst. */
  readonly places: ReadonlySet<number>;
  /** Where "worst" begins; null with too few layers to speak of any. */
  readonly limit: number | null;
}

/** Which layers are the worst, by their errors; null for those without one. */
export function worstOf(errors: readonly (number | null)[]): Worst {
  const known = errors.filter(error => error !== null);
  const most = Math.floor(known.length / ONE_IN);
  const middle = median(known);
  if (most === 0 || middle === null) return { places: new Set(), limit: null };
  const limit = WORST_TIMES * middle;
  const over = errors
    .map((error, place) => ({ error: error ?? 0, place }))
    .filter(({ error }) => error > 0 && error >= limit)
    .sort((a, b) => b.error - a.error);
  const worst = over.slice(0, most);
  return {
    places: new Set(worst.map(({ place }) => place)),
    // Where more layers are beyond the limit than may be marked, the line moves to the least that is: past it means marked.
    limit: over.length > most ? worst.at(-1)!.error : limit,
  };
}
