import type { Report } from "../../src/core/report/report";
import { t } from "../shared/text";
import { speedOf } from "./words";

/** A sentence above the table. The loudest comes first. */
export interface Note {
  readonly level: "loud" | "warning" | "info";
  /** English with ** and {0}, as `rich` takes it. */
  readonly text: string;
  readonly values: readonly (string | number)[];
  /** Offers what helps: calibration data, asked for when quantizing again. */
  readonly offersData: boolean;
}

const note = (level: Note["level"], text: string, ...values: readonly (string | number)[]): Note => ({
  level,
  text,
  values,
  offersData: level === "loud",
});

/** How the engine begins the warning that the page says louder itself. */
const MADE_UP = "Measured on made-up inputs";

/** What has to be said of a finished run, each once. */
export function notesOf(report: Report): readonly Note[] {
  const notes: Note[] = [];
  const { runtime } = report;
  if (report.calibration.synthetic) {
    notes.push(
      note(
        "loud",
        "**Measured on random inputs.** These errors rank layers at best; on your data they can be several times larger.",
      ),
    );
  }
  for (const warning of report.warnings) {
    if (!(report.calibration.synthetic && warning.startsWith(MADE_UP))) notes.push(note("warning", "{0}", warning));
  }
  if (runtime && speedOf(runtime)?.slower) {
    const conv = report.layers.some(layer => layer.op === "Conv" && layer.format === "qdq");
    notes.push(
      conv
        ? note("warning", "Slower than the float model here: onnxruntime unpacks Conv weights at every run.")
        : note("warning", "Slower than the float model here."),
    );
  }
  if (runtime)
    notes.push(
      note("info", "Runs on onnxruntime {0} or newer ({1}).", runtime.leastOnnxruntime, why(report, runtime)),
    );
  if (runtime && runtime.leastCorrectOnnxruntime !== runtime.leastOnnxruntime) {
    notes.push(
      note("warning", "Versions before {0} load it and compute wrong values.", runtime.leastCorrectOnnxruntime),
    );
  }
  return notes;
}

function why(report: Report, runtime: NonNullable<Report["runtime"]>): string {
  const narrow = report.layers.find(layer => layer.format === "qdq" && layer.bits < 8);
  const opset = t("opset {0}", runtime.opset);
  return narrow ? `${t("{0}-bit weights", narrow.bits)}, ${opset}` : opset;
}
