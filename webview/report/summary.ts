import { html, nothing, type TemplateResult } from "lit";
import type { Report } from "../../src/core/report/report";
import type { Run } from "../../src/protocol/pages";
import { decibels, errorPercent, milliseconds, NOTHING, sharePercent, size, times, whole } from "../shared/format";
import { icon } from "../shared/icons";
import { fileName } from "../shared/names";
import { rich } from "../shared/rich";
import { counted, t } from "../shared/text";
import { type Note, notesOf } from "./notes";
import type { Page } from "./page";
import { bytesAfterOf } from "./rows";
import { percentLength } from "./scales";
import { speedOf } from "./words";

/** The run in four numbers: size before and after, output error, agreement, runtime. */
export function summaryView(run: Run, report: Report | null, running: boolean, page: Page): TemplateResult {
  const before = report?.bytesBefore ?? run.bytesBefore;
  const after = report?.bytesAfter ?? bytesAfterOf(run);
  const output = report?.output ?? null;
  // Until the engine has read the model nothing is known of the copy.
  const known = report !== null || run.rows.length > 0;
  return html`<section class="summary" aria-label=${t("Totals")}>
    <div class="sizes">
      <div class="line title">
        <h2 class="cut grow" title=${output ?? run.path}>${output === null ? run.model : fileName(output)}</h2>
        ${
          output === null
            ? html`<span class="tiny dim">${running ? t("not written yet") : t("not written")}</span>`
            : html`<vscode-button class="low" @click=${() => page.command("saveCopyAs")}
                >${t("Save Copy As…")}</vscode-button
              >`
        }
      </div>
      <div class="line start">
        <p class="small dim grow">${subtitle(run, report)}</p>
        ${output === null ? nothing : fileTools(page)}
      </div>
      ${known ? sizesView(before, after, report === null) : nothing}
    </div>
    ${known ? statsView(report, running) : nothing} ${report ? notesView(notesOf(report), page) : nothing}
  </section>`;
}

function sizesView(before: number, after: number, predicted: boolean): TemplateResult {
  const kept = before > 0 ? after / before : 1;
  return html`
    <p class="line total">
      <span class="big">${size(after)}</span><span class="dim">${t("of {0}", size(before))}</span>
      <b class="grow number">${signedShare(kept - 1)}</b>
    </p>
    <div class="size-bar" aria-hidden="true">
      <i .style=${`--to:${percentLength(Math.min(1, kept))}`}></i><i></i>
    </div>
    <p class="tiny dim ends">
      <span>${t("kept")}</span
      ><span
        >${predicted ? t("{0} saved, predicted", size(before - after)) : t("{0} saved", size(before - after))}</span
      >
    </p>
  `;
}

function fileTools(page: Page): TemplateResult {
  const tool = (command: "openCopy" | "reveal", picture: "open" | "reveal", label: string): TemplateResult =>
    html`<button class="tool" title=${label} aria-label=${label} @click=${() => page.command(command)}>
      ${icon(picture)}
    </button>`;
  return html`<span class="line tools-small"
    >${tool("openCopy", "open", t("Open Copy"))}${tool("reveal", "reveal", t("Reveal Copy"))}</span
  >`;
}

function subtitle(run: Run, report: Report | null): string {
  const widths = new Set(run.rows.map(row => row.done?.bits ?? row.bits));
  const bits = widths.size > 1 ? t("mixed bits") : counted([...widths][0] ?? run.bits, "{0} bit", "{0} bits");
  const parts = [bits, run.method];
  if (report === null) return parts.join(", ");
  const formats = [...new Set(report.layers.map(layer => layer.format))];
  const { samples, heldOut, synthetic } = report.calibration;
  const data =
    samples === 0
      ? t("no data")
      : synthetic
        ? t("random inputs")
        : counted(samples, "{0} sample", "{0} samples", whole(samples)) +
          (heldOut > 0 ? t(", {0} held out", whole(heldOut)) : "");
  return `${[...parts, ...formats].join(", ")} · ${data}`;
}

function signedShare(share: number): string {
  const text = sharePercent(Math.abs(share));
  return share > 0 ? `+${text}` : share < 0 ? `−${text}` : text;
}

function statsView(report: Report | null, running: boolean): TemplateResult {
  const output = report?.outputs.reduce<Report["outputs"][number] | null>(
    (worst, one) => ((one.relativeError ?? -1) > (worst?.relativeError ?? -1) ? one : (worst ?? one)),
    null,
  );
  const agreement = report?.outputs.find(one => one.top1Agreement !== null) ?? null;
  const runtime = report?.runtime ?? null;
  const asRun = runtime?.asRunError ?? null;
  const [float, quantized] = [runtime?.msFloat ?? null, runtime?.msQuantized ?? null];
  const isTimed = runtime !== null && float !== null && quantized !== null;
  return html`<dl class="stats">
    ${stat(
      t("Output error"),
      errorPercent(output?.relativeError ?? null),
      report
        ? html`${output ? decibels(output.sqnrDb) : t("not measured")}${
            asRun === null
              ? nothing
              : html`<span
                  class="wide-only"
                  title=${t("In a default session, where onnxruntime may round activations too")}
                  >, ${t("as run {0}", errorPercent(asRun))}</span
                >`
          }`
        : running
          ? t("at the end")
          : "",
    )}
    ${stat(
      t("Same top class"),
      agreement ? sharePercent(agreement.top1Agreement ?? 0) : NOTHING,
      agreement ? agreementCount(agreement) : "",
    )}
    ${stat(t("Speed here"), isTimed ? speedText(runtime) : NOTHING, isTimed ? t("{0} → {1} ms", milliseconds(float), milliseconds(quantized)) : "")}
  </dl>`;
}

function stat(name: string, value: TemplateResult | string, below: TemplateResult | string): TemplateResult {
  return html`<div>
    <dt class="tiny dim">${name}</dt>
    <dd class="value">${value}</dd>
    <dd class="tiny dim">${below}</dd>
  </div>`;
}

/** Counts beside shares, where an output has a row a sample. */
function agreementCount({ top1Agreement, heldOut }: Report["outputs"][number]): string {
  const same = (top1Agreement ?? 0) * heldOut;
  if (heldOut === 0) return t("on fitted samples");
  return Math.abs(same - Math.round(same)) < 1e-6
    ? t("{0} of {1}", whole(same), whole(heldOut))
    : counted(heldOut, "{0} held-out sample", "{0} held-out samples", whole(heldOut));
}

function speedText(runtime: NonNullable<Report["runtime"]>): TemplateResult {
  const speed = speedOf(runtime);
  if (!speed) return html`${t("as before")}`;
  return speed.slower
    ? html`${icon("warning", "warn")} ${t("{0}× slower", times(speed.factor))}`
    : html`${icon("pass", "good")} ${t("{0}× faster", times(speed.factor))}`;
}

/** Two notes are read, five are not: from the third on they are folded, the loudest spoken out. */
function notesView(notes: readonly Note[], page: Page): TemplateResult {
  const shown = notes.length > 3 ? notes.slice(0, 1) : notes;
  const folded = notes.slice(shown.length);
  return html`<div class="notes">
    ${shown.map(one => noteView(one, page))}
    ${
      folded.length > 0
        ? html`<details class="more">
            <summary class="small">${counted(folded.length, "{0} more note", "{0} more notes")}</summary>
            ${folded.map(one => noteView(one, page))}
          </details>`
        : nothing
    }
  </div>`;
}

function noteView({ level, text, values, offers }: Note, page: Page): TemplateResult {
  return html`<div class="note ${level === "loud" ? "loud" : ""}">
    ${level === "info" ? icon("info", "dim") : icon("warning", "warn")}
    <p>
      ${rich(text, ...values)}
      ${
        offers === null
          ? nothing
          : html`<button class="link" @click=${() => page.command(offers === "data" ? "quantize" : "roundInstead")}>
              ${offers === "data" ? t("Add calibration data…") : t("Use plain rounding")}
            </button>`
      }
    </p>
  </div>`;
}
