import type { LayerReport, Report } from "./report";
import { layerTable, summary } from "./summary";

/** The report as one page that needs nothing else: no script, no font, no picture, and it may load none. */
export function html(report: Report): string {
  const { head, rows } = layerTable(report.layers);
  const worst = Math.max(0, ...report.layers.map(layer => errorOf(layer) ?? 0));
  const most = Math.max(1, ...report.layers.map(savedBytes));
  const bar = (kind: string, share: number): string =>
    `<td class="bar"><i class="${kind}" style="width:${(100 * Math.max(0, share)).toFixed(1)}%"></i></td>`;
  const lines = rows.map((cells, k) => {
    const layer = report.layers[k]!;
    const bars = bar("error", (errorOf(layer) ?? 0) / (worst || 1)) + bar("saved", savedBytes(layer) / most);
    return `<tr>${cells.map(text => `<td>${escaped(text)}</td>`).join("")}${bars}</tr>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escaped(report.model)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(report.model)}</h1>
<ul>
${summary(report)
  .map(sentence => `<li>${escaped(sentence)}</li>`)
  .join("\n")}
</ul>
${report.warnings.map(warning => `<p class="warning">${escaped(warning)}</p>`).join("\n")}
${
  rows.length === 0
    ? ""
    : `<table>
<thead><tr>${[...head, "error", "saved"].map(title => `<th>${title}</th>`).join("")}</tr></thead>
<tbody>
${lines.join("\n")}
</tbody>
</table>`
}
</body>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { margin: 2em auto; padding: 0 1em; max-width: 75em; }
h1 { font-size: 1.3em; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2em 0.6em; border-bottom: 1px solid color-mix(in srgb, currentcolor 20%, transparent); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.bar { min-width: 8em; }
.bar i { display: block; height: 0.7em; }
.error { margin-left: auto; background: #888; }
.saved { background: #3b82d0; }
.warning { padding-left: 0.8em; border-left: 3px solid #c90; }
`;

function errorOf(layer: LayerReport): number | null {
  return layer.layerErrorHeldOut ?? layer.layerError ?? layer.weightError;
}

function savedBytes({ bytesBefore, bytesAfter }: LayerReport): number {
  return bytesBefore - bytesAfter;
}

/** Names come out of the model file. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, letter => `&#${letter.charCodeAt(0)};`);
}
