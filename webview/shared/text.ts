import type { Strings } from "../../src/protocol/pages";

let strings: Strings = {};

/** The translations sent with a view; what is missing stays English. */
export function setStrings(sent: Strings): void {
  strings = sent;
}

/** An English sentence in the user's language, {0}, {1}… filled in. */
export function t(english: string, ...values: readonly (string | number)[]): string {
  return fill(strings[english] ?? english, values);
}

/** One of two sentences by a count, which is their {0}. */
export function counted(count: number, one: string, many: string, shown: string | number = count): string {
  return t(count === 1 ? one : many, shown);
}

/** Pieces of a sentence, those between ** marked as bold. Split before filling, so no value can open a bold part. */
export function pieces(
  english: string,
  ...values: readonly (string | number)[]
): readonly { readonly bold: boolean; readonly text: string }[] {
  return (strings[english] ?? english)
    .split("**")
    .map((text, place) => ({ bold: place % 2 === 1, text: fill(text, values) }))
    .filter(piece => piece.text !== "");
}

function fill(text: string, values: readonly (string | number)[]): string {
  return text.replace(/\{(\d)\}/g, (whole, place: string) => String(values[Number(place)] ?? whole));
}
