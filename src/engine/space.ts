/** Room in a file. */
export interface Space {
  /** @returns the offset of so many bytes, at least one, that are nobody else's: the first gap that is long enough, else the end. */
  take(length: number): number;
  /** Takes room back that was given with this offset and length. */
  giveBack(offset: number, length: number): void;
  /** How long the file is. */
  end(): number;
}

/** Gives out room in a file that begins empty, and takes it back; gaps side by side become one. */
export function spaceOf(): Space {
  /** In order, none touching the next or the end. */
  const gaps: { from: number; to: number }[] = [];
  let end = 0;
  return {
    take(length) {
      const place = gaps.findIndex(({ from, to }) => to - from >= length);
      if (place < 0) {
        end += length;
        return end - length;
      }
      const gap = gaps[place]!;
      const offset = gap.from;
      gap.from += length;
      if (gap.from === gap.to) gaps.splice(place, 1);
      return offset;
    },
    giveBack(offset, length) {
      let place = gaps.findIndex(({ from }) => from > offset);
      if (place < 0) place = gaps.length;
      const freed = { from: offset, to: offset + length };
      const [before, after] = [gaps[place - 1], gaps[place]];
      if (before?.to === freed.from) {
        freed.from = before.from;
        gaps.splice(--place, 1);
      }
      if (after?.from === freed.to) {
        freed.to = after.to;
        gaps.splice(place, 1);
      }
      if (freed.to === end) end = freed.from;
      else gaps.splice(place, 0, freed);
    },
    end: () => end,
  };
}
