import type { LayerReport } from "./report";

/** Without layers a file still has its head. */
const COLUMNS = [
  ...[
    "name",
    "op",
    "tensor",
    "shape",
    "inputs",
    "neurons",
    "bits",
    "method",
    "variant",
    "rank",
    "alphabet",
    "format",
  ],
  ...[
    "bytesBefore",
    "bytesAfter",
    "weightError",
    "layerError",
    "layerErrorHeldOut",
    "propagatedError",
    "passedOnError",
    "sqnrDb",
  ],
  ...["bound", "limit", "interior", "residual", "rows", "alignment", "damping", "seconds"],
] as const satisfies readonly (keyof LayerReport)[];

/** The layers as RFC 4180 has it: a line each, numbers unrounded, nothing where there is none; a shape is `784x500`. */
export function csv(layers: readonly LayerReport[]): string {
  return [COLUMNS, ...layers.map(layer => COLUMNS.map(column => layer[column]))]
    .map(row => `${row.map(cell).join(",")}\r\n`)
    .join("");
}

function cell(value: LayerReport[keyof LayerReport]): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = typeof value === "string" ? harmless(value) : value.join("x");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Names come out of the model file, and a spreadsheet runs what begins like a formula (OWASP, "CSV Injection"). */
function harmless(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}
