import type { Report } from "../../src/core/report/report";
import { errorPercent, oneDecimal, size } from "../shared/format";
import { t } from "../shared/text";
import { speedOf } from "./words";

/** A sentence above the table. The loudest comes first. */
export interface Note {
  readonly level: "loud" | "warning" | "info";
  /** English with ** and {0}, as `rich` takes it. */
  readonly text: string;
  readonly values: readonly (string | number)[];
  /** What would help: calibration data, asked for when quantizing again, or plain rounding. */
  readonly offers: "data" | "rounding" | null;
}

const note = (level: Note["level"], text: string, ...values: readonly (string | number)[]): Note => ({
  level,
  text,
  values,
  offers: level === "loud" ? "data" : null,
});

/** Of warnings of the engine that the page says itself, and offers what helps. */
const SAID_HERE = [/^Measured on made-up inputs/, /farther from the float model than plain rounding/];

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
    if (!SAID_HERE.some(pattern => pattern.test(warning))) notes.push(note("warning", "{0}", warning));
  }
  notes.push(...roundingNotes(report), ...budgetNotes(report));
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
  if (runtime) notes.push(...memoryNotes(report, runtime));
  if (runtime && runtime.leastCorrectOnnxruntime !== runtime.leastOnnxruntime) {
    notes.push(
      note("warning", "Versions before {0} load it and compute wrong values.", runtime.leastCorrectOnnxruntime),
    );
  }
  if (runtime) notes.push(browserNote(runtime));
  return notes;
}

function browserNote({ webAssembly, webGpu }: NonNullable<Report["runtime"]>): Note {
  return note("info", "In browsers. WebAssembly: {0} WebGPU: {1}", webAssembly.reason, webGpu.reason);
}

function roundingNotes({ rounding }: Report): Note[] {
  if (!rounding) return [];
  if (rounding.fittedRelativeError <= rounding.relativeError)
    return rounding.crossValidated ? [tooGood(rounding)] : [];
  const worse = note(
    "warning",
    "**Farther from the float model than plain rounding** on samples it has not seen: an error of {0} against {1}. The samples are too few or too strange.",
    errorPercent(rounding.fittedRelativeError),
    errorPercent(rounding.relativeError),
  );
  return [{ ...worse, offers: "rounding" }];
}

/** What both take in memory once they are loaded, where that was measured. */
function memoryNotes(
  { bytesBefore, bytesAfter }: Report,
  { residentBytesFloat: float, residentBytesQuantized: copy, smallerInMemory }: NonNullable<Report["runtime"]>,
): Note[] {
  if (float === null || copy === null) return [];
  return [
    bytesAfter < bytesBefore && smallerInMemory === false
      ? note(
          "info",
          "Smaller on disk, not in memory: {0} when loaded, the float model {1}.",
          size(copy),
          size(float),
        )
      : note("info", "Takes {0} of memory when loaded, the float model {1}.", size(copy), size(float)),
  ];
}

/** With too few samples to hold any out, the errors above are those of the fit; these are the honest ones. */
function tooGood({ fittedRelativeError, relativeError }: NonNullable<Report["rounding"]>): Note {
  return note(
    "warning",
    "**The output error is on the samples that were fitted, so it looks too good.** Fitted to half of them and measured on the others it is {0}; of plain rounding, {1}.",
    errorPercent(fittedRelativeError),
    errorPercent(relativeError),
  );
}

/** What was foreseen, beside what came of it. */
function budgetNotes({ budget, bytesAfter, outputs }: Report): Note[] {
  if (!budget) return [];
  const errors = outputs.flatMap(output => output.relativeError ?? []);
  return [
    note(
      "info",
      "Bits were chosen layer by layer, {0} on average. Foreseen: {1} and an output error of {2}; it came to {3} and {4}.",
      oneDecimal(budget.averageBits),
      size(budget.predictedBytes),
      errorPercent(budget.predictedError),
      size(bytesAfter),
      errorPercent(errors.length > 0 ? Math.max(...errors) : null),
    ),
  ];
}

function why(report: Report, runtime: NonNullable<Report["runtime"]>): string {
  const narrow = report.layers.find(layer => layer.format !== "packed" && layer.bits < 8);
  const opset = t("opset {0}", runtime.opset);
  return narrow ? `${t("{0}-bit weights", narrow.bits)}, ${opset}` : opset;
}
