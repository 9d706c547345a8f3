import { type Cost, EXPENSES } from "../cost";
import { errorToDb } from "./measure";
import type { LayerReport, Report, RuntimeReport, SkippedReport } from "./report";
import { dbOf, percentOf, secondsOf, sizeOf } from "./words";

// A report in words, for people: what the terminal shows and what the files in Markdown and HTML say.

/** One row a layer, every cell as text. */
export function layerTable(layers: readonly LayerReport[]): { head: string[]; rows: string[][] } {
  const rows = layers.map(layer => [
    layer.name,
    String(layer.bits),
    [layer.method, layer.variant ?? ""].join(" ").trim(),
    layer.format,
    percentOf(layer.layerErrorHeldOut),
    percentOf(layer.layerError),
    percentOf(layer.passedOnError ?? layer.propagatedError),
    sizeOf(layer.bytesBefore),
    sizeOf(layer.bytesAfter),
  ]);
  const head = ["layer", "bits", "method", "format", "held out", "fitted", "propagated", "before", "after"];
  return { head, rows };
}

/** The run as a whole, a sentence a line. */
export function summary(report: Report): string[] {
  const { runtime, budget, rounding, calibration } = report;
  return [
    `${sizeOf(report.bytesBefore)} -> ${sizeOf(report.bytesAfter)} (${((100 * report.bytesAfter) / report.bytesBefore).toFixed(1)} %) in ${secondsOf(report.seconds)}`,
    ...(report.cost ? costText(report.cost) : []),
    calibration.samples > 0
      ? `Errors on ${calibration.synthetic ? "made-up inputs" : "your samples"}: ${calibration.samples - calibration.heldOut} fitted, ${calibration.heldOut} held out.`
      : "No errors were measured on data.",
    ...report.outputs.map(output => {
      const agreement = output.top1Agreement === null ? "" : `, same answer on ${percentOf(output.top1Agreement)}`;
      const on = fittedAlone(report) ? " (on the samples that were fitted, so too good)" : "";
      return `Output "${output.name}"${on}: error ${percentOf(output.relativeError)}, ${dbOf(output.sqnrDb)}${agreement}`;
    }),
    ...(budget
      ? [
          `Bits chosen by what a layer alone costs the ${budget.chosenBy === "divergence" ? "classes (KL divergence)" : "outputs"}: ${budget.averageBits.toFixed(2)} on average, for an error of ${percentOf(budget.predictedError)} (${dbOf(errorToDb(budget.predictedError))}) in ${sizeOf(budget.predictedBytes)}.`,
        ]
      : []),
    ...(rounding
      ? [
          `On samples ${rounding.crossValidated ? "a fit to the other half" : "the fit"} has not seen: error ${percentOf(rounding.fittedRelativeError)}; of plain rounding: ${percentOf(rounding.relativeError)}.`,
        ]
      : []),
    ...(runtime
      ? [
          `In a default session: error ${percentOf(runtime.asRunError)}${timesOf(runtime)}.`,
          ...memoryText(runtime, report),
          `Loads and is right from onnxruntime ${runtime.leastCorrectOnnxruntime} on (opset ${runtime.opset}).`,
          `In browsers as WebAssembly: ${runtime.webAssembly.reason}`,
          `In browsers with WebGPU: ${runtime.webGpu.reason}`,
        ]
      : []),
    ...(report.folded.length > 0
      ? [`Folded ${report.folded.length} BatchNormalization into the layers before them; this changes nothing.`]
      : []),
    ...leftAlone(report.skipped),
    report.output === null ? "Nothing was written (dry run)." : `Written: ${report.output}`,
  ];
}

function costText(cost: Cost): string[] {
  const parts = EXPENSES.filter(what => cost[what] >= 0.05).map(what => `${what} ${secondsOf(cost[what])}`);
  return parts.length > 0 ? [`Spent on: ${parts.join(", ")}.`] : [];
}

/** What is left alone: tensors left for the same reason in one line, the most bytes first. */
export function leftAlone(skipped: readonly SkippedReport[]): string[] {
  const groups = new Map<string, { tensors: string[]; bytes: number; reason: string; detail: string }>();
  for (const { tensor, reason, detail, bytes } of skipped) {
    const group = groups.get(detail) ?? { tensors: [], bytes: 0, reason, detail };
    group.tensors.push(tensor);
    groups.set(detail, { ...group, bytes: group.bytes + bytes });
  }
  const sorted = [...groups.values()].sort((a, b) => b.bytes - a.bytes);
  const shown = sorted.slice(0, MOST_SKIPPED_LINES).map(({ tensors, bytes, reason, detail }) => {
    const what = tensors.length === 1 ? tensors[0]! : `${tensors.length} tensors (${tensors[0]}, …)`;
    return `Left alone: ${what}, ${sizeOf(bytes)}, ${reason}. ${detail}`;
  });
  if (sorted.length > shown.length)
    shown.push(`Left alone: tensors for ${sorted.length - shown.length} more reasons; --json lists them.`);
  return shown;
}

const MOST_SKIPPED_LINES = 12;

function timesOf({ msFloat, msQuantized }: RuntimeReport): string {
  if (msFloat === null || msQuantized === null) return "";
  return `, ${msQuantized.toFixed(2)} ms a run (float ${msFloat.toFixed(2)} ms)`;
}

/** What both take in memory; a smaller file need not be smaller there. */
function memoryText(
  {
    residentBytesFloat: float,
    residentBytesQuantized: copy,
    smallerInMemory,
    loadMsFloat,
    loadMsQuantized,
  }: RuntimeReport,
  { bytesBefore, bytesAfter }: Report,
): string[] {
  if (loadMsFloat === null || loadMsQuantized === null) return [];
  const load = `Loads in ${loadMsQuantized.toFixed(0)} ms (float ${loadMsFloat.toFixed(0)} ms)`;
  if (float === null || copy === null) return [`${load}.`];
  const only = bytesAfter < bytesBefore && smallerInMemory === false ? ": smaller on disk, not in memory" : "";
  return [`${load} and then takes ${sizeOf(copy)} of memory (float ${sizeOf(float)})${only}.`];
}

/** Whether the outputs were compared on the very samples the layers were fitted to, since there were too few to hold any out. */
function fittedAlone({ calibration, layers }: Report): boolean {
  return calibration.samples > 0 && calibration.heldOut === 0 && layers.some(layer => layer.rows > 0);
}
