import * as vscode from "vscode";
import type { LayerDetail } from "../core/report/detail";
import type { Inspection } from "../engine/inspect";
import type { ReportView } from "../protocol/pages";

/** What the Layer Report shows, kept here so that it survives the page: pages are hidden, moved and reloaded. */
export interface ReportStore {
  view(): ReportView;
  detail(name: string): LayerDetail | null;
  /** @param details of the layers done; where they are left out, those of before stay. */
  show(view: ReportView, details?: ReadonlyMap<string, LayerDetail>): void;
  /** Offers a model that was looked at, unless a run is shown. */
  offer(inspection: Inspection, bits: number): void;
  readonly onChange: vscode.Event<void>;
}

const KEY = "lastReport";
/** VS Code keeps its state in memory and writes it whole; details of a model with very many neurons are not worth that. */
const MAX_KEPT_CHARACTERS = 2_000_000;

interface Kept {
  readonly view: ReportView & { readonly kind: "finished" };
  readonly details: readonly LayerDetail[];
}

export function reportStore(memory: vscode.Memento): ReportStore {
  const changed = new vscode.EventEmitter<void>();
  const kept = memory.get<Kept>(KEY);
  let details: ReadonlyMap<string, LayerDetail> = new Map((kept?.details ?? []).map(one => [one.name, one]));
  let view: ReportView = kept?.view ?? emptyView();

  const keep = (finished: Kept["view"]): void => {
    const all: Kept = { view: finished, details: [...details.values()] };
    const small = JSON.stringify(all).length <= MAX_KEPT_CHARACTERS;
    void memory.update(KEY, small ? all : { view: finished, details: [] });
  };
  return {
    view: () => view,
    detail: name => details.get(name) ?? null,
    show(next, nextDetails) {
      view = next;
      if (nextDetails) details = nextDetails;
      if (next.kind === "finished") keep(next);
      changed.fire();
    },
    offer(inspection, bits) {
      if (view.kind !== "empty" && view.kind !== "ready") return;
      this.show({ kind: "ready", trusted: vscode.workspace.isTrusted, inspection, bits });
    },
    onChange: changed.event,
  };
}

function emptyView(): ReportView {
  return { kind: "empty", trusted: vscode.workspace.isTrusted };
}
