#!/usr/bin/env node
import { Failure } from "../core/failure";
import { runBenchCases, runCompare, runEvaluate, runInspect, runQuantize } from "./commands";
import { parseCommand, UsageError } from "./options";
import { usage } from "./usage";
import { oneLine } from "./plain";

const EXIT = { done: 0, failure: 1, usage: 2, interrupted: 130 } as const;

// Past `ulimit -f` the system sends a signal that ends a process; with a listener, writing fails with EFBIG instead.
process.on("SIGXFSZ", () => undefined);
process.on("SIGINT", () => process.exit(EXIT.interrupted));
process.on("SIGTERM", () => process.exit(EXIT.interrupted));
// A reader that has seen enough (`whittle inspect … | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.done);
  throw error;
});

async function main(words: readonly string[]): Promise<void> {
  const command = parseCommand(words);
  switch (command.kind) {
    case "help":
      process.stdout.write(usage);
      return;
    case "version":
      process.stdout.write(`${command.version}\n`);
      return;
    case "inspect":
      return runInspect(command);
    case "quantize":
      return runQuantize(command);
    case "evaluate":
      return runEvaluate(command);
    case "compare":
      return runCompare(command);
    case "bench":
      return runBenchCases(command);
    default:
      command satisfies never;
  }
}

main(process.argv.slice(2)).then(
  () => process.exit(EXIT.done),
  (error: unknown) => {
    if (error instanceof UsageError) {
      process.stderr.write(`whittle: usage: ${error.message}\n`);
      process.exit(EXIT.usage);
    }
    if (error instanceof Failure) {
      process.stderr.write(`whittle: ${error.code}: ${oneLine(error.message)}\n`);
      // A combination of options that does not exist may take the model to be found out.
      process.exit(error.code === "format-impossible" ? EXIT.usage : EXIT.failure);
    }
    process.stderr.write(
      `This is a bug in Whittle; please report it with these lines.\n${error instanceof Error ? error.stack : String(error)}\n`,
    );
    process.stderr.write(`whittle: bug: ${oneLine(error instanceof Error ? error.message : String(error))}\n`);
    process.exit(EXIT.failure);
  },
);
