import type * as vscode from "vscode";
import { type EngineProcess, startEngine } from "./engineProcess";
import type { Looker } from "./services";

/** How long the process waits for another model to look at: opening three files in a row should not fork three times. */
const IDLE_MS = 60_000;

/**
 * Looks at models in a process of its own, so that a look neither waits for a run nor is lost when a run is cancelled, and
 * a file that brings the process down brings down nothing else.
 */
export function looker(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): Looker {
  let looking = 0;
  let engine: EngineProcess | undefined;
  let idle: NodeJS.Timeout | undefined;

  const running = (): EngineProcess => {
    if (engine) return engine;
    const started = startEngine(context.extensionPath, "look", log);
    engine = started;
    void started.gone.then(() => {
      if (engine === started) engine = undefined;
    });
    return started;
  };
  const end = (): void => {
    void engine?.end();
    engine = undefined;
  };
  return {
    async inspect(path) {
      clearTimeout(idle);
      looking++;
      try {
        return await running().channel.request("inspect", { path });
      } finally {
        if (--looking === 0) idle = setTimeout(end, IDLE_MS);
      }
    },
    dispose() {
      clearTimeout(idle);
      end();
    },
  };
}
