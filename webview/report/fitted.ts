import { html, nothing, svg, type TemplateResult } from "lit";
import type { LayerReport } from "../../src/core/report/report";
import { errorPercent } from "../shared/format";
import { t } from "../shared/text";
import { percentLength, roundUp, ticks } from "./scales";
import { generalization } from "./words";

/** The error on the samples a layer was fitted to, beside that on samples it has not seen. */
export function fittedView(layer: LayerReport): TemplateResult {
  const { layerError: fitted, layerErrorHeldOut: heldOut } = layer;
  return html`<h3>${t("Fitted or held out")}<span>, ${t("error %")}</span></h3>
    ${fitted !== null && heldOut !== null ? chart(fitted, heldOut) : nothing}
    <p>${generalization(layer)}</p>`;
}

function chart(fitted: number, heldOut: number): TemplateResult {
  const end = roundUp(100 * Math.max(fitted, heldOut) || 1);
  // Inset, so that a dot at either end is whole.
  const x = (percent: number): string => percentLength(0.02 + 0.96 * Math.min(1, percent / end));
  const marks = ticks(end);
  const label = t(
    "Error on fitted samples {0}, on held-out samples {1}",
    errorPercent(fitted),
    errorPercent(heldOut),
  );
  return html`<p class="key">
      <span><i class="dot hollow" aria-hidden="true"></i>${t("fitted {0}", errorPercent(fitted))}</span>
      <span><i class="dot" aria-hidden="true"></i>${t("held out {0}", errorPercent(heldOut))}</span>
    </p>
    <svg class="chart" width="100%" height="28" role="img" aria-label=${label}>
      <line class="axis" x1=${x(0)} x2=${x(end)} y1="8" y2="8"></line>
      ${marks.map(
        mark =>
          svg`<line class="axis" x1=${x(mark)} x2=${x(mark)} y1="6" y2="10"></line><text x=${x(mark)} y="25" text-anchor=${anchor(mark, end)}>${+mark.toPrecision(3)}</text>`,
      )}
      <line class="span" x1=${x(100 * fitted)} x2=${x(100 * heldOut)} y1="8" y2="8"></line>
      <circle class="hollow" cx=${x(100 * fitted)} cy="8" r="4"></circle>
      <circle class="solid" cx=${x(100 * heldOut)} cy="8" r="4"></circle>
    </svg>`;
}

function anchor(mark: number, end: number): string {
  if (mark === 0) return "start";
  return mark > 0.95 * end ? "end" : "middle";
}
