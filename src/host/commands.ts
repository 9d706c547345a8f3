import * as vscode from "vscode";
import { openCopy, revealCopy, saveCopyAs } from "./copies";
import { exportReport } from "./exportReport";
import { MODEL_EDITOR } from "./modelEditor";
import { problemOf, tell } from "./problems";
import { quantize, quantizeAgain, roundInstead, shownModel } from "./quantizeCommand";
import { trySample } from "./sample";
import type { Services } from "./services";

/** Every command by its name in package.json; `quantizeShown`, `roundInstead` and `showModel` are the report page's own. */
export function commands(services: Services): vscode.Disposable[] {
  const handlers: Record<string, (uri?: vscode.Uri) => unknown> = {
    "whittle.quantize": uri => quantize(uri, services),
    "whittle.quantizeAgain": uri => quantizeAgain(uri, services),
    "whittle.quantizeShown": () => quantize(shownModel(services), services),
    "whittle.roundInstead": () => roundInstead(services),
    "whittle.cancel": () => services.run.current?.cancel(),
    "whittle.saveCopyAs": () => saveCopyAs(services),
    "whittle.revealCopy": () => revealCopy(services),
    "whittle.openCopy": () => openCopy(services),
    "whittle.exportReport": () => exportReport(services),
    "whittle.openModel": openModel,
    "whittle.showModel": () => openInEditor(shownModel(services)),
    "whittle.trySample": () => trySample(services),
    "whittle.showLog": () => services.log.show(),
  };
  return Object.entries(handlers).map(([name, handle]) =>
    vscode.commands.registerCommand(name, async (argument: unknown) => {
      try {
        await handle(argument instanceof vscode.Uri ? argument : undefined);
      } catch (error) {
        await tell(problemOf(error, services.log), services.log);
      }
    }),
  );
}

async function openModel(): Promise<void> {
  const chosen = await vscode.window.showOpenDialog({
    title: vscode.l10n.t("Open an ONNX model"),
    filters: { [vscode.l10n.t("ONNX model")]: ["onnx"] },
  });
  await openInEditor(chosen?.[0]);
}

async function openInEditor(uri: vscode.Uri | undefined): Promise<void> {
  if (uri) await vscode.commands.executeCommand("vscode.openWith", uri, MODEL_EDITOR);
}
