// Numbers as the pages show them: 1 KB = 1,024 B as in VS Code, a real minus, nothing at all as an en dash.

export const NOTHING = "–";

let locale = "en";
const formats = new Map<string, Intl.NumberFormat>();

/** The language of the page, as the host wrote it into its <html>. */
export function setLocale(language: string): void {
  formats.clear();
  try {
    locale = Intl.getCanonicalLocales(language)[0] ?? "en";
  } catch {
    locale = "en"; // A tag that is no language: English, as the strings then are.
  }
}

function format(value: number, least: number, most: number, style: "decimal" | "percent" = "decimal"): string {
  const key = `${least} ${most} ${style}`;
  let known = formats.get(key);
  if (!known) {
    known = new Intl.NumberFormat(locale, { style, minimumFractionDigits: least, maximumFractionDigits: most });
    formats.set(key, known);
  }
  return known.format(value).replace("-", "−");
}

export function whole(value: number): string {
  return format(value, 0, 0);
}

/** A relative error in percent without its sign, for a column: one decimal, two below 1 %. */
export function errorDigits(error: number | null): string {
  if (error === null) return NOTHING;
  const percent = 100 * error;
  if (percent > 0 && percent < 0.005) return `<${format(0.01, 2, 2)}`;
  const digits = decimalsOf(percent);
  return format(percent, digits, digits);
}

/** The same with its sign, for a sentence. */
export function errorPercent(error: number | null): string {
  if (error === null) return NOTHING;
  if (error > 0 && error < 0.00005) return `<${format(0.0001, 2, 2, "percent")}`;
  const digits = decimalsOf(100 * error);
  return format(error, digits, digits, "percent");
}

function decimalsOf(percent: number): number {
  if (percent === 0 || percent >= 99.95) return 0;
  return percent < 0.995 ? 2 : 1;
}

/** A share, in whole percent; in tenths at both ends, so that little is not told as none and nearly all not as all. */
export function sharePercent(share: number): string {
  if (share > 0 && share < 0.0005) return `<${format(0.001, 1, 1, "percent")}`;
  if (share > 0.9995 && share < 1) return `>${format(0.999, 1, 1, "percent")}`;
  const digits = (share > 0 && share < 0.01) || (share > 0.99 && share < 1) ? 1 : 0;
  return format(share, digits, digits, "percent");
}

/** A part of the file in percent without its sign, one decimal, for a column. */
export function shareDigits(share: number): string {
  return share > 0 && share < 0.0005 ? `<${format(0.1, 1, 1)}` : format(100 * share, 1, 1);
}

/** Bytes in a sentence: three digits and a unit. */
export function size(bytes: number): string {
  const amount = Math.abs(bytes);
  if (amount < 1024) return `${whole(bytes)} B`;
  const units = ["KB", "MB", "GB", "TB"];
  let value = bytes / 1024;
  let unit = 0;
  for (; Math.abs(value) >= 999.5 && unit < units.length - 1; unit++) value /= 1024;
  return `${threeDigits(value)} ${units[unit]}`;
}

/** A count of millions and more in three digits: 1.24 M. */
export function shortCount(count: number): string {
  if (count < 1e5) return whole(count);
  const units = ["K", "M", "G", "T"];
  let value = count / 1000;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${threeDigits(value)} ${units[unit]}`;
}

function threeDigits(value: number): string {
  const amount = Math.abs(value);
  const digits = amount >= 99.95 ? 0 : amount >= 9.995 ? 1 : 2;
  return format(value, Number.isInteger(value) ? 0 : digits, digits);
}

/** Bytes in whole KB, for a column. */
export function kilobytes(bytes: number): string {
  if (bytes !== 0 && Math.abs(bytes) < 512) return bytes > 0 ? "<1" : "−<1";
  return whole(bytes / 1024 || 0);
}

export function decibels(db: number | null): string {
  return db === null ? NOTHING : `${format(db, 1, 1)} dB`;
}

export function decibelDigits(db: number | null): string {
  return db === null ? NOTHING : format(db, 1, 1);
}

export function oneDecimal(value: number): string {
  return format(value, 1, 1);
}

/** Milliseconds without their unit: one decimal, more where that would say nothing. */
export function milliseconds(ms: number): string {
  const digits = ms >= 1 ? 1 : ms >= 0.1 ? 2 : 3;
  return format(ms, digits, digits);
}

/** How many times: two digits. */
export function times(factor: number): string {
  const digits = factor >= 9.95 ? 0 : 1;
  return format(factor, digits, digits);
}

/** A time in the past: what something took. */
export function took(seconds: number): string {
  if (seconds < 0.05) return `<${format(0.1, 1, 1)} s`;
  return seconds < 9.95 ? `${format(seconds, 1, 1)} s` : about(seconds);
}

/** A time to come, as coarse as a guess deserves. */
export function about(seconds: number): string {
  if (seconds < 59.5) return `${whole(Math.max(1, seconds))} s`;
  if (seconds < 3570) return `${whole(seconds / 60)} min`;
  return `${format(seconds / 3600, 1, 1)} h`;
}
