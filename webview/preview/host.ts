import { detailOf, modelStates, reportStates } from "./states";
import { useTheme } from "./themes";

// Stands in for VS Code and the extension host: `report.html?state=finished&theme=dark` shows one invented state.

const query = new URLSearchParams(location.search);
const page = location.pathname.includes("model.html") ? "model" : "report";
const kept = sessionStorage.getItem(page);
let state: unknown = kept === null ? undefined : JSON.parse(kept);

function say(message: unknown): void {
  window.dispatchEvent(new MessageEvent("message", { data: structuredClone(message) }));
}

function show(name: string): void {
  const view = page === "report" ? reportStates[name] : modelStates[name];
  say({ type: "view", view, strings: {} });
}

/** What the page said, for who drives the preview. */
const said: unknown[] = [];

Object.assign(window, {
  said,
  show,
  acquireVsCodeApi: () => ({
    postMessage(message: { type: string; name?: string }) {
      said.push(message);
      if (message.type === "ready") show(query.get("state") ?? (page === "report" ? "finished" : "model"));
      else if (message.type === "detail")
        say({ type: "detail", name: message.name, detail: detailOf(message.name!) });
    },
    getState: () => state,
    setState(next: unknown) {
      state = next;
      sessionStorage.setItem(page, JSON.stringify(next));
    },
  }),
});
useTheme(query.get("theme") ?? "dark");
