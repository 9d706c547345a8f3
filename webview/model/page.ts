import type { FromModel, ModelView } from "../../src/protocol/pages";
import type { LayerSort } from "./layers";

/** What of the page outlives its being hidden or reloaded. */
export interface UiState {
  readonly sort: LayerSort;
  readonly filter: string;
  /** Reasons whose tensors are listed, and those listed to the last. */
  readonly open: readonly string[];
  readonly whole: readonly string[];
  readonly scroll: number;
}

export const FIRST_STATE: UiState = {
  sort: { by: "bytes", down: true },
  filter: "",
  open: [],
  whole: [],
  scroll: 0,
};

export type Command = Extract<FromModel, { type: "command" }>["command"];

export interface Page {
  readonly view: ModelView;
  readonly ui: UiState;
  command(command: Command): void;
  change(change: Partial<UiState>): void;
}
