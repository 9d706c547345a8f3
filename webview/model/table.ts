import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Inspection } from "../../src/engine/inspect";
import { kilobytes, shareDigits, whole } from "../shared/format";
import { icon } from "../shared/icons";
import { labelView } from "../shared/label";
import { shortNames } from "../shared/names";
import { counted, t } from "../shared/text";
import { filterLayers, type LayerKey, type LayerRow, layerRows, sortLayers } from "./layers";
import type { Page } from "./page";

/** The layers as a table to sort, with bars for their share of the file. */
export function layerTable(inspection: Inspection, page: Page): TemplateResult {
  const all = layerRows(inspection);
  const shown = filterLayers(sortLayers(all, page.ui.sort), page.ui.filter);
  const labels = shortNames(inspection.layers.map(layer => layer.name));
  return html`<section class="layers" aria-label=${t("Layers")}>
    <div class="tools">
      <vscode-textfield
        class="filter"
        placeholder=${t("Filter layers")}
        .label=${t("Filter layers by name, operator or tensor")}
        .value=${page.ui.filter}
        @input=${(event: Event) => page.change({ filter: (event.target as HTMLInputElement).value })}
        @keydown=${(event: KeyboardEvent) => event.key === "Escape" && page.change({ filter: "" })}
        ><span slot="content-before">${icon("filter")}</span><span slot="content-after"></span
      ></vscode-textfield>
      <span class="small dim" role="status"
        >${
          shown.length === all.length
            ? counted(all.length, "{0} layer", "{0} layers", whole(all.length))
            : t("{0} of {1} layers", whole(shown.length), whole(all.length))
        }</span
      >
    </div>
    ${
      shown.length === 0
        ? html`<div class="state">
            <p>${t('No layer matches "{0}".', page.ui.filter)}</p>
            <div>
              <vscode-button secondary @click=${() => clearFilter(page)}>${t("Clear Filter")}</vscode-button>
            </div>
          </div>`
        : html`<div class="table" role="table" aria-label=${t("Layers")}>
            ${headView(page)}
            ${repeat(
              shown,
              row => row.place,
              row => rowView(row, labels[row.place]!),
            )}
          </div>`
    }
  </section>`;
}

/** The button goes with the filter, so the focus moves to where the next one is typed. */
function clearFilter(page: Page): void {
  page.change({ filter: "" });
  document.querySelector<HTMLElement>("vscode-textfield.filter")?.focus();
}

function headView(page: Page): TemplateResult {
  const { sort } = page.ui;
  const cell = (classes: string, by: LayerKey, label: string): TemplateResult => {
    const sorted = sort.by === by;
    const numeric = by === "parameters" || by === "bytes" || by === "shape";
    return html`<span
      class=${classes}
      role="columnheader"
      aria-sort=${sorted ? (sort.down ? "descending" : "ascending") : nothing}
      ><button
        class="plain"
        @click=${() => page.change({ sort: sorted ? { by, down: !sort.down } : { by, down: numeric } })}
      >
        ${label}${sorted ? icon(sort.down ? "down" : "up") : nothing}
      </button></span
    >`;
  };
  return html`<div class="row head" role="row">
    <span class="place number" role="columnheader" aria-sort=${sort.by === "order" ? "ascending" : nothing}
      ><button
        class="plain"
        title=${t("Order in the model")}
        aria-label=${t("Order in the model")}
        @click=${() => page.change({ sort: { by: "order", down: false } })}
      >
        #
      </button></span
    >
    ${cell("name", "name", t("Layer"))} ${cell("op", "op", t("Op"))} ${cell("shape", "shape", t("Weight"))}
    ${cell("parameters number", "parameters", t("Parameters"))} ${cell("number", "bytes", t("KB"))}
    <span aria-hidden="true"></span>
    <span class="number" role="columnheader">${t("Share %")}</span>
  </div>`;
}

function rowView({ place, layer, parameters, share, bar }: LayerRow, label: string): TemplateResult {
  return html`<div class="row item" role="row" title=${`${layer.name}\n${layer.op}, ${layer.tensor}`}>
    <span class="place number dim" role="cell">${whole(place + 1)}</span>
    <span class="name" role="cell" aria-label=${layer.name}>${labelView(label)}</span>
    <span class="op dim" role="cell">${layer.op}</span>
    <span class="shape dim cut" role="cell">${layer.shape.join(" × ")}</span>
    <span class="parameters number" role="cell">${whole(parameters)}</span>
    <span class="number" role="cell">${kilobytes(layer.bytes)}</span>
    <span class="bar" aria-hidden="true"><i .style=${`--to:${(100 * bar).toFixed(2)}%`}></i></span>
    <span class="number" role="cell">${shareDigits(share)}</span>
  </div>`;
}
