import { rmSync } from "node:fs";
import { Failure } from "../../src/core/failure";
import { inspect } from "../../src/engine/inspect";
import { quantize } from "../../src/engine/quantize";
import { quiet, usual } from "../engine/run";

/** One mutant on its way through Whittle. */
export interface Job {
  readonly model: string;
  readonly data: string | undefined;
  /** Where a copy goes. */
  readonly copy: string;
  /** Whether one is made; else the run ends in front of the fit. */
  readonly copied: boolean;
}

/** How it ended: with a result, with a failure of this code, or with a bug. */
export interface Ended {
  readonly inspected: string;
  readonly quantized: string;
  /** All of the failure. */
  readonly said: string | undefined;
  readonly bug: string | undefined;
}

async function outcome(work: () => unknown): Promise<{ word: string; said?: string; bug?: string }> {
  try {
    await work();
    return { word: "result" };
  } catch (error) {
    if (!(error instanceof Failure)) {
      return { word: "bug", bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    // A sentence has a beginning, an end, and nothing of our own source.
    const told = error.happened.length > 10 && error.next.length > 10 && !/\n\s+at |\.ts:\d/.test(error.message);
    if (!told) return { word: "bug", bug: `Not a sentence: ${error.message.slice(0, 500)}` };
    return { word: error.code, said: error.message };
  }
}

process.on("message", (job: Job) => {
  void (async () => {
    const seen = await outcome(() => inspect(job.model));
    // What is wanted of data is that they are read: the fit of one small layer of the sample is enough.
    const layers = job.data === undefined ? [] : [{ glob: "*net.[02]*", bits: "keep" as const, method: undefined }];
    const samples = job.data === undefined ? undefined : 5;
    const options = { ...usual, bits: 8, method: "msq", data: job.data, samples, layers } as const;
    const { model, copy: output } = job;
    const done = await outcome(() =>
      quantize({ model, output, overwrite: true, dryRun: !job.copied, threads: 1, options }, quiet),
    );
    rmSync(job.copy, { force: true });
    const ended: Ended = {
      inspected: seen.word,
      quantized: done.word,
      said: done.said,
      bug: seen.bug ?? done.bug,
    };
    process.send!(ended);
  })();
});
