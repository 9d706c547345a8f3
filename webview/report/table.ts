import { html, nothing, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import type { Run } from "../../src/protocol/pages";
import { whole } from "../shared/format";
import { icon } from "../shared/icons";
import { rich } from "../shared/rich";
import { counted, t } from "../shared/text";
import { menuButton, type MenuItem } from "../shared/menu";
import { detailView } from "./detail";
import type { Page } from "./page";
import { filterRows, firstSort, type Row, type Sort, type SortKey, sortRows, type Table, tableOf } from "./rows";
import { type Progress, rowView } from "./row";
import { barShare, percentLength } from "./scales";
import { measureInWords } from "./words";

/** Tools, head and rows of the layers of a run. */
export function tableView(run: Run, running: boolean, page: Page): TemplateResult {
  const table = tableOf(run);
  const { ui } = page;
  const sort = ui.sort ?? firstSort(running ? "order" : "error");
  const shown = filterRows(sortRows(table.rows, sort), ui.filter);
  const reachable = shown.some(row => row.name === page.current) ? page.current : (shown[0]?.name ?? null);
  const limit = table.limit === null ? 0 : barShare(table.limit, table.errorEnd, ui.logarithmic);
  return html`<section class="layers" aria-label=${t("Layers")}>
    <div class="above">
      ${toolsView(table, shown, sort, page)} ${measureView(table)}
      ${
        shown.length === 0
          ? nothing
          : html`<div class="row head" aria-hidden="true">${headCells(table, sort, page, false)}</div>`
      }
    </div>
    ${
      shown.length === 0
        ? noneView(ui.filter, page)
        : html`<div
            class="grid ${limit > 0 ? "limited" : ""}"
            role="treegrid"
            aria-label=${t("Layers")}
            .style=${`--limit:${percentLength(limit)}`}
            @keydown=${(event: KeyboardEvent) => onGridKey(event, page)}
          >
            <div class="row unseen" role="row">${headCells(table, sort, page, true)}</div>
            ${repeat(
              shown,
              row => row.name,
              row => rowWithDetail(row, table, run, running, row.name === reachable, page),
            )}
          </div>`
    }
  </section>`;
}

function rowWithDetail(
  row: Row,
  table: Table,
  run: Run,
  running: boolean,
  reachable: boolean,
  page: Page,
): TemplateResult {
  const { logarithmic } = page.ui;
  const open = row.done !== null && page.ui.open.includes(row.name);
  const progress: Progress = running && run.current === row.place ? "working" : "waiting";
  // Views are new objects each time; a row is drawn again only when something it shows has changed.
  const shows = [
    row.place,
    row.bits,
    row.error,
    row.after,
    row.worst,
    row.done?.seconds,
    row.label,
    table.errorEnd,
    table.savedEnd,
    table.rows.length,
    run.bits,
    progress,
    open,
    reachable,
    logarithmic,
  ];
  return html`${guard(shows, () => rowView(row, table, run.bits, progress, open, reachable, logarithmic, page))}
  ${open ? detailView(row.done, page.detail(row.name), page) : nothing}`;
}

/** Errors that are not those on held-out samples say so: they flatter. */
function measureView({ measure }: Table): TemplateResult | typeof nothing {
  switch (measure) {
    case "held-out":
      return nothing;
    case "fitted":
      return html`<p class="measure tiny dim">${t("Errors on the fitted samples: none were held out.")}</p>`;
    case "weights":
      return html`<p class="measure tiny dim">
        ${t("Errors of the weights alone: nothing was measured on data.")}
      </p>`;
    default:
      return measure satisfies never;
  }
}

function toolsView(table: Table, shown: readonly Row[], sort: Sort, page: Page): TemplateResult {
  const worst = table.rows.filter(row => row.worst).length;
  return html`<div class="tools">
    <vscode-textfield
      class="filter"
      placeholder=${t("Filter layers")}
      .label=${t("Filter layers, for example conv, @worst or @bits:4")}
      .value=${page.ui.filter}
      @input=${(event: Event) => page.change({ filter: (event.target as HTMLInputElement).value })}
      @keydown=${(event: KeyboardEvent) => onFilterKey(event, page)}
      >${html`<span slot="content-before">${icon("filter")}</span><span slot="content-after"></span>`}</vscode-textfield
    >
    <span class="told small dim">
      ${shown.length === table.rows.length ? counted(shown.length, "{0} layer", "{0} layers", whole(shown.length)) : t("{0} of {1} layers", whole(shown.length), whole(table.rows.length))}
      ${worst > 0 ? html` · ${icon("worst", "warn")} ${t("{0} with at least 1.5 times the median error", worst)}` : nothing}
    </span>
    ${menuButton(t("Sort by…"), "sort", page.sortMenuOpen, sortItems(sort, page), open => page.openSortMenu(open))}
  </div>`;
}

function sortItems(sort: Sort, page: Page): readonly MenuItem[] {
  const choices: readonly (readonly [SortKey, string])[] = [
    ["order", t("Order in the model")],
    ["error", t("Error")],
    ["saved", t("Bytes saved")],
    ["cost", t("Error per MB saved")],
    ["bits", t("Bits")],
    ["name", t("Name")],
  ];
  const items = choices.map(([by, label]) => ({
    label,
    checked: sort.by === by,
    choose: () => page.change({ sort: firstSort(by) }),
  }));
  return [
    ...items,
    {
      label: t("Logarithmic bars"),
      checked: page.ui.logarithmic,
      alone: true,
      choose: () => page.change({ logarithmic: !page.ui.logarithmic }),
    },
  ];
}

/**
 * The cells of the head. It stands twice: once to be seen, above the rows and stuck there, its buttons for the mouse
 * (the Sort menu is the keyboard's way), and once as the treegrid's own first row, for those who cannot see it.
 */
function headCells(table: Table, sort: Sort, page: Page, spoken: boolean): TemplateResult {
  const cell = (classes: string, by: SortKey | null, label: string, title = ""): TemplateResult => {
    // "Saved" and "KB" head one column; its mark stands at the number.
    const sorted = by !== null && sort.by === by && classes !== "over";
    const way = sort.down ? "descending" : "ascending";
    if (spoken) {
      return html`<span class=${classes} role="columnheader" aria-sort=${sorted ? way : nothing}>${label}</span>`;
    }
    return html`<span class=${classes} aria-sort=${sorted ? way : nothing} title=${title || nothing}
      >${
        by === null
          ? label
          : html`<button
              class="plain"
              tabindex="-1"
              @click=${() => page.change({ sort: sort.by === by ? { by, down: !sort.down } : firstSort(by) })}
            >
              ${label}${sorted ? icon(sort.down ? "down" : "up") : nothing}
            </button>`
      }</span
    >`;
  };
  return html`${spoken ? nothing : html`<span></span>`}${cell("name", "name", t("Layer"))}${cell("op", null, t("Op"))}${cell("shape", null, t("Shape"))}${cell("bits", "bits", t("Bits"))}${cell("method", null, t("Method"))}${cell("error number", "error", t("Error %"), measureInWords(table.measure))}${spoken ? nothing : cell("over", "saved", t("Saved"))}${cell("saved number", "saved", spoken ? t("Saved KB") : t("KB"), t("Kilobytes saved"))}${cell("after number", null, t("After KB"))}${cell("onward number", null, t("Passed %"), t("Error of what the next layer receives, earlier layers included"))}${cell("sqnr number", null, t("SQNR dB"))}${cell("cost number", "cost", t("% per MB"), t("Error for each megabyte saved"))}`;
}

function noneView(filter: string, page: Page): TemplateResult {
  return html`<div class="state">
    <p>${rich('No layer matches "{0}".', filter)}</p>
    <div>
      <vscode-button secondary @click=${() => clearFilter(page)}>${t("Clear Filter")}</vscode-button>
    </div>
  </div>`;
}

/** The button goes with the filter, so the focus moves to where the next one is typed. */
function clearFilter(page: Page): void {
  page.change({ filter: "" });
  document.querySelector<HTMLElement>("vscode-textfield.filter")?.focus();
}

function onFilterKey(event: KeyboardEvent, page: Page): void {
  if (event.key === "Escape" && page.ui.filter !== "") page.change({ filter: "" });
  else if (event.key === "ArrowDown" || event.key === "Escape") {
    document.querySelector<HTMLElement>('[role="treegrid"] [tabindex="0"]')?.focus();
  } else return;
  event.preventDefault();
}

/** Arrows move and open, as in every tree of VS Code; details of an open row are a row of their own below it. */
function onGridKey(event: KeyboardEvent, page: Page): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const row = (event.target as Element).closest<HTMLElement>('[role="row"]');
  const grid = event.currentTarget as HTMLElement;
  if (!row) return;
  const rows = [...grid.querySelectorAll<HTMLElement>('[role="row"][data-name]')];
  const at = rows.indexOf(row);
  const name = row.dataset["name"]!;
  const expanded = row.getAttribute("aria-expanded");
  const details = row.getAttribute("aria-level") === "2";
  const go = (to: number): void => rows[Math.min(rows.length - 1, Math.max(0, to))]?.focus();
  switch (event.key) {
    case "ArrowDown":
      go(at + 1);
      break;
    case "ArrowUp":
      go(at - 1);
      break;
    case "Home":
      go(0);
      break;
    case "End":
      go(rows.length - 1);
      break;
    case "ArrowRight":
      if (expanded === "false") page.setOpen(name, true);
      else if (expanded === "true") go(at + 1);
      break;
    case "ArrowLeft":
      if (details) go(at - 1);
      else if (expanded === "true") page.setOpen(name, false);
      break;
    case "Enter":
      if (expanded !== null) page.setOpen(name, expanded === "false");
      break;
    default:
      return;
  }
  event.preventDefault();
}
