import type * as vscode from "vscode";
import type { Inspection } from "../engine/inspect";
import type { ReportStore } from "./reportStore";

/** What the parts of the extension share. */
export interface Services {
  readonly context: vscode.ExtensionContext;
  readonly log: vscode.LogOutputChannel;
  readonly store: ReportStore;
  readonly look: Looker;
  /** One run at a time: two would halve each other's cores and double the memory. */
  readonly run: { current: { cancel(): void } | undefined };
}

/** Looks at models without running them. */
export interface Looker {
  /** @throws {Failure} for a file that is no model. */
  inspect(path: string): Promise<Inspection>;
  dispose(): void;
}
