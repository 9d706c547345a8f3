/**
 * The start that all names share, whole parts of a path only: what is left must still be a name.
 * `/decoder/layers.7/up` and `/decoder/layers.8/up` share `/decoder/`; `Conv_3` and `Conv_5` share nothing.
 */
export function sharedStart(names: readonly string[]): string {
  const first = names[0];
  if (first === undefined || names.length < 2) return "";
  let length = first.length;
  for (const name of names) {
    let same = 0;
    while (same < length && name[same] === first[same]) same++;
    length = same;
  }
  return first.slice(0, Math.max(first.lastIndexOf("/", length - 1), first.lastIndexOf(".", length - 1)) + 1);
}

/** The last part of a path, of either kind of slash. */
export function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}
