import type { LayerDetail } from "../../src/core/report/detail";
import type { FromReport, ReportView } from "../../src/protocol/pages";
import type { Sort } from "./rows";

/** What of the page outlives its being hidden, moved or reloaded. */
export interface UiState {
  /** Names of the rows that are open. */
  readonly open: readonly string[];
  /** Null until chosen: order of the model while a run is under way, then worst first. */
  readonly sort: Sort | null;
  readonly logarithmic: boolean;
  readonly filter: string;
  readonly scroll: number;
}

export const FIRST_STATE: UiState = { open: [], sort: null, logarithmic: false, filter: "", scroll: 0 };

export type Command = Extract<FromReport, { type: "command" }>["command"];

/** Everything the page is drawn from, and what it can ask for. */
export interface Page {
  readonly view: ReportView;
  readonly ui: UiState;
  readonly sortMenuOpen: boolean;
  /** Row that Tab reaches; null for the first. */
  readonly current: string | null;
  /** What an open row shows; undefined while asked for, null where the host has none. */
  detail(name: string): LayerDetail | null | undefined;
  command(command: Command): void;
  change(change: Partial<UiState>): void;
  openSortMenu(open: boolean): void;
  setCurrent(name: string): void;
  setOpen(name: string, open: boolean): void;
}
