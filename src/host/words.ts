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
