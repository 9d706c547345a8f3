import { html, type TemplateResult } from "lit";
import type { ReportView, Run } from "../../src/protocol/pages";
import { about, whole } from "../shared/format";
import { t } from "../shared/text";
import type { Page } from "./page";
import { cancelledView, emptyView, failedView, readyView } from "./states";
import { summaryView } from "./summary";
import { tableView } from "./table";

/** The page, by what there is to show. */
export function reportView(page: Page): TemplateResult {
  const { view } = page;
  switch (view.kind) {
    case "empty":
      return emptyView(view.trusted, page);
    case "ready":
      return readyView(view.inspection, view.bits, view.trusted, page);
    case "running":
      return html`${progressView(view, page)} ${summaryView(view.run, null, true, page)}
      ${rowsView(view.run, true, page)}`;
    case "finished":
      return html`${summaryView(view.run, view.report, false, page)} ${rowsView(view.run, false, page)}`;
    case "failed":
      return html`${failedView(view.problem, view.run, page)}
      ${view.run && anyDone(view.run) ? rowsView(view.run, false, page) : ""}`;
    case "cancelled":
      return html`${cancelledView(view.run, page)} ${anyDone(view.run) ? rowsView(view.run, false, page) : ""}`;
    default:
      return view satisfies never;
  }
}

const anyDone = (run: Run): boolean => run.rows.some(row => row.done);

function rowsView(run: Run, running: boolean, page: Page): TemplateResult | string {
  return run.rows.length === 0 ? "" : tableView(run, running, page);
}

type Running = Extract<ReportView, { kind: "running" }>;

function progressView(view: Running, page: Page): TemplateResult {
  const { rows } = view.run;
  const done = rows.filter(row => row.done).length;
  const part = rows.length === 0 ? 0 : done / rows.length;
  return html`<div class="progress">
    <vscode-progress-bar
      .ariaLabel=${t("Quantizing {0}", view.run.model)}
      .value=${Math.min(100, 100 * part)}
      ?indeterminate=${view.stage !== "fitting"}
    ></vscode-progress-bar>
    <div class="line">
      <p class="grow">
        <b>${stageInWords(view)}</b><br /><span class="small dim"
          >${view.secondsLeft === null ? " " : t("about {0} left", about(view.secondsLeft))}</span
        >
      </p>
      <vscode-button secondary @click=${() => page.command("cancel")}>${t("Cancel")}</vscode-button>
    </div>
  </div>`;
}

export function stageInWords({ stage, run }: Running): string {
  switch (stage) {
    case "reading":
      return t("Reading the model");
    case "choosing":
      return t("Trying each layer at every number of bits");
    case "fitting":
      return t("Layer {0} of {1}", whole(placeOf(run)), whole(run.rows.length));
    case "writing":
      return t("Writing the copy");
    case "checking":
      return t("Checking the copy");
    default:
      return stage satisfies never;
  }
}

/** The layer under way, counted from 1; between two layers the next. */
function placeOf({ rows, current }: Run): number {
  const done = rows.filter(row => row.done).length;
  return Math.min(rows.length, (current ?? done) + 1);
}

/** What a screen reader hears of a view; nothing where the page itself is read. */
export function spokenOf(view: ReportView): string {
  switch (view.kind) {
    case "running":
      return view.secondsLeft === null
        ? stageInWords(view)
        : `${stageInWords(view)}, ${t("about {0} left", about(view.secondsLeft))}`;
    case "finished":
      return t("Finished {0} layers of {1}", whole(view.report.layers.length), view.run.model);
    case "cancelled":
      return t("Stopped");
    case "empty":
    case "ready":
    case "failed":
      return "";
    default:
      return view satisfies never;
  }
}
