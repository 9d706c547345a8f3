import { html, nothing, type TemplateResult } from "lit";
import type { LayerDetail } from "../../src/core/report/detail";
import type { LayerReport } from "../../src/core/report/report";
import { counted, t } from "../shared/text";
import { whole } from "../shared/format";
import { fittedView } from "./fitted";
import { histogramView } from "./histogram";
import { neuronsView } from "./neurons";
import type { Page } from "./page";
import { methodFigures, methodInWords, shapeInWords } from "./words";

/** What a row opens to. */
export function detailView(layer: LayerReport, detail: LayerDetail | null | undefined, page: Page): TemplateResult {
  return html`<div
    class="detail"
    role="row"
    aria-level="2"
    data-name=${layer.name}
    tabindex="-1"
    @focus=${() => page.setCurrent(layer.name)}
  >
    <div class="parts" role="gridcell">
      <h2 class="unseen">${t("Details of {0}", layer.name)}</h2>
      <p class="what dim">
        <span class="code">${layer.op}</span> · ${shapeInWords(layer)} · ${layer.tensor} ·
        ${t("{0}, {1}", layer.alphabet, layer.format)}
      </p>
      ${chartsView(layer, detail)}
      <div class="how">
        <h3>${t("What the method did")}</h3>
        <p>${methodInWords(layer)}</p>
        <dl>
          ${methodFigures(layer).map(
            ([name, value]) =>
              html`<div>
                <dt>${name}</dt>
                <dd>${value}</dd>
              </div>`,
          )}
        </dl>
      </div>
    </div>
  </div>`;
}

function chartsView(layer: LayerReport, detail: LayerDetail | null | undefined): TemplateResult {
  const fitted = html`<div class="fitted">${fittedView(layer)}</div>`;
  if (detail === undefined)
    return html`<p class="dim">${t("Reading the weights…")}</p>
      ${fitted}`;
  if (detail === null) {
    return html`<p class="dim">${t("The weights of this run are no longer at hand. Run it again to see them.")}</p>
      ${fitted}`;
  }
  return html`<div class="weights">
      <h3>
        ${t("Weights")}
        <span>${t("on their grids")} · ${counted(detail.histogram.levels, "{0} level", "{0} levels")}</span>
      </h3>
      ${histogramView(detail.histogram)}
    </div>
    ${
      detail.neuronErrors
        ? html`<div class="neurons">
            <h3>
              ${t("Error by neuron")}<span
                >, % ·
                ${counted(detail.neuronErrors.length, "{0} neuron", "{0} neurons, largest first", whole(detail.neuronErrors.length))}</span
              >
            </h3>
            ${neuronsView(detail.neuronErrors)}
          </div>`
        : nothing
    }
    ${fitted}`;
}
