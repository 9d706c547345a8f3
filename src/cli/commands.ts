import { type Cost, EXPENSES } from "../core/cost";
import { Failure } from "../core/failure";
import type { Report } from "../core/report/report";
import { benchTable, runBench } from "../engine/bench";
import { bundleFolder } from "../engine/bundle";
import { evaluate, type Evaluation } from "../engine/evaluate";
import { checkTarget, writeWhole } from "../engine/files";
import { inspect, type Inspection } from "../engine/inspect";
import { quantize } from "../engine/quantize";
import type { BenchCommand, EvaluateCommand, InspectCommand, QuantizeCommand } from "./options";
import { progressOf } from "./progress";
import { dbOf, percentOf, secondsOf, sizeOf, table } from "./words";

export async function runInspect({ model, json }: InspectCommand): Promise<void> {
  const inspection = await inspect(model);
  process.stdout.write(json ? asJson(inspection) : inspectionText(inspection));
}

export async function runQuantize({ job, reports, json }: QuantizeCommand): Promise<void> {
  for (const file of reports) checkTarget(file, job.model, true);
  const progress = progressOf(process.stderr);
  let report: Report;
  try {
    report = await quantize(job, progress);
  } finally {
    progress.end();
  }
  for (const warning of report.warnings) process.stderr.write(`warning: ${warning}\n`);
  for (const file of reports) writeWhole(file, new TextEncoder().encode(asJson(report)));
  process.stdout.write(json ? asJson(report) : reportText(report));
}

export async function runEvaluate({ job, maxDrop, json }: EvaluateCommand): Promise<void> {
  const evaluation = await evaluate(job);
  process.stdout.write(json ? asJson(evaluation) : evaluationText(evaluation));
  if (maxDrop !== undefined) requireScore(evaluation, maxDrop);
}

export async function runBenchCases({ cases, threads, againstNumpy, json }: BenchCommand): Promise<void> {
  const results = await runBench({
    cases: cases.length > 0 ? cases : undefined,
    threads,
    against: againstNumpy ? "numpy" : undefined,
    directory: bundleFolder(),
    report: ({ case: name, threads: count, seconds }) =>
      process.stderr.write(`${name} on ${count}: ${seconds.toFixed(2)} s\n`),
  });
  process.stdout.write(json ? asJson(results) : `${benchTable(results)}\n`);
}

/** @throws {Failure} `score-dropped`. */
function requireScore({ top1, agreement, against }: Evaluation, maxDrop: number): void {
  // Without labels the float model's own answers are the labels, and its score is 1.
  const score = top1 ?? agreement ?? 1;
  const before = against?.top1 ?? 1;
  if (before - score <= maxDrop) return;
  throw new Failure(
    "score-dropped",
    `The score fell from ${before} to ${score}, by more than ${maxDrop}.`,
    "Use more bits, more calibration samples, or keep the worst layers.",
  );
}

function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

function reportText(report: Report): string {
  const rows = report.layers.map(layer => [
    layer.name,
    String(layer.bits),
    layer.method === "msq" ? "msq" : `${layer.method} ${layer.variant}`,
    layer.format,
    percentOf(layer.layerErrorHeldOut),
    percentOf(layer.layerError),
    percentOf(layer.propagatedError),
    sizeOf(layer.bytesBefore),
    sizeOf(layer.bytesAfter),
  ]);
  const head = ["layer", "bits", "method", "format", "held out", "fitted", "propagated", "before", "after"];
  const { runtime, rounding, calibration } = report;
  const lines = [
    `${sizeOf(report.bytesBefore)} -> ${sizeOf(report.bytesAfter)} (${((100 * report.bytesAfter) / report.bytesBefore).toFixed(1)} %) in ${secondsOf(report.seconds)}`,
    ...(report.cost ? [costText(report.cost)] : []),
    calibration.samples > 0
      ? `Errors on ${calibration.synthetic ? "made-up inputs" : "your samples"}: ${calibration.samples - calibration.heldOut} fitted, ${calibration.heldOut} held out.`
      : "No errors were measured on data.",
    ...report.outputs.map(output => {
      const agreement = output.top1Agreement === null ? "" : `, same answer on ${percentOf(output.top1Agreement)}`;
      return `Output "${output.name}": error ${percentOf(output.relativeError)}, ${dbOf(output.sqnrDb)}${agreement}`;
    }),
    ...(rounding
      ? [
          `On samples ${rounding.crossValidated ? "a fit to the other half" : "the fit"} has not seen: error ${percentOf(rounding.fittedRelativeError)}; of plain rounding: ${percentOf(rounding.relativeError)}.`,
        ]
      : []),
    ...(runtime
      ? [
          `In a default session: error ${percentOf(runtime.asRunError)}, ${runtime.msQuantized.toFixed(2)} ms a run (float ${runtime.msFloat.toFixed(2)} ms).`,
          `Loads and is right from onnxruntime ${runtime.leastCorrectOnnxruntime} on (opset ${runtime.opset}).`,
        ]
      : []),
    ...(report.folded.length > 0
      ? [`Folded ${report.folded.length} BatchNormalization into the layers before them; this changes nothing.`]
      : []),
    ...skippedText(report.skipped),
    report.output === null ? "Nothing was written (dry run)." : `Written: ${report.output}`,
  ];
  return `${report.layers.length > 0 ? `${table(head, rows, new Set([0, 2, 3]))}\n` : ""}${lines.map(line => `${line}\n`).join("")}`;
}

function costText(cost: Cost): string {
  const parts = EXPENSES.filter(what => cost[what] >= 0.05).map(what => `${what} ${secondsOf(cost[what])}`);
  return parts.length > 0 ? `Spent on: ${parts.join(", ")}.` : "";
}

/** What is left alone: tensors left for the same reason in one line, the most bytes first. */
function skippedText(skipped: Report["skipped"]): string[] {
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

function inspectionText(found: Inspection): string {
  const values = (list: Inspection["inputs"]): string =>
    list.map(value => `${value.name} ${value.type}${value.dims ? ` [${value.dims.join(", ")}]` : ""}`).join("; ") ||
    "none";
  const lines = [
    `${found.model}: ${sizeOf(found.bytes)}, ${found.parameters.toLocaleString("en")} parameters, ${found.nodes} nodes`,
    `From ${found.producer || "an unnamed producer"}, IR ${found.irVersion}, ${Object.entries(found.opsets)
      .map(([domain, version]) => `${domain} ${version}`)
      .join(", ")}`,
    `Inputs: ${values(found.inputs)}`,
    `Outputs: ${values(found.outputs)}`,
    `A copy: ${Object.entries(found.bytesAtBits)
      .map(([bits, bytes]) => `${bits} ${bits === "1" ? "bit" : "bits"} ${bytes === null ? "-" : sizeOf(bytes)}`)
      .reverse()
      .join(", ")}`,
    ...skippedText(found.skipped),
  ];
  const rows = found.layers.map(layer => [
    layer.name,
    layer.op,
    layer.shape.join("x"),
    String(layer.inputs),
    String(layer.neurons),
    sizeOf(layer.bytes),
  ]);
  const layers =
    rows.length > 0
      ? `${table(["layer", "operator", "shape", "inputs", "neurons", "bytes"], rows, new Set([0, 1]))}\n`
      : "";
  return `${layers}${lines.map(line => `${line}\n`).join("")}`;
}

function evaluationText(found: Evaluation): string {
  const lines = [`${found.model} on ${found.n} samples, ${found.msMedian.toFixed(2)} ms a call`];
  if (found.top1 !== undefined) {
    lines.push(
      `top-1 ${(100 * found.top1).toFixed(2)} % (standard error ${(100 * (found.standardError ?? 0)).toFixed(2)}), top-5 ${(100 * (found.top5 ?? 0)).toFixed(2)} %`,
    );
  }
  if (found.against) lines.push(`${found.against.model}: top-1 ${(100 * found.against.top1).toFixed(2)} %`);
  if (found.outputError !== undefined) {
    lines.push(
      `First output: error ${percentOf(found.outputError)}, ${dbOf(found.sqnrDb ?? null)}, same answer on ${percentOf(found.agreement ?? null)}`,
    );
    lines.push(
      `Another answer on ${found.flipped?.length ?? 0} samples${found.flipped?.length ? `: ${found.flipped.slice(0, 20).join(", ")}${found.flipped.length > 20 ? ", …" : ""}` : ""}`,
    );
  }
  return lines.map(line => `${line}\n`).join("");
}
