import type { Report } from "./report";
import { layerTable, summary } from "./summary";

/** The report as GitHub shows it: a table of layers, and the run in sentences. */
export function markdown(report: Report): string {
  const { head, rows } = layerTable(report.layers);
  const line = (cells: readonly string[]): string => `| ${cells.map(plain).join(" | ")} |`;
  return [
    `# ${plain(report.model)}`,
    "",
    ...summary(report).map(sentence => `- ${plain(sentence)}`),
    "",
    ...report.warnings.flatMap(warning => [`> ${plain(warning)}`, ""]),
    ...(rows.length > 0 ? [line(head), line(head.map(() => "---")), ...rows.map(line), ""] : []),
  ]
    .map(text => `${text}\n`)
    .join("");
}

/** Names come out of the model file; none of their letters may mean something to a reader of Markdown. */
function plain(text: string): string {
  return text.replace(/[\r\n]+/g, " ").replace(/[\\`*_[\]<>|#~]/g, "\\$&");
}
