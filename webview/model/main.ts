import "@vscode-elements/elements/dist/vscode-button/index.js";
import "@vscode-elements/elements/dist/vscode-textfield/index.js";
import { html, render } from "lit";
import type { FromModel, ModelView, ToModel } from "../../src/protocol/pages";
import { setLocale } from "../shared/format";
import { connectHost, onceAFrame, onScrolled } from "../shared/host";
import { sharedStyles, useStyles } from "../shared/styles";
import { setStrings } from "../shared/text";
import { FIRST_STATE, type UiState } from "./page";
import { modelStyles } from "./styles";
import { modelView } from "./view";

const host = connectHost<FromModel, UiState>(received => {
  const message = received as ToModel;
  setStrings(message.strings);
  view = message.view;
  draw();
});
let ui: UiState = { ...FIRST_STATE, ...host.saved() };
let view: ModelView | null = null;
let scrolled = false;

useStyles(sharedStyles, modelStyles);
setLocale(document.documentElement.lang);
const main = document.createElement("main");
document.body.append(main);

const draw = onceAFrame(() => {
  if (!view) return;
  const page = {
    view,
    ui,
    command: (command: Extract<FromModel, { type: "command" }>["command"]) =>
      host.post({ type: "command", command }),
    change,
  };
  render(html`${modelView(page)}`, main);
  if (!scrolled && view.kind === "model") {
    scrolled = true;
    window.scrollTo(0, ui.scroll);
  }
});

function change(part: Partial<UiState>): void {
  ui = { ...ui, ...part };
  host.save(ui);
  draw();
}

onScrolled(scroll => {
  ui = { ...ui, scroll };
  host.save(ui);
});

window.addEventListener("keydown", event => {
  if (event.key.toLowerCase() !== "f" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey)
    return;
  const filter = main.querySelector<HTMLElement>("vscode-textfield.filter");
  if (!filter) return;
  event.preventDefault();
  filter.focus();
});

host.post({ type: "ready" });
