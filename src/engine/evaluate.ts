import { numbersOf } from "../core/calibration/convert";
import type { Feed, Session } from "../core/calibration/tensor";
import { readNpy } from "../core/calibration/npy";
import { Failure } from "../core/failure";
import { compareOutputs, largestAt, type OutputPair } from "../core/report/measure";
import { median } from "./compare";
import { readDataFile, tensorSpec } from "./dataFile";
import { readWhole } from "./files";
import { openModel } from "./modelFile";
import { openSession } from "./runtime";
import { openSamples, type Samples } from "./samples";

export interface EvaluateJob {
  readonly model: string;
  readonly against: string | undefined;
  readonly data: string;
  readonly samples: number | undefined;
  /** In a default session, as users run it; otherwise with weights alone quantized. */
  readonly asRun: boolean;
  readonly threads: number;
}

/** A model's score; the keys that apply. Shares are 0..1. */
export interface Evaluation {
  readonly model: string;
  readonly n: number;
  readonly top1?: number;
  readonly top5?: number;
  readonly standardError?: number;
  readonly outputError?: number | null;
  readonly sqnrDb?: number | null;
  readonly agreement?: number | null;
  /** Samples whose answer is another than the float model's. */
  readonly flipped?: readonly number[];
  readonly msMedian: number;
  /** Score of the model compared against, where there are labels. */
  readonly against?: { readonly model: string; readonly top1: number };
}

const TOP = 5;

/** @throws {Failure} `model-…` and `data-…`. */
export async function evaluate(job: EvaluateJob): Promise<Evaluation> {
  const { model } = await openModel(job.model);
  const spec = job.data.endsWith(".npy") ? tensorSpec(job.data) : await readDataFile(job.data);
  if (spec.data === undefined)
    throw new Failure(
      "data-unreadable",
      `${spec.file} names no "data" to evaluate on.`,
      'Give "data", and "labels" for accuracy.',
    );
  const samples = await openSamples(spec, spec.data, model, job.samples ?? Infinity);
  const feeds = samples.feeds(Array.from({ length: samples.count }, (_, sample) => sample));
  const labels = spec.labels?.endsWith(".npy") ? await readLabels(spec.labels, samples.count) : undefined;

  const scored = await answers(
    await openSession(model, { weightsAlone: !job.asRun, threads: job.threads }),
    feeds,
    samples,
  );
  const result: Evaluation = { model: job.model, n: samples.count, msMedian: scored.msMedian };
  const score = labels && scoreOf(scored, labels, spec.labelOffset);
  if (job.against === undefined) return { ...result, ...score };

  const { model: float } = await openModel(job.against);
  const wanted = await answers(
    await openSession(float, { weightsAlone: true, threads: job.threads }),
    feeds,
    samples,
  );
  const { relativeError, sqnrDb, top1Agreement } = compareOutputs(
    wanted.rows.map((row, sample) => pairOf(row, scored.rows[sample]!)),
  );
  const flipped = wanted.rows.flatMap((row, sample) =>
    topOf(row) === topOf(scored.rows[sample]!) ? [] : [sample],
  );
  return {
    ...result,
    ...score,
    outputError: relativeError,
    sqnrDb,
    agreement: top1Agreement,
    flipped,
    ...(labels ? { against: { model: job.against, top1: scoreOf(wanted, labels, spec.labelOffset).top1 } } : {}),
  };
}

/** What a model answers: the first output, one row a sample. */
interface Answers {
  readonly rows: readonly Float64Array[];
  readonly msMedian: number;
}

async function answers(session: Session, feeds: readonly Feed[], { count, batch }: Samples): Promise<Answers> {
  const rows: Float64Array[] = [];
  const times: number[] = [];
  try {
    for (const feed of feeds) {
      const started = performance.now();
      const outputs = await session.run(feed);
      times.push(performance.now() - started);
      const [first] = outputs.values();
      if (!first) throw new Failure("model-does-not-run", "The model has no output.", "There is nothing to score.");
      const values = Float64Array.from(numbersOf(first));
      const samplesHere = Math.min(batch, count - rows.length);
      const size = values.length / samplesHere;
      for (let k = 0; k < samplesHere; k++) rows.push(values.subarray(k * size, (k + 1) * size));
    }
  } finally {
    await session.release();
  }
  return { rows, msMedian: median(times) };
}

function scoreOf(
  scored: Answers,
  labels: readonly number[],
  offset: number,
): { top1: number; top5: number; standardError: number } {
  const n = scored.rows.length;
  let first = 0;
  let amongTop = 0;
  scored.rows.forEach((row, sample) => {
    const wanted = row[labels[sample]! + offset];
    if (wanted === undefined) {
      throw new Failure(
        "data-does-not-fit",
        `Label ${labels[sample]} of sample ${sample} is beyond the ${row.length} outputs.`,
        'Check "labels" and "label_offset".',
      );
    }
    const better = row.filter(value => value > wanted).length;
    if (topOf(row) === labels[sample]! + offset) first++;
    if (better < TOP) amongTop++;
  });
  const top1 = first / n;
  return { top1, top5: amongTop / n, standardError: Math.sqrt((top1 * (1 - top1)) / n) };
}

function topOf(row: Float64Array): number {
  return largestAt(row, 0, row.length);
}

function pairOf(wanted: Float64Array, found: Float64Array): OutputPair {
  return { wanted, found, columns: wanted.length };
}

async function readLabels(path: string, count: number): Promise<number[]> {
  const array = readNpy(await readWhole(path, "data"), path);
  const labels = Array.from(numbersOf(array));
  if (labels.length < count) {
    throw new Failure(
      "data-does-not-fit",
      `${path} has ${labels.length} labels for ${count} samples.`,
      "Give a label for every sample.",
    );
  }
  return labels;
}
