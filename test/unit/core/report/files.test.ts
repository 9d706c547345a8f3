import assert from "node:assert/strict";
import { test } from "node:test";
import { REPORT_KINDS, reportFile } from "../../../../src/core/report/file";
import type { Report } from "../../../../src/core/report/report";
import { layerTable } from "../../../../src/core/report/summary";
import { layerReport, report } from "../../webview/make";

/** What a model file may call its layers. */
const NAMES = [
  '<img src=x onerror="alert(1)">',
  "=HYPERLINK(1)",
  "a|b\n# c",
  'with, comma and "quotes"',
  "[link](javascript:x)",
];
const hostile: Report = report({
  model: "<b>model</b>.onnx",
  layers: NAMES.map(name => layerReport(name, { rank: null, layerErrorHeldOut: 1 / 3 })),
  warnings: ["<script>alert(1)</script>"],
});

test("a report in JSON is the report", () => {
  assert.deepEqual(JSON.parse(reportFile("r.json", hostile)), hostile);
});

test("CSV has a column for everything a layer's report has, and its numbers whole", () => {
  const [head, ...rows] = cells(reportFile("r.CSV", hostile));
  assert.deepEqual([...head!].sort(), Object.keys(hostile.layers[0]!).sort());
  assert.equal(rows.length, NAMES.length);
  const at = (row: readonly string[], column: string): string => row[head!.indexOf(column)]!;
  for (const [k, row] of rows.entries()) {
    assert.equal(Number(at(row, "layerErrorHeldOut")), 1 / 3);
    assert.equal(at(row, "rank"), "");
    assert.equal(at(row, "shape"), "100x200");
    assert.equal(at(row, "name").replace(/^'/, ""), NAMES[k]);
    // A spreadsheet would take these for formulas.
    assert.doesNotMatch(at(row, "name"), /^[=+\-@]/);
  }
});

test("nothing in a model's names becomes markup of the page", () => {
  const page = reportFile("r.html", hostile);
  const tags = new Set([...page.matchAll(/<\/?([a-z]\w*)/g)].map(found => found[1]));
  const ours = ["html", "head", "meta", "title", "style", "body", "h1", "ul", "li", "p"];
  assert.deepEqual([...tags].sort(), [...ours, "table", "thead", "tbody", "tr", "th", "td", "i"].sort());
  assert.match(page, /default-src 'none'/);
});

test("every layer is one line of the table in Markdown, whatever it is called", () => {
  const lines = reportFile("r.md", hostile).split("\n");
  const rows = lines.filter(line => line.startsWith("|")).slice(2);
  assert.equal(rows.length, NAMES.length);
  const columns = (line: string): number => line.replaceAll(/\\./g, "").split("|").length;
  for (const row of rows) assert.equal(columns(row), columns(lines.find(line => line.startsWith("|"))!));
  assert.ok(!reportFile("r.md", hostile).includes("<script>"));
});

test("a report without layers is still a file of every kind", () => {
  for (const kind of REPORT_KINDS) assert.ok(reportFile(`r.${kind}`, report({ layers: [] })).length > 0);
});

/** RFC 4180 read back. */
function cells(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, cell, end] of text.matchAll(/("(?:[^"]|"")*"|[^,"\r\n]*)(,|\r\n)/g)) {
    rows.at(-1)!.push(cell!.startsWith('"') ? cell!.slice(1, -1).replaceAll('""', '"') : cell!);
    if (end === "\r\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

test("a layer's method stands in the table with its variant, and alone where it has none", () => {
  const methodsOf = (...layers: Report["layers"]): string[] => layerTable(layers).rows.map(row => row[2]!);
  const walk = layerReport("a", { method: "maly-saab", variant: "walk" });
  const gptq = layerReport("b", { method: "gptq", variant: null });
  assert.deepEqual(methodsOf(walk, gptq), ["maly-saab walk", "gptq"]);
});
