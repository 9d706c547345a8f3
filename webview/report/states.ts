import { html, type TemplateResult } from "lit";
import type { Inspection } from "../../src/engine/inspect";
import type { Problem, Run } from "../../src/protocol/pages";
import { size, whole } from "../shared/format";
import { icon } from "../shared/icons";
import { fileName } from "../shared/names";
import { problemView } from "../shared/problem";
import { rich } from "../shared/rich";
import { reasonInWords, reasonsOf } from "../shared/skipped";
import { titleOf } from "../shared/titles";
import { counted, t } from "../shared/text";
import type { Command, Page } from "./page";

function button(page: Page, command: Command, label: string, primary = true): TemplateResult {
  return html`<vscode-button ?secondary=${!primary} @click=${() => page.command(command)}>${label}</vscode-button>`;
}

export function emptyView(trusted: boolean, page: Page): TemplateResult {
  if (!trusted) return restrictedView(page);
  return html`<div class="state">
    <p>
      ${rich("Open an ONNX model to see its layers, or right-click one in the Explorer and choose **Quantize…**")}
    </p>
    ${button(page, "openModel", t("Open Model…"))}
    <p>${t("No model at hand? A small trained one ships with Whittle.")}</p>
    ${button(page, "trySample", t("Try the Sample"), false)}
    <p class="small dim">${t("Weights stay on this machine. No Python needed.")}</p>
  </div>`;
}

function restrictedView(page: Page): TemplateResult {
  return html`<div class="state">
    <p class="line start">
      ${icon("lock")}<span
        >${t("This workspace is not trusted. You can look at models; running one is off until you trust it.")}</span
      >
    </p>
    ${button(page, "manageTrust", t("Manage Trust"))} ${button(page, "openModel", t("Open Model…"), false)}
  </div>`;
}

export function readyView(inspection: Inspection, bits: number, trusted: boolean, page: Page): TemplateResult {
  const model = fileName(inspection.model);
  const count = inspection.layers.length;
  if (count === 0) return nothingToQuantize(inspection, page);
  const bytes = inspection.bytesAtBits[bits];
  const has =
    count === 1
      ? rich("**{0}** has 1 layer, {1}.", model, size(inspection.bytes))
      : rich("**{0}** has {1} layers, {2}.", model, whole(count), size(inspection.bytes));
  const would =
    bytes === null || bytes === undefined
      ? ""
      : bits === 1
        ? t("At 1 bit a copy would weigh {0}.", size(bytes))
        : t("At {0} bits a copy would weigh {1}.", bits, size(bytes));
  if (!trusted)
    return html`<p class="lone">${has} ${would}</p>
      ${restrictedView(page)}`;
  return html`<div class="state">
    <p>${has} ${would}</p>
    ${button(page, "quantize", t("Quantize…"))}
    <p class="small dim">${t("The report fills in layer by layer. Your file is never changed.")}</p>
  </div>`;
}

/** A sentence with more reasons than this is a list. */
const MOST_REASONS = 3;

function nothingToQuantize({ model, skipped }: Inspection, page: Page): TemplateResult {
  const name = fileName(model);
  const reasons = reasonsOf(skipped);
  const why = reasons
    .slice(0, MOST_REASONS)
    .map(({ reason, tensors }) => `${whole(tensors.length)} ${reasonInWords(reason).short}`);
  const rest = reasons.slice(MOST_REASONS).reduce((sum, { tensors }) => sum + tensors.length, 0);
  if (rest > 0) why.push(t("{0} for other reasons", whole(rest)));
  return html`<div class="state">
    <p>
      ${
        skipped.length === 0
          ? rich("**{0}** stores no tensor that could be quantized.", name)
          : rich(
              "None of the {0} tensors in **{1}** can be quantized: {2}.",
              whole(skipped.length),
              name,
              new Intl.ListFormat("en").format(why),
            )
      }
    </p>
    ${button(page, "showModel", t("Show Why"), false)}
  </div>`;
}

export function failedView(problem: Problem, run: Run | null, page: Page): TemplateResult {
  const done = run?.rows.filter(row => row.done).length ?? 0;
  const kept = counted(done, "The layer before it is kept.", "The {0} layers before it are kept.", whole(done));
  const file = done > 0 ? `${kept} ${t("No file was written.")}` : t("No file was written.");
  return html`<div role="alert">
    ${problemView(
      "error",
      "bad",
      titleOf(problem),
      [problem.happened, problem.next, html`<span class="small dim">${file}</span>`],
      html`${button(page, "quantize", t("Quantize…"))}${button(page, "showLog", t("Show Log"), false)}`,
    )}
  </div>`;
}

export function cancelledView(run: Run, page: Page): TemplateResult {
  const done = run.rows.filter(row => row.done).length;
  return problemView(
    "stopped",
    "dim",
    t("Stopped after {0} of {1} layers", whole(done), whole(run.rows.length)),
    [
      done > 0
        ? t("Their results are kept until you close the window. No file was written.")
        : t("No file was written."),
    ],
    button(page, "quantize", t("Quantize…")),
  );
}
