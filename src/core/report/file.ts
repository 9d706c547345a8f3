import { csv } from "./csv";
import { html } from "./html";
import { markdown } from "./markdown";
import type { Report } from "./report";

const WRITERS = {
  json: (report: Report) => `${JSON.stringify(report, null, 1)}\n`,
  csv: (report: Report) => csv(report.layers),
  md: markdown,
  html,
} satisfies Record<string, (report: Report) => string>;

/** Endings of file names that a report can have, without the dot. */
export const REPORT_KINDS = Object.keys(WRITERS) as readonly ReportKind[];
export type ReportKind = keyof typeof WRITERS;

/** What a file's name says of its kind; undefined for other endings. */
export function reportKind(file: string): ReportKind | undefined {
  return REPORT_KINDS.find(kind => file.toLowerCase().endsWith(`.${kind}`));
}

/** The text of a report as a file of this name: JSON where its ending is none of `REPORT_KINDS`. */
export function reportFile(file: string, report: Report): string {
  return WRITERS[reportKind(file) ?? "json"](report);
}
