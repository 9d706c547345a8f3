/**
 * What tells names apart: each without the start and the end that all of them share, whole parts of a path only.
 * `/decoder/layers.7/up/MatMul` and `/decoder/layers.8/up/MatMul` are `7/up` and `8/up`; `Conv_3` and `Conv_5` stay,
 * and so does `layers.` where nothing but a number would be left.
 */
export function shortNames(names: readonly string[]): readonly string[] {
  const start = sharedStart(names);
  const ends = withNoneEmpty(names, name => name.slice(start));
  const end = sharedEnd(ends);
  return withoutSharedStem(withNoneEmpty(ends, name => name.slice(0, name.length - end)));
}

/** `layers.7/up` and `layers.8/up` without `layers.`, as long as more than numbers is left of all. */
function withoutSharedStem(names: readonly string[]): readonly string[] {
  const first = names[0];
  if (first === undefined || names.length < 2) return names;
  const shared = first.slice(
    0,
    sharedLength(names, first, place => place),
  );
  const stem = shared.includes("/") ? 0 : shared.lastIndexOf(".") + 1;
  const short = names.map(name => name.slice(stem));
  return short.every(name => firstPart(name)[0] !== "") ? short : names;
}

/** A name may be the whole of what all share; then it is not cut. */
function withNoneEmpty(names: readonly string[], cut: (name: string) => string): readonly string[] {
  const short = names.map(cut);
  return short.includes("") ? names : short;
}

function sharedStart(names: readonly string[]): number {
  const first = names[0];
  if (first === undefined || names.length < 2) return 0;
  const length = sharedLength(names, first, place => place);
  if (length === 0) return 0;
  return first.lastIndexOf("/", length - 1) + 1;
}

function sharedEnd(names: readonly string[]): number {
  const first = names[0];
  if (first === undefined || names.length < 2) return 0;
  const length = sharedLength(names, first, (place, name) => name.length - 1 - place);
  const slash = first.indexOf("/", first.length - length);
  return slash === -1 || length === 0 ? 0 : first.length - slash;
}

/** How many characters all names share, walked in an order: from the start, or from the end. */
function sharedLength(
  names: readonly string[],
  first: string,
  placeOf: (step: number, name: string) => number,
): number {
  return names.reduce((length, name) => {
    let same = 0;
    while (same < length && same < name.length && name[placeOf(same, name)] === first[placeOf(same, first)]) same++;
    return same;
  }, first.length);
}

/** A name in two: its first part, and the rest with its slash; all of it is the rest where it has one part only. */
export function firstPart(name: string): readonly [string, string] {
  const slash = name.indexOf("/");
  return slash === -1 ? ["", name] : [name.slice(0, slash), name.slice(slash)];
}

/** The last part of a path, of either kind of slash. */
export function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}
