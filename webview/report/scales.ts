/** A round number at or above a value: a scale that ends there keeps still while a little more arrives. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const steps = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
  // The tolerance keeps 0.3 at 0.3: floating point may find it a hair above.
  return (steps.find(step => step * power >= value * (1 - 1e-9)) ?? 10) * power;
}

/** A logarithmic bar shows this many powers of ten below the end of its scale. */
const DECADES = 3;

/** How long a bar is, 0..1 of its scale. Zero draws nothing. */
export function barShare(value: number, end: number, logarithmic: boolean): number {
  if (!(value > 0) || !(end > 0)) return 0;
  const share = logarithmic ? 1 + Math.log10(value / end) / DECADES : value / end;
  return Math.min(1, Math.max(Number.MIN_VALUE, share));
}

/** A share as a length in CSS or SVG; an entry smaller than a hair still counts as one. */
export function percentLength(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}

/** Ticks from 0 to the end of a scale, at most five steps. */
export function ticks(end: number): readonly number[] {
  const power = 10 ** Math.floor(Math.log10(end));
  const step = [0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5].map(one => one * power).find(one => end / one <= 4.001) ?? end;
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, k) => k * step);
}

/** The middle of a list; the mean of both middles where there is an even number. Null of none. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
