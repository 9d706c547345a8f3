import { Failure } from "../core/failure";
import { reportFile } from "../core/report/file";
import type { Report } from "../core/report/report";
import type { Score } from "../core/report/score";
import { layerTable, leftAlone, summary } from "../core/report/summary";
import { dbOf, percentOf, sizeOf } from "../core/report/words";
import { benchTable, runBench } from "../engine/bench";
import { bundleFolder } from "../engine/bundle";
import { compareModels } from "../engine/compareModels";
import { evaluate, type Evaluation } from "../engine/evaluate";
import { checkTarget, writeWhole } from "../engine/files";
import { inspect, type Inspection } from "../engine/inspect";
import { quantize } from "../engine/quantize";
import { comparisonText } from "./comparisonText";
import type { BenchCommand, CompareCommand, EvaluateCommand, InspectCommand, QuantizeCommand } from "./options";
import { oneLine, withoutCodes } from "./plain";
import { progressOf } from "./progress";
import { table } from "./table";

export function runInspect({ model, json }: InspectCommand): void {
  const inspection = inspect(model);
  process.stdout.write(json ? asJson(inspection) : withoutCodes(inspectionText(inspection)));
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
  for (const warning of report.warnings) process.stderr.write(`warning: ${oneLine(warning)}\n`);
  for (const file of reports) writeWhole(file, new TextEncoder().encode(reportFile(file, report)));
  process.stdout.write(json ? asJson(report) : withoutCodes(reportText(report)));
}

export async function runEvaluate({ job, maxDrop, json }: EvaluateCommand): Promise<void> {
  const evaluation = await evaluate(job);
  for (const warning of evaluation.warnings) process.stderr.write(`warning: ${oneLine(warning)}\n`);
  process.stdout.write(json ? asJson(evaluation) : withoutCodes(evaluationText(evaluation)));
  if (maxDrop !== undefined) requireScore(evaluation, maxDrop);
}

export async function runCompare({ job, json }: CompareCommand): Promise<void> {
  const comparison = await compareModels(job);
  for (const warning of comparison.warnings) process.stderr.write(`warning: ${oneLine(warning)}\n`);
  process.stdout.write(json ? asJson(comparison) : withoutCodes(comparisonText(comparison)));
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
function requireScore(found: Evaluation, maxDrop: number): void {
  // Without labels the float model's own answers are the labels, and its score is 1.
  const { top1, crossEntropy, agreement } = found;
  const [name, score, before] =
    top1 !== undefined
      ? ["score", top1, found.against?.top1 ?? 1]
      : crossEntropy !== undefined
        ? ["cross-entropy", crossEntropy, found.against?.crossEntropy ?? 0]
        : ["agreement", agreement ?? 1, 1];
  // Of a cross-entropy less is better.
  const fall = name === "cross-entropy" ? score - before : before - score;
  if (fall <= maxDrop) return;
  throw new Failure(
    "score-dropped",
    `The ${name} ${name === "cross-entropy" ? "rose" : "fell"} from ${before} to ${score}, by more than ${maxDrop}.`,
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
    ...contentsText(found),
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

/** Where the bytes are, and what is worth knowing of them. */
function contentsText(found: Inspection): string[] {
  const quantized = Object.entries(found.quantizedBy).map(([op, count]) => `${count} ${op}`);
  const repeated = found.duplicates.reduce((sum, one) => sum + one.bytes, 0);
  const [first] = found.duplicates;
  return [
    `Loads from onnxruntime ${found.leastOnnxruntime} on`,
    `Stored bytes by operator: ${
      Object.entries(found.bytesByOperator)
        .map(([op, bytes]) => `${op} ${sizeOf(bytes)}`)
        .join(", ") || "none"
    }`,
    ...(quantized.length > 0 ? [`Quantized already: ${quantized.join(", ")}`] : []),
    ...(first
      ? [
          `Stored more than once: ${sizeOf(repeated)} in ${found.duplicates.length} groups of equal tensors (${first.tensors.slice(0, 3).join(", ")}${first.tensors.length > 3 ? ", …" : ""})`,
        ]
      : []),
  ];
}

function evaluationText(found: Evaluation): string {
  const time = ({ msMedian, msSpread }: { msMedian: number; msSpread: number }): string =>
    `${msMedian.toFixed(2)} ms a call (± ${(msSpread / 2).toFixed(2)})`;
  const lines = [`${found.model} on ${found.n} samples, ${time(found)}`, ...scoreText(found)];
  if (found.against)
    lines.push(`${found.against.model}: ${[...scoreText(found.against), time(found.against)].join(", ")}`);
  if (found.outputError !== undefined) {
    lines.push(
      `First output: error ${percentOf(found.outputError)}, ${dbOf(found.sqnrDb ?? null)}, same answer on ${percentOf(found.agreement ?? null)}`,
    );
  }
  if (found.flipped) {
    lines.push(
      `Another answer on ${found.flipped.length} samples${found.flipped.length > 0 ? `: ${found.flipped.slice(0, 20).join(", ")}${found.flipped.length > 20 ? ", …" : ""}` : ""}`,
    );
  }
  return lines.map(line => `${line}\n`).join("");
}

function scoreText({ top1, top5, crossEntropy, nextTokenAccuracy, standardError = 0 }: Score): string[] {
  const share = (value = 0): string => `${(100 * value).toFixed(2)} %`;
  if (top1 !== undefined)
    return [`top-1 ${share(top1)} (standard error ${share(standardError)}), top-5 ${share(top5)}`];
  if (crossEntropy === undefined) return [];
  return [
    `cross-entropy ${crossEntropy.toFixed(4)} nats (standard error ${standardError.toFixed(4)}), next token right ${share(nextTokenAccuracy)}`,
  ];
}
