import { Failure } from "../core/failure";
import { reportFile } from "../core/report/file";
import type { Report } from "../core/report/report";
import { layerTable, leftAlone, summary } from "../core/report/summary";
import { dbOf, percentOf, sizeOf } from "../core/report/words";
import { benchTable, runBench } from "../engine/bench";
import { bundleFolder } from "../engine/bundle";
import { evaluate, type Evaluation } from "../engine/evaluate";
import { checkTarget, writeWhole } from "../engine/files";
import { inspect, type Inspection } from "../engine/inspect";
import { quantize } from "../engine/quantize";
import type { BenchCommand, EvaluateCommand, InspectCommand, QuantizeCommand } from "./options";
import { progressOf } from "./progress";
import { table } from "./table";

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
  for (const file of reports) writeWhole(file, new TextEncoder().encode(reportFile(file, report)));
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
  const { head, rows } = layerTable(report.layers);
  const layers = rows.length > 0 ? `${table(head, rows, new Set([0, 2, 3]))}\n` : "";
  return `${layers}${summary(report)
    .map(line => `${line}\n`)
    .join("")}`;
}

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
    ...leftAlone(found.skipped),
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
