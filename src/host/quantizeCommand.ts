import { existsSync } from "node:fs";
import { basename } from "node:path";
import * as vscode from "vscode";
import type { Report } from "../core/report/report";
import { sizeOf } from "../core/report/words";
import { openCopy, revealCopy } from "./copies";
import { type Filled, fillIn } from "./form";
import { MODEL_EDITOR } from "./modelEditor";
import { tell } from "./problems";
import { runJob } from "./quantizeRun";
import { REPORT_VIEW } from "./reportView";
import type { Services } from "./services";
import { type Choices, defaults, optionsOf, threads } from "./settings";
import { chooseTarget, freeName, usualTarget } from "./target";

const LAST = "lastChoices";

/** Quantize…: asks, runs, tells. */
export async function quantize(uri: vscode.Uri | undefined, services: Services): Promise<void> {
  const model = await readyToRun(uri, services);
  if (model === undefined) return;
  const inspection = await services.look.inspect(model);
  services.store.offer(inspection, defaults().bits);
  if (inspection.layers.length === 0) return nothingToQuantize(model);
  const before: Choices = { data: null, ...defaults(), ...lastChoices(model, services) };
  const filled = await fillIn(inspection, before);
  if (filled) await run(model, inspection.bytes, filled, services);
}

/** The same again without questions, but for a file that would be replaced. */
export async function quantizeAgain(uri: vscode.Uri | undefined, services: Services): Promise<void> {
  const model = await readyToRun(uri, services);
  if (model === undefined) return;
  const choices = lastChoices(model, services);
  if (!choices) return quantize(vscode.Uri.file(model), services);
  const output = usualTarget(model, choices);
  const target = existsSync(output) ? await askReplace(model, output) : { output, overwrite: false };
  if (!target) return;
  const { bytes } = await services.look.inspect(model);
  await run(model, bytes, { choices, ...target }, services);
}

/** What the report offers where a fit came out worse than plain rounding: that, in a file of its own. */
export async function roundInstead(services: Services): Promise<void> {
  const model = await readyToRun(shownModel(services), services);
  const choices = model === undefined ? undefined : lastChoices(model, services);
  if (model === undefined || !choices) return;
  const rounded = { ...choices, plainRounding: true };
  const { bytes } = await services.look.inspect(model);
  const output = freeName(usualTarget(model, rounded));
  await run(model, bytes, { choices: rounded, output, overwrite: false }, services);
}

/** The model of the report, or the one in the active editor. */
export function shownModel({ store }: Services): vscode.Uri | undefined {
  const view = store.view();
  switch (view.kind) {
    case "empty":
      return undefined;
    case "ready":
      return vscode.Uri.file(view.inspection.model);
    case "failed":
      return view.run ? vscode.Uri.file(view.run.path) : undefined;
    case "running":
    case "finished":
    case "cancelled":
      return vscode.Uri.file(view.run.path);
    default:
      return view satisfies never;
  }
}

/** The path of the model to run, once nothing stands in the way; undefined after the user was told what does. */
async function readyToRun(uri: vscode.Uri | undefined, services: Services): Promise<string | undefined> {
  if (!vscode.workspace.isTrusted) {
    const manage = vscode.l10n.t("Manage Trust");
    const chosen = await vscode.window.showWarningMessage(
      vscode.l10n.t(
        "This workspace is not trusted. You can look at models; running one is off until you trust it.",
      ),
      manage,
    );
    if (chosen === manage) await vscode.commands.executeCommand("workbench.trust.manage");
    return undefined;
  }
  if (services.run.current) {
    const cancel = vscode.l10n.t("Cancel That Run");
    const chosen = await vscode.window.showWarningMessage(
      vscode.l10n.t("Another model is being quantized. One run at a time."),
      cancel,
    );
    if (chosen === cancel) services.run.current.cancel();
    return undefined;
  }
  const model = uri ?? activeModel() ?? (await chooseModel());
  if (model && model.scheme !== "file") {
    await vscode.window.showErrorMessage(
      vscode.l10n.t("{0} is not on this machine's disk. Save it to a folder first.", basename(model.path)),
    );
    return undefined;
  }
  return model?.fsPath;
}

function activeModel(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputCustom && input.viewType === MODEL_EDITOR ? input.uri : undefined;
}

async function chooseModel(): Promise<vscode.Uri | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t("Quantize which model?"),
    filters: { [vscode.l10n.t("ONNX model")]: ["onnx"] },
  });
  return chosen?.[0];
}

async function nothingToQuantize(model: string): Promise<void> {
  const why = vscode.l10n.t("Show Why");
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t("None of the tensors in {0} can be quantized.", basename(model)),
    why,
  );
  if (chosen === why) await vscode.commands.executeCommand("vscode.openWith", vscode.Uri.file(model), MODEL_EDITOR);
}

async function askReplace(model: string, output: string) {
  const replace = vscode.l10n.t("Replace");
  const another = vscode.l10n.t("Choose Another Name…");
  const chosen = await vscode.window.showWarningMessage(
    vscode.l10n.t("{0} is there already. Replace it?", basename(output)),
    { modal: true },
    replace,
    another,
  );
  if (chosen === another) return chooseTarget(model, output);
  return chosen === replace ? { output, overwrite: true } : undefined;
}

async function run(model: string, bytes: number, filled: Filled, services: Services): Promise<void> {
  const { choices, output, overwrite } = filled;
  await rememberChoices(model, choices, services);
  await vscode.commands.executeCommand(`${REPORT_VIEW}.focus`);
  const options = optionsOf(choices);
  const job = { model, output, overwrite, dryRun: false, measureMemory: true, threads: threads(), options };
  services.log.info(`Quantizing ${model} to ${output}: ${JSON.stringify(choices)}`);
  const report = await runJob(job, bytes, services);
  // Not awaited by the command: a notification may stay for long.
  void (report ? tellSaved(report, output, services) : tellNotSaved(services));
}

async function tellSaved(report: Report, output: string, services: Services): Promise<void> {
  const [open, reveal] = [vscode.l10n.t("Open"), vscode.l10n.t("Reveal")];
  const size = sizeOf(report.bytesAfter);
  const text = report.runtime
    ? vscode.l10n.t("Saved {0}, {1}. It was loaded and run once to check it.", basename(output), size)
    : vscode.l10n.t(
        "Saved {0}, {1}. It could not be run here, so its structure alone was checked.",
        basename(output),
        size,
      );
  const chosen = await vscode.window.showInformationMessage(text, open, reveal);
  if (chosen === open) await openCopy(services);
  if (chosen === reveal) await revealCopy(services);
}

async function tellNotSaved({ store, log }: Services): Promise<void> {
  const view = store.view();
  if (view.kind === "failed") return tell(view.problem, log);
  if (view.kind !== "cancelled") return;
  const done = view.run.rows.filter(row => row.done).length;
  await vscode.window.showInformationMessage(
    vscode.l10n.t("Stopped after {0} of {1} layers. No file was written.", done, view.run.rows.length),
  );
}

/** What was chosen for this model last. */
function lastChoices(model: string, { context }: Services): Choices | undefined {
  return context.workspaceState.get<Record<string, Choices>>(LAST, {})[model];
}

/** More models than anyone goes back to; the oldest are forgotten. */
const MAX_REMEMBERED = 50;

async function rememberChoices(model: string, choices: Choices, { context }: Services): Promise<void> {
  const { [model]: _, ...others } = context.workspaceState.get<Record<string, Choices>>(LAST, {});
  const kept = Object.entries(others).slice(1 - MAX_REMEMBERED);
  await context.workspaceState.update(LAST, { ...Object.fromEntries(kept), [model]: choices });
}
