/** With fewer samples than this none is held out: a fifth of them would say little and cost the fit much. */
export const LEAST_TO_HOLD_OUT = 10;
/** Every fifth sample is held out of every fit. */
const FOLD = 5;

export interface Split {
  readonly fitted: readonly number[];
  readonly heldOut: readonly number[];
}

/**
 * Which samples a fit may see: with ten or more, all but those at 4, 9, 14, …; of a stream all but the last fifth, since what
 * is heard now says what was heard a moment ago.
 */
export function splitSamples(count: number, stream = false): Split {
  const all = Array.from({ length: count }, (_, sample) => sample);
  const isLast = (sample: number): boolean =>
    stream ? sample >= count - Math.floor(count / FOLD) : sample % FOLD === FOLD - 1;
  const isHeldOut = (sample: number): boolean => count >= LEAST_TO_HOLD_OUT && isLast(sample);
  return { fitted: all.filter(sample => !isHeldOut(sample)), heldOut: all.filter(isHeldOut) };
}
