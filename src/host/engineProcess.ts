import { fork, type ChildProcess, type Serializable } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import * as vscode from "vscode";
import { Failure } from "../core/failure";
import { type Channel, openChannel } from "../protocol/channel";
import type { EngineContract, HostContract } from "../protocol/contract";

/** A forked engine. Native code may end it at any moment; that costs its job and nothing else. */
export interface EngineProcess {
  readonly channel: Channel<HostContract, EngineContract>;
  /** Settles when the process is gone, whatever ended it. */
  readonly gone: Promise<void>;
  /** Ends it at once: onnxruntime cannot be interrupted in any other way. What was asked of it fails with `failure`. */
  end(failure?: Failure): Promise<void>;
}

/**
 * @param purpose stands in the process's command line, for people who look at a list of processes.
 */
export function startEngine(
  extensionPath: string,
  purpose: "look" | "run",
  log: vscode.LogOutputChannel,
): EngineProcess {
  const script = vscode.Uri.joinPath(vscode.Uri.file(extensionPath), "dist", "engine.js").fsPath;
  // Buffers and maps cross as they are only with the advanced serialization. Flags of the extension host (--inspect) stay here.
  const child = fork(script, [purpose], { serialization: "advanced", silent: true, execArgv: [] });
  const channel = openChannel<HostContract, EngineContract>(
    {
      post: message =>
        child.send(message as Serializable, error => {
          if (error) log.debug(`Engine ${child.pid} did not hear: ${error.message}`);
        }),
      onMessage: listener => child.on("message", listener),
    },
    {},
  );
  channel.on("log", ({ level, text }) => log[level](text));
  logLines(child.stdout, line => log.info(line));
  logLines(child.stderr, line => log.warn(line));

  let asked: Failure | undefined;
  const gone = ending(child).then(({ code, signal }) => {
    const how = signal ?? `code ${code}`;
    log[asked || code === 0 ? "info" : "error"](`Engine ${child.pid} ended (${how}).`);
    channel.close(asked ?? endedBy(how));
  });
  return {
    channel,
    gone,
    end: async (failure = endedBy("the end of its job")) => {
      asked ??= failure;
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** `close` comes when all that the process wrote has been read; a process that never started says only `error`. */
function ending(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  return new Promise(resolve => {
    child.once("close", (code, signal) => resolve({ code, signal }));
    child.once("error", error => {
      if (child.pid === undefined) resolve({ code: null, signal: error.message });
    });
  });
}

function endedBy(how: string): Failure {
  return new Failure(
    "engine-gone",
    vscode.l10n.t("The engine ended unexpectedly ({0}).", how),
    vscode.l10n.t(
      "No file was written. If memory ran out, fewer calibration samples need less; the log has its last words.",
    ),
  );
}

function logLines(stream: Readable | null, write: (line: string) => void): void {
  if (stream) createInterface({ input: stream }).on("line", write);
}
