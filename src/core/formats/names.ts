import type { Layer } from "../graph/layers";

// The names of what a copy stores anew. A name stands at the tensor and at each node that reads it, so with long ones a small
// layer takes more bytes for names than for zero points. The codes carry the name of the weight, which is what people look for; all
// else has one letter and a number.

export const SCALES = "s";
export const ZERO_POINTS = "z";

/** The codes of a weight take its place, and nearly its name. */
export function codesName({ tensor }: Pick<Layer, "tensor">): string {
  return `${tensor}_q`;
}

/** Gives out names that nothing in a model has yet. */
export function freshNames(taken: Set<string>): (wish: string) => string {
  // Where the count of a wish goes on: a model of a thousand layers asks for "w" some thousand times.
  const counts = new Map<string, number>();
  return wish => {
    let count = counts.get(wish) ?? 1;
    let name = wish;
    for (; taken.has(name); name = `${wish}${count}`) count++;
    counts.set(wish, count);
    taken.add(name);
    return name;
  };
}
