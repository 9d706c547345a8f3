import { html, nothing, type TemplateResult } from "lit";
import type { LayerReport } from "../../src/core/report/report";
import { decibelDigits, errorDigits, kilobytes, NOTHING, whole } from "../shared/format";
import { icon, labelledIcon } from "../shared/icons";
import { labelView } from "../shared/label";
import { t } from "../shared/text";
import type { Page } from "./page";
import { barsOf, errorPerMegabyte, type Row, type Table } from "./rows";
import { percentLength } from "./scales";
import { shapeInWords } from "./words";

/** What a row shows of a layer that is not done. */
export type Progress = "waiting" | "working";

/** One layer: name, bits, error and bytes saved on one spine, and with room enough all the rest. */
export function rowView(
  row: Row,
  table: Table,
  runBits: number,
  progress: Progress,
  open: boolean,
  reachable: boolean,
  logarithmic: boolean,
  page: Page,
): TemplateResult {
  const { done } = row;
  const bars = barsOf(row, table, logarithmic);
  const working = progress === "working" && !done;
  return html`<div
    class="row item ${row.worst ? "worst" : ""} ${done ? "" : "todo"}"
    role="row"
    aria-level="1"
    aria-expanded=${done ? open : nothing}
    data-name=${row.name}
    title=${titleOf(row)}
    tabindex=${reachable ? 0 : -1}
    @click=${() => done && page.setOpen(row.name, !open)}
    @focus=${() => page.setCurrent(row.name)}
  >
    <span class="lead" aria-hidden="true">${lead(done !== null, working, open)}</span>
    <span
      class="name"
      role="gridcell"
      aria-label=${row.worst ? t("{0}, among the worst layers", row.name) : row.name}
      >${labelView(row.label)}${row.worst ? labelledIcon("worst", t("among the worst layers")) : nothing}</span
    >
    <span class="op dim" role="gridcell">${done?.op ?? ""}</span>
    <span class="shape dim cut" role="gridcell">${done ? shapeInWords(done) : ""}</span>
    <span class="bits" role="gridcell"
      ><span class=${row.bits === runBits ? "chip" : "chip odd"}>${row.bits}</span></span
    >
    <span class="method dim cut" role="gridcell">${done?.method ?? ""}</span>
    <span class="error number ${done ? "" : "dim"}" role="gridcell"
      >${row.done ? errorDigits(row.error) : NOTHING}</span
    >
    <span class="bar left" aria-hidden="true"
      >${bars.error > 0 ? html`<i .style=${`--to:${percentLength(bars.error)}`}></i>` : nothing}</span
    >
    <span class="bar right" aria-hidden="true"
      >${
        bars.saved > 0
          ? html`<i class=${done ? "" : "planned"} .style=${`--to:${percentLength(bars.saved)}`}></i>`
          : nothing
      }</span
    >
    <span class="saved number ${done ? "" : "dim"}" role="gridcell">${kilobytes(row.saved)}</span>
    <span class="after number dim" role="gridcell">${kilobytes(row.after)}</span>
    <span class="onward number" role="gridcell"
      >${done ? errorDigits(done.passedOnError ?? done.propagatedError) : ""}</span
    >
    <span class="sqnr number" role="gridcell">${done ? decibelDigits(done.sqnrDb) : ""}</span>
    <span class="cost number" role="gridcell">${done ? costText(row) : ""}</span>
  </div>`;
}

function lead(done: boolean, working: boolean, open: boolean): TemplateResult {
  if (done) return icon(open ? "down" : "chevron", "dim");
  return working ? icon("working", "spin blue") : icon("waiting", "dim");
}

function costText(row: Row): string {
  const cost = errorPerMegabyte(row);
  return cost === null ? NOTHING : whole(100 * cost);
}

function titleOf({ name, done }: Row): string {
  return done ? tensorTitle(name, done) : name;
}

function tensorTitle(name: string, { op, tensor, shape, layerErrorHeldOut, layerError }: LayerReport): string {
  const error = layerErrorHeldOut ?? layerError;
  const lines = [name, `${op}, ${tensor} [${shape.join(", ")}]`];
  if (error !== null) lines.push(t("Error {0}%", 100 * error));
  return lines.join("\n");
}
