import { html, nothing, type TemplateResult } from "lit";
import type { Inspection } from "../../src/engine/inspect";
import { sharePercent, shortCount, size, whole } from "../shared/format";
import { icon } from "../shared/icons";
import { problemView } from "../shared/problem";
import { titleOf } from "../shared/titles";
import { counted, t } from "../shared/text";
import { layerTable } from "./table";
import type { Page } from "./page";
import { railView } from "./rail";

/** The page, by what there is to show. */
export function modelView(page: Page): TemplateResult {
  const { view } = page;
  switch (view.kind) {
    case "loading":
      return html`<div class="top">
        <h1>${view.name}</h1>
        <p class="dim line">${icon("working", "spin")} ${t("Reading…")}</p>
      </div>`;
    case "failed":
      return html`<h1 class="unseen">${view.name}</h1>
        <div role="alert">
          ${problemView(
            "error",
            "bad",
            titleOf(view.problem),
            [view.problem.happened, view.problem.next],
            html`<vscode-button secondary @click=${() => page.command("openAsText")}
                >${t("Open as Text")}</vscode-button
              ><vscode-button secondary @click=${() => page.command("showLog")}>${t("Show Log")}</vscode-button>`,
          )}
        </div>`;
    case "model":
      return html`${topView(view.name, view.inspection, view.trusted, page)}
        <div class="split">
          ${
            view.inspection.layers.length === 0
              ? html`<p class="none dim">
                  ${t("No layer of this model can be quantized; the list of what is left alone says why.")}
                </p>`
              : layerTable(view.inspection, page)
          }
          ${railView(view.inspection, page)}
        </div>`;
    default:
      return view satisfies never;
  }
}

function topView(name: string, inspection: Inspection, trusted: boolean, page: Page): TemplateResult {
  return html`<header class="top">
    <div class="heading">
      <h1 class="cut" title=${inspection.model}>${name}</h1>
      <p class="dim">${standing(inspection)}</p>
    </div>
    ${inspection.layers.length === 0 ? nothing : quantizeView(trusted, page)}
    <dl class="facts">
      ${fact(t("File"), size(inspection.bytes))}
      ${fact(t("Parameters"), shortCount(inspection.parameters), whole(inspection.parameters))}
      ${fact(t("Layers to quantize"), whole(inspection.layers.length))} ${fact(t("Nodes"), whole(inspection.nodes))}
      ${fact(t("Opset"), whole(inspection.opsets["ai.onnx"] ?? 0))}
      ${fact(t("IR version"), whole(inspection.irVersion))}
      ${inspection.producer === "" ? nothing : fact(t("Made by"), inspection.producer)}
    </dl>
  </header>`;
}

function quantizeView(trusted: boolean, page: Page): TemplateResult {
  if (trusted) {
    return html`<div class="act">
      <vscode-button @click=${() => page.command("quantize")}>${t("Quantize…")}</vscode-button>
    </div>`;
  }
  return html`<div class="act restricted">
    <p class="small">
      ${t("This workspace is not trusted. You can look at models; running one is off until you trust it.")}
    </p>
    <vscode-button secondary @click=${() => page.command("manageTrust")}>${t("Manage Trust")}</vscode-button>
  </div>`;
}

function standing({ layers, skipped, bytes }: Inspection): string {
  const already = skipped.filter(one => one.reason === "already-quantized").length;
  const before =
    already === 0
      ? t("Nothing is quantized yet.")
      : counted(already, "{0} tensor is quantized already.", "{0} tensors are quantized already.", whole(already));
  if (layers.length === 0) return before;
  const share = sharePercent(layers.reduce((sum, layer) => sum + layer.bytes, 0) / Math.max(1, bytes));
  const rest =
    layers.length === 1
      ? t("1 layer can be; it holds {0} of the file.", share)
      : t("{0} layers can be; they hold {1} of the file.", whole(layers.length), share);
  return `${before} ${rest}`;
}

function fact(name: string, value: string, title = ""): TemplateResult {
  return html`<div>
    <dt class="tiny dim">${name}</dt>
    <dd title=${title || nothing}>${value}</dd>
  </div>`;
}
