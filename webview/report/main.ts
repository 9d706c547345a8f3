import "@vscode-elements/elements/dist/vscode-button/index.js";
import "@vscode-elements/elements/dist/vscode-progress-bar/index.js";
import "@vscode-elements/elements/dist/vscode-textfield/index.js";
import { html, render } from "lit";
import type { LayerDetail } from "../../src/core/report/detail";
import type { FromReport, ReportView, RunRow, ToReport } from "../../src/protocol/pages";
import { setLocale } from "../shared/format";
import { connectHost, onceAFrame, onScrolled } from "../shared/host";
import { focusMenu } from "../shared/menu";
import { sharedStyles, useStyles } from "../shared/styles";
import { setStrings, t } from "../shared/text";
import { announcer } from "./announce";
import { FIRST_STATE, type Page, type UiState } from "./page";
import { detailStyles } from "./detailStyles";
import { reportStyles } from "./styles";
import { reportView, spokenOf } from "./view";

const host = connectHost<FromReport, UiState>(message => receive(message as ToReport));
let ui: UiState = { ...FIRST_STATE, ...host.saved() };
let view: ReportView | null = null;
let sortMenuOpen = false;
let current: string | null = null;
let scrolled = false;

/** Details by the name of their layer, each with the seconds its fit took: another run of it took others. */
const details = new Map<string, { readonly of: number; detail: LayerDetail | null | undefined }>();

useStyles(sharedStyles, detailStyles, reportStyles);
setLocale(document.documentElement.lang);
const main = document.createElement("main");
const live = document.createElement("div");
live.className = "unseen";
live.setAttribute("aria-live", "polite");
document.body.append(main, live);
const announce = announcer(
  words => (live.textContent = words),
  () => Date.now(),
  (ms, run) => setTimeout(run, ms),
);

const draw = onceAFrame(() => {
  if (!view) return;
  render(
    html`<h1 class="unseen">${t("Layer Report")}</h1>
      ${reportView(pageOf(view))}`,
    main,
  );
  if (!scrolled) {
    scrolled = true;
    window.scrollTo(0, ui.scroll);
  }
});

function receive(message: ToReport): void {
  if (message.type === "detail") {
    const asked = details.get(message.name);
    if (asked) asked.detail = message.detail;
  } else {
    setStrings(message.strings);
    view = message.view;
    const words = spokenOf(view);
    if (words !== "") announce(words);
  }
  draw();
}

function pageOf(shown: ReportView): Page {
  return {
    view: shown,
    ui,
    sortMenuOpen,
    current,
    detail,
    command: command => host.post({ type: "command", command }),
    change,
    openSortMenu(open) {
      sortMenuOpen = open;
      draw();
      if (open) requestAnimationFrame(() => focusMenu(main));
    },
    setCurrent(name) {
      if (current === name) return;
      current = name;
      draw();
    },
    setOpen(name, open) {
      current = name;
      change({ open: open ? [...ui.open, name] : ui.open.filter(one => one !== name) });
    },
  };
}

function change(part: Partial<UiState>): void {
  ui = { ...ui, ...part };
  host.save(ui);
  draw();
}

/** What is known of an open row, asking the host for it the first time. */
function detail(name: string): LayerDetail | null | undefined {
  const done = rowsOf(view).find(row => row.name === name)?.done;
  if (!done) return null;
  const known = details.get(name);
  if (known?.of === done.seconds) return known.detail;
  details.set(name, { of: done.seconds, detail: undefined });
  host.post({ type: "detail", name });
  return undefined;
}

function rowsOf(shown: ReportView | null): readonly RunRow[] {
  return (shown && "run" in shown ? shown.run?.rows : undefined) ?? [];
}

window.addEventListener("keydown", event => {
  if (event.key.toLowerCase() !== "f" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey)
    return;
  const filter = main.querySelector<HTMLElement>("vscode-textfield.filter");
  if (!filter) return;
  event.preventDefault();
  filter.focus();
});

onScrolled(scroll => {
  ui = { ...ui, scroll };
  host.save(ui);
});

host.post({ type: "ready" });
