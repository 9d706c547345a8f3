import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Ended, Job } from "./child";

/** Of the processor: on a machine with other work the clock would tell of that. A mutant that waits ends by the clock. */
const CPU_SECONDS = 2;
const WAIT_SECONDS = 30;
const MAX_RSS_BYTES = 512 * 2 ** 20;
/** A process takes so many mutants one after the other; what one leaves in memory must not be told of the next. */
const BATCH = 200;

/** How a mutant ended. */
export interface Verdict {
  /** The codes of its two runs, or what it broke. */
  readonly word: string;
  /** Whether it ended in neither a result nor a failure, or took too much. */
  readonly broke: boolean;
  readonly detail: string | undefined;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

let child: ChildProcess | undefined;
let taken = 0;

/** Ends the process that runs mutants. */
export function endChild(): void {
  child?.removeAllListeners();
  child?.kill("SIGKILL");
  child = undefined;
}

function childFor(): { at: ChildProcess; fresh: boolean } {
  if (child && taken < BATCH) return { at: child, fresh: false };
  endChild();
  taken = 0;
  child = fork(join(__dirname, "child.js"), {
    execArgv: ["--max-old-space-size=512", "--enable-source-maps"],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  return { at: child, fresh: true };
}

/** Resident memory and processor time so far; undefined where the process has just ended. */
function usageOf(pid: number): { bytes: number; cpuSeconds: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]!.split(" ");
    // proc(5): utime and stime are fields 14 and 15 in ticks of 1/100 s, rss is field 24 in pages of 4 KB.
    return { bytes: Number(fields[21]) * 4096, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100 };
  } catch {
    return undefined;
  }
}

/** Runs a mutant in the process for mutants, which is ended where the mutant takes more than it may. */
export function judge(job: Job): Promise<Verdict> {
  const { at, fresh } = childFor();
  taken++;
  return new Promise(resolve => {
    const started = performance.now();
    const before = fresh ? 0 : (usageOf(at.pid!)?.cpuSeconds ?? 0);
    let [peakBytes, cpuSeconds] = [0, 0];
    const look = (): void => {
      const usage = usageOf(at.pid!);
      if (!usage) return;
      peakBytes = Math.max(peakBytes, usage.bytes);
      cpuSeconds = usage.cpuSeconds - before;
    };
    const end = (word: string, broke: boolean, detail?: string): void => {
      clearInterval(watch);
      at.removeAllListeners();
      resolve({ word, broke, detail, cpuSeconds, peakBytes });
    };
    const stop = (word: string): void => {
      endChild();
      end(word, true);
    };
    // A process that has just been started has to load first, which is no mutant's doing.
    const limit = fresh ? CPU_SECONDS + 2 : CPU_SECONDS;
    const watch = setInterval(() => {
      look();
      if (peakBytes > MAX_RSS_BYTES) stop("memory");
      else if (cpuSeconds > limit) stop("slow");
      else if (performance.now() - started > 1000 * WAIT_SECONDS) stop("hang");
    }, 10);
    at.once("message", (ended: Ended) => {
      look();
      if (ended.bug !== undefined) end("bug", true, ended.bug);
      else end(`inspect ${ended.inspected}, quantize ${ended.quantized}`, false, ended.said);
    });
    at.once("exit", (code, signal) => {
      child = undefined;
      end("crash", true, `exit ${code}, signal ${signal}`);
    });
    at.send(job);
  });
}
