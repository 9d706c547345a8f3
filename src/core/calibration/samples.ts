/** With fewer samples than this none is held out: a fifth of them would say little and cost the fit much. */
export const LEAST_TO_HOLD_OUT = 10;
/** Every fifth sample is held out of every fit. */
const FOLD = 5;

export interface Split {
  readonly fitted: readonly number[];
  readonly heldOut: readonly number[];
}

/** Which samples a fit may see: with ten or more, all but those at 4, 9, 14, … */
export function splitSamples(count: number): Split {
  const all = Array.from({ length: count }, (_, sample) => sample);
  const isHeldOut = (sample: number): boolean => count >= LEAST_TO_HOLD_OUT && sample % FOLD === FOLD - 1;
  return { fitted: all.filter(sample => !isHeldOut(sample)), heldOut: all.filter(isHeldOut) };
}
