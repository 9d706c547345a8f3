export function durationOf(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** A size as people type it, or as `sizeOf` of core/report says it: `300 KB`, `1.5MB`, `2000 B`, `2000`. Undefined for anything else. */
export function bytesIn(text: string): number | undefined {
  // A comma before three digits parts thousands; any other is a decimal one.
  const found = /^\s*(\d+(?:[.,]\d+)?)\s*(B|KB|MB|GB)?\s*$/i.exec(text.replace(/,(?=\d{3}(?!\d))/, ""));
  if (!found) return undefined;
  const power = ["B", "KB", "MB", "GB"].indexOf((found[2] ?? "B").toUpperCase());
  return Math.floor(Number(found[1]!.replace(",", ".")) * 1024 ** power);
}
