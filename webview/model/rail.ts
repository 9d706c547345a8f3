import { html, nothing, type TemplateResult } from "lit";
import type { ModelInput } from "../../src/core/calibration/inputs";
import type { Inspection } from "../../src/engine/inspect";
import { sharePercent, size, whole } from "../shared/format";
import { icon } from "../shared/icons";
import { type LeftAlone, reasonInWords, reasonsOf } from "../shared/skipped";
import { counted, t } from "../shared/text";
import type { Page } from "./page";

/** What stands beside the layers: sizes of copies, what is left alone and why, inputs and outputs. */
export function railView(inspection: Inspection, page: Page): TemplateResult {
  return html`<aside class="rail" aria-label=${t("About this model")}>
    ${inspection.layers.length === 0 ? nothing : copiesView(inspection)} ${leftView(inspection, page)}
    ${quantizedView(inspection)} ${operatorsView(inspection)} ${endsView(inspection)} ${versionsView(inspection)}
  </aside>`;
}

function copiesView({ bytes, bytesAtBits }: Inspection): TemplateResult {
  const copies = Object.entries(bytesAtBits)
    .map(([bits, copy]) => ({ bits: Number(bits), copy }))
    .sort((a, b) => b.bits - a.bits);
  const most = Math.max(bytes, ...copies.map(one => one.copy ?? 0));
  const line = (name: string, amount: number | null): TemplateResult =>
    html`<dt class="dim">${name}</dt>
      <dd class="bar" aria-hidden="true">
        ${amount === null ? nothing : html`<i .style=${`--to:${((100 * amount) / most).toFixed(2)}%`}></i>`}
      </dd>
      <dd class="number ${amount === null ? "dim" : ""}">
        ${amount === null ? t("not possible") : size(amount)}
      </dd>`;
  return html`<section>
    <h2>${t("A copy would weigh")}</h2>
    <dl class="copies">
      ${line(t("now"), bytes)} ${copies.map(({ bits, copy }) => line(counted(bits, "{0} bit", "{0} bits"), copy))}
    </dl>
  </section>`;
}

function leftView({ skipped, bytes }: Inspection, page: Page): TemplateResult | typeof nothing {
  if (skipped.length === 0) return nothing;
  const total = skipped.reduce((sum, one) => sum + one.bytes, 0);
  return html`<section>
    <h2 class="line">
      <span>${t("Left alone")} <span class="count">${whole(skipped.length)}</span></span>
      <span class="small dim grow number">${size(total)}, ${sharePercent(total / Math.max(1, bytes))}</span>
    </h2>
    <ul class="groups">
      ${reasonsOf(skipped).map(group => html`<li>${groupView(group, page)}</li>`)}
    </ul>
  </section>`;
}

/** So many tensors of a group are listed at first. */
const FIRST = 12;

function groupView({ reason, tensors, bytes }: LeftAlone, page: Page): TemplateResult {
  const { ui } = page;
  const words = reasonInWords(reason);
  const open = ui.open.includes(reason);
  const shown = ui.whole.includes(reason) ? tensors : tensors.slice(0, FIRST);
  const more = tensors.length - shown.length;
  // One sentence for all where it is the same for all; else each tensor has its own.
  const alike = new Set(tensors.map(one => one.detail)).size === 1;
  return html`<h3>
      <button
        class="plain group"
        aria-expanded=${open}
        @click=${() => page.change({ open: open ? ui.open.filter(one => one !== reason) : [...ui.open, reason] })}
      >
        ${icon(open ? "down" : "chevron", "dim")}
        <span class="grow">${words.title} <span class="count">${whole(tensors.length)}</span></span>
        <span class="number">${bytes === 0 ? "–" : size(bytes)}</span>
      </button>
    </h3>
    <p class="why dim">${alike ? tensors[0]!.detail : words.sentence}</p>
    ${
      open
        ? html`<ul class="tensors">
            ${shown.map(
              one =>
                html`<li title=${one.tensor}>
                  <span class="tail grow"><bdi>${one.tensor}</bdi></span>
                  <span class="number dim">${one.bytes === 0 ? "–" : size(one.bytes)}</span>
                  ${alike ? nothing : html`<p class="dim">${one.detail}</p>`}
                </li>`,
            )}
            ${
              more > 0
                ? html`<li>
                    <button class="link" @click=${() => page.change({ whole: [...ui.whole, reason] })}>
                      ${t("{0} more", whole(more))}
                    </button>
                  </li>`
                : nothing
            }
          </ul>`
        : nothing
    }`;
}

function endsView({ inputs, outputs }: Inspection): TemplateResult {
  const dims = [...inputs, ...outputs].flatMap(one => one.dims ?? []);
  const free = [...new Set(dims.filter(dim => typeof dim === "string").filter(dim => dimText(dim) !== "?"))];
  const line = (kind: string, end: ModelInput): TemplateResult =>
    html`<dt class="dim">${kind}</dt>
      <dd>
        <b>${end.name}</b>
        <span class="code">${end.type}${end.dims ? ` [${end.dims.map(dimText).join(", ")}]` : ""}</span>
      </dd>`;
  return html`<section>
    <h2>${t("Inputs and outputs")}</h2>
    <dl class="pairs">${inputs.map(end => line(t("in"), end))} ${outputs.map(end => line(t("out"), end))}</dl>
    ${
      free.length > 0
        ? html`<p class="small dim">
            ${
              free.length === 1
                ? t("{0} is free: any size.", free[0]!)
                : t("Free, of any size: {0}.", free.join(", "))
            }
          </p>`
        : nothing
    }
  </section>`;
}

/** Free dimensions without a name come numbered, `?0`; to people they are all the same. */
function dimText(dim: number | string): string {
  return String(dim).replace(/^\?\d+$/, "?");
}

/** The opset of ONNX itself stands in the head of the page. */
function versionsView({ opsets }: Inspection): TemplateResult | typeof nothing {
  if (Object.keys(opsets).length < 2) return nothing;
  return html`<section>
    <h2>${t("Versions")}</h2>
    <dl class="pairs">
      ${Object.entries(opsets).map(
        ([domain, version]) =>
          html`<dt class="dim">${domain}</dt>
            <dd>${t("opset {0}", version)}</dd>`,
      )}
    </dl>
  </section>`;
}

/** That a model is quantized already is told before anybody tries to quantize it again. */
function quantizedView({ quantizedBy }: Inspection): TemplateResult | typeof nothing {
  const operators = Object.entries(quantizedBy);
  if (operators.length === 0) return nothing;
  return html`<section>
    <h2>${t("Quantized already")}</h2>
    ${pairs(operators.map(([op, count]) => [op, counted(count, "{0} node", "{0} nodes", whole(count))]))}
  </section>`;
}

/** So many operators are listed; the others store next to nothing. */
const MOST_OPERATORS = 6;

function operatorsView({ bytesByOperator, duplicates }: Inspection): TemplateResult | typeof nothing {
  const operators = Object.entries(bytesByOperator).slice(0, MOST_OPERATORS);
  if (operators.length === 0) return nothing;
  const repeated = duplicates.reduce((sum, one) => sum + one.bytes, 0);
  const names = duplicates.map(one => one.tensors.join(" = ")).join("\n");
  return html`<section>
    <h2>${t("Stored for")}</h2>
    ${pairs(operators.map(([op, bytes]) => [op, size(bytes)]))}
    ${
      repeated === 0
        ? nothing
        : html`<p class="small dim" title=${names}>${t("{0} of it stored more than once", size(repeated))}</p>`
    }
  </section>`;
}

function pairs(rows: readonly (readonly [name: string, value: string])[]): TemplateResult {
  return html`<dl class="pairs">
    ${rows.map(
      ([name, value]) =>
        html`<dt class="dim">${name}</dt>
          <dd class="number">${value}</dd>`,
    )}
  </dl>`;
}
