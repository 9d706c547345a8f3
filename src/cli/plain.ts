// Names of layers and tensors come from a file: they may hold line ends, and codes that a terminal obeys.

/** A text without such codes; its line ends stay. */
export function withoutCodes(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]/gu, "");
}

export function oneLine(text: string): string {
  return withoutCodes(text.replaceAll(/\s+/gu, " ")).trim();
}
