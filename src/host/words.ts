/** Bytes as VS Code says them: 1 KB = 1,024 B, three digits. */
export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KB", "MB", "GB"];
  const unit = Math.min(Math.floor(Math.log2(bytes) / 10), units.length) - 1;
  const value = bytes / 1024 ** (unit + 1);
  return `${value.toLocaleString("en", { maximumSignificantDigits: value < 1000 ? 3 : 4 })} ${units[unit]}`;
}

export function durationOf(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** What `sizeOf` says, read back: `300 KB`, `1.5MB`, `2000 B`, `2000`. Undefined for anything else. */
export function bytesIn(text: string): number | undefined {
  // A comma before three digits parts thousands, as above; any other is a decimal one.
  const found = /^\s*(\d+(?:[.,]\d+)?)\s*(B|KB|MB|GB)?\s*$/i.exec(text.replace(/,(?=\d{3}(?!\d))/, ""));
  if (!found) return undefined;
  const power = ["B", "KB", "MB", "GB"].indexOf((found[2] ?? "B").toUpperCase());
  return Math.floor(Number(found[1]!.replace(",", ".")) * 1024 ** power);
}
