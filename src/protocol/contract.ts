// The whole conversation between the extension host and its engine process. Add a message here first; the compiler then
// names every file that must change.

import type { LayerDetail } from "../core/report/detail";
import type { LayerReport, Report } from "../core/report/report";
import type { Inspection } from "../engine/inspect";
import type { QuantizeJob } from "../engine/quantize";

/** A side's half of a conversation: what it can be asked, and what it says unasked. */
export interface Contract {
  requests: Record<string, { params: unknown; result: unknown }>;
  events: Record<string, unknown>;
}

/** The engine answers these, and says how far it is. One job at a time; to cancel, end the process. */
export interface EngineContract extends Contract {
  requests: {
    inspect: { params: { path: string }; result: Inspection };
    quantize: { params: QuantizeJob; result: Report };
  };
  events: {
    plan: { layers: readonly PlannedLayer[] };
    stage: { stage: "reading" | "choosing" | "writing" | "checking" };
    layerStart: { name: string };
    layer: { layer: LayerReport; detail: LayerDetail };
    log: { level: "info" | "warn" | "error"; text: string };
  };
}

export interface PlannedLayer {
  readonly name: string;
  readonly bits: number;
  readonly bytesBefore: number;
  /** Predicted; `affine` may turn out a little smaller. */
  readonly bytesAfter: number;
}

/** The host asks and listens; it is asked nothing. */
export interface HostContract extends Contract {
  requests: Record<string, never>;
  events: Record<string, never>;
}
