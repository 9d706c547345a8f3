import type { Reading } from "./readValues";

/** Nodes of two models that stand for each other, and those that are on one side only. */
export interface Pairs {
  readonly both: readonly (readonly [Reading, Reading])[];
  readonly onlyFirst: readonly Reading[];
  readonly onlySecond: readonly Reading[];
}

/** What tells that two nodes are the same, most telling first: their names, what they make, what they read of the network. */
const KEYS: readonly ((one: Reading) => string)[] = [
  ({ node }) => node.name,
  ({ node }) => node.output[0] ?? "",
  ({ node, values }) => node.input.find((_, slot) => !values.has(slot)) ?? "",
];

/** Pairs nodes of one operator by the first key that only one of them has on each side. */
export function pairsOf(first: readonly Reading[], second: readonly Reading[]): Pairs {
  const partners = new Map<Reading, Reading>();
  const taken = new Set<Reading>();
  for (const key of KEYS) {
    const open = (list: readonly Reading[]): Map<string, Reading[]> => {
      const byKey = new Map<string, Reading[]>();
      for (const one of list) {
        if (taken.has(one) || partners.has(one) || key(one) === "") continue;
        const name = `${one.op} ${key(one)}`;
        byKey.set(name, [...(byKey.get(name) ?? []), one]);
      }
      return byKey;
    };
    const others = open(second);
    for (const [name, [one, ...more]] of open(first)) {
      const [other, ...otherMore] = others.get(name) ?? [];
      if (!one || !other || more.length > 0 || otherMore.length > 0) continue;
      partners.set(one, other);
      taken.add(other);
    }
  }
  return {
    both: first.flatMap(one => {
      const other = partners.get(one);
      return other ? [[one, other] as const] : [];
    }),
    onlyFirst: first.filter(one => !partners.has(one)),
    onlySecond: second.filter(one => !taken.has(one)),
  };
}
