// The conversation between the extension host and its pages, both ways. The host sends whole views: a page that was hidden,
// moved or reloaded asks with `ready` and shows what it is sent. What comes from a page is checked by the host before use.
//
// A page is dist/webview/<report|model>.js as a module at the end of an empty body, and <report|model>.css where the bundle
// has one. Its policy allows that script by nonce, sheets and pictures of the extension, and neither inline styles nor data:.

import type { LayerDetail } from "../core/report/detail";
import type { LayerReport, Report } from "../core/report/report";
import type { Inspection } from "../engine/inspect";
import type { PlannedLayer } from "./contract";

/** What the Layer Report shows. */
export type ReportView =
  /** No model has been looked at. */
  | { readonly kind: "empty"; readonly trusted: boolean }
  /** A model was looked at, nothing was run. */
  | { readonly kind: "ready"; readonly trusted: boolean; readonly inspection: Inspection; readonly bits: number }
  | {
      readonly kind: "running";
      readonly run: Run;
      readonly stage: "reading" | "choosing" | "fitting" | "writing" | "checking";
      readonly secondsLeft: number | null;
    }
  | { readonly kind: "finished"; readonly run: Run; readonly report: Report }
  | { readonly kind: "failed"; readonly run: Run | null; readonly problem: Problem }
  | { readonly kind: "cancelled"; readonly run: Run };

/** A run, as far as it has come. */
export interface Run {
  /** File name of the model, for the title; `path` is its whole path. */
  readonly model: string;
  readonly path: string;
  readonly bits: number;
  readonly method: string;
  readonly bytesBefore: number;
  readonly rows: readonly RunRow[];
  /** Place of the layer under way; null before the first and after the last. */
  readonly current: number | null;
}

export interface RunRow extends PlannedLayer {
  /** Null until the layer is done. */
  readonly done: LayerReport | null;
}

/** Bad news in words: what happened, what to do next, and for a bug that the log holds more. */
export interface Problem {
  readonly code: string;
  readonly happened: string;
  readonly next: string;
}

/** What the model editor shows. */
export type ModelView =
  | { readonly kind: "loading"; readonly name: string }
  | { readonly kind: "model"; readonly name: string; readonly trusted: boolean; readonly inspection: Inspection }
  | { readonly kind: "failed"; readonly name: string; readonly problem: Problem };

/** The host to the Layer Report. */
export type ToReport =
  | { readonly type: "view"; readonly view: ReportView; readonly strings: Strings }
  /** Answer to `detail`; null where the layer is not done. */
  | { readonly type: "detail"; readonly name: string; readonly detail: LayerDetail | null };

/** The host to the model editor. */
export type ToModel = { readonly type: "view"; readonly view: ModelView; readonly strings: Strings };

/** Translated texts of a page by their English ones; what is missing stays English. */
export type Strings = Readonly<Record<string, string>>;

/** The Layer Report to the host. */
export type FromReport =
  | { readonly type: "ready" }
  | { readonly type: "detail"; readonly name: string }
  | {
      readonly type: "command";
      readonly command:
        | "openModel"
        | "trySample"
        | "quantize"
        | "roundInstead"
        | "cancel"
        | "saveCopyAs"
        | "reveal"
        | "openCopy"
        | "showLog"
        | "manageTrust"
        | "showModel";
    };

/** The model editor to the host. */
export type FromModel =
  | { readonly type: "ready" }
  | { readonly type: "command"; readonly command: "quantize" | "showLog" | "manageTrust" | "openAsText" };
