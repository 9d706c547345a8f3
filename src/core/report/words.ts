/** Bytes as people read them: 1 KB = 1,024 B, three digits. */
export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KB", "MB", "GB", "TB"];
  let value = bytes / 1024;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1024;
  return `${value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2)} ${units[unit]}`;
}

/** A relative error in percent, with as many digits as mean something. */
export function percentOf(error: number | null): string {
  if (error === null) return "-";
  const percent = 100 * error;
  return `${percent >= 9.995 || percent === 0 ? percent.toFixed(1) : percent >= 0.0995 ? percent.toFixed(2) : percent.toPrecision(2)} %`;
}

export function dbOf(db: number | null): string {
  return db === null ? "-" : `${db.toFixed(1)} dB`;
}

export function secondsOf(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
