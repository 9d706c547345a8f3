import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { basename } from "node:path";
import * as vscode from "vscode";
import { Failure } from "../core/failure";
import type { LayerDetail } from "../core/report/detail";
import type { Report } from "../core/report/report";
import type { QuantizeJob } from "../engine/quantize";
import type { PlannedLayer } from "../protocol/contract";
import type { ReportView, Run, RunRow } from "../protocol/pages";
import { shareDone } from "../protocol/work";
import { startEngine } from "./engineProcess";
import { problemOf } from "./problems";
import type { Services } from "./services";
import { durationOf } from "./words";

type Running = Extract<ReportView, { kind: "running" }>;

/**
 * Quantizes a model in an engine of its own, with a notification that shows how far it is and the report filling in.
 *
 * @returns the report; undefined when it was cancelled or failed, which the Layer Report then says.
 */
export async function runJob(
  job: Omit<QuantizeJob, "pendingId">,
  bytesBefore: number,
  services: Services,
): Promise<Report | undefined> {
  const { log, store, run } = services;
  const follow = follower(job, bytesBefore, services);
  const where = { location: vscode.ProgressLocation.Notification, cancellable: true };
  const title = vscode.l10n.t("Quantizing {0}", basename(job.model));
  try {
    const report = await vscode.window.withProgress({ ...where, title }, (progress, token) => {
      follow.onProgress(step => progress.report(step));
      return inEngine(job, services, follow, token);
    });
    store.show({ kind: "finished", run: follow.run(), report });
    return report;
  } catch (error) {
    if (error instanceof Failure && error.code === "cancelled") {
      log.info(error.message);
      store.show({ kind: "cancelled", run: follow.run() });
    } else {
      store.show({ kind: "failed", run: follow.run(), problem: problemOf(error, log) });
    }
    return undefined;
  } finally {
    run.current = undefined;
  }
}

async function inEngine(
  job: Omit<QuantizeJob, "pendingId">,
  { context, log, run }: Services,
  follow: Follower,
  token: vscode.CancellationToken,
): Promise<Report> {
  const pendingId = randomBytes(6).toString("hex");
  const engine = startEngine(context.extensionPath, "run", log);
  const cancel = (): void => void engine.end(cancelled());
  run.current = { cancel };
  token.onCancellationRequested(cancel);
  engine.channel.on("plan", ({ layers }) => follow.plan(layers));
  engine.channel.on("stage", ({ stage }) => follow.stage(stage));
  engine.channel.on("layerStart", ({ name }) => follow.start(name));
  engine.channel.on("layer", ({ layer, detail }) => follow.done(layer, detail));
  try {
    return await engine.channel.request("quantize", { ...job, pendingId });
  } finally {
    // The memory of a run goes with its process. A process ended by force leaves the copy it was writing; we do not.
    await engine.end();
    await rm(`${job.output}.${pendingId}.part`, { force: true, recursive: true });
  }
}

function cancelled(): Failure {
  return new Failure("cancelled", vscode.l10n.t("The run was cancelled."), vscode.l10n.t("No file was written."));
}

interface Step {
  readonly message: string;
  /** Percent more than at the last step. */
  readonly increment: number;
}

interface Follower {
  onProgress(listener: (step: Step) => void): void;
  plan(layers: readonly PlannedLayer[]): void;
  stage(stage: "reading" | "choosing" | "writing" | "checking"): void;
  start(name: string): void;
  done(layer: NonNullable<RunRow["done"]>, detail: LayerDetail): void;
  run(): Run;
}

/** Keeps account of a run from what the engine says: the report's view, and the steps of the notification. */
function follower(job: Omit<QuantizeJob, "pendingId">, bytesBefore: number, { store }: Services): Follower {
  const details = new Map<string, LayerDetail>();
  let listener: (step: Step) => void = () => undefined;
  let told = 0;
  let began = 0;
  let view: Running = {
    kind: "running",
    run: {
      model: basename(job.model),
      path: job.model,
      bits: job.options.bits,
      method: job.options.method,
      bytesBefore,
      rows: [],
      current: null,
    },
    stage: "reading",
    secondsLeft: null,
  };

  const show = (changes: Partial<Omit<Running, "run">>, run: Partial<Run> = {}): void => {
    view = { ...view, ...changes, run: { ...view.run, ...run } };
    store.show(view, details);
    const share = doneOf(view.run);
    listener({ message: messageOf(view), increment: 100 * (share - told) });
    told = share;
  };
  show({});
  return {
    onProgress: next => (listener = next),
    plan: layers => show({}, { rows: layers.map(layer => ({ ...layer, done: null })) }),
    stage: stage => show({ stage, secondsLeft: null }, { current: null }),
    start(name) {
      began ||= performance.now();
      show({ stage: "fitting" }, { current: view.run.rows.findIndex(row => row.name === name) });
    },
    done(layer, detail) {
      details.set(layer.name, detail);
      const rows = view.run.rows.map(row => (row.name === layer.name ? { ...row, done: layer } : row));
      show({ secondsLeft: secondsLeft({ ...view.run, rows }, began) }, { rows, current: null });
    },
    run: () => view.run,
  };
}

function doneOf({ rows }: Run): number {
  return shareDone(
    rows.map(row => row.bytesBefore),
    rows.map(row => (row.done ? 1 : 0)),
  );
}

function secondsLeft(run: Run, began: number): number | null {
  const share = doneOf(run);
  return share > 0 ? ((performance.now() - began) / 1000) * (1 / share - 1) : null;
}

function messageOf({ stage, run, secondsLeft }: Running): string {
  switch (stage) {
    case "reading":
      return vscode.l10n.t("reading the model");
    case "choosing":
      return vscode.l10n.t("trying each layer at every number of bits");
    case "writing":
      return vscode.l10n.t("writing the copy");
    case "checking":
      return vscode.l10n.t("checking the copy in onnxruntime");
    case "fitting": {
      const done = run.rows.filter(row => row.done).length;
      const place = Math.min(done + 1, run.rows.length);
      return secondsLeft === null
        ? vscode.l10n.t("layer {0} of {1}", place, run.rows.length)
        : vscode.l10n.t("layer {0} of {1} · about {2} left", place, run.rows.length, durationOf(secondsLeft));
    }
    default:
      return stage satisfies never;
  }
}
