import { numbersOf } from "../core/calibration/convert";
import type { Feed, Session } from "../core/calibration/tensor";
import { Failure } from "../core/failure";
import { compareOutputs, largestAt, type OutputPair } from "../core/report/measure";
import { type Score, scoreOfClasses, scoreOfTokens } from "../core/report/score";
import { alternatingRunsMs, median, spread } from "./compare";
import { wholeArray } from "./data/arrays";
import { openBytes } from "./data/bytes";
import { readLabels } from "./data/open";
import { type DataSpec, readDataFile } from "./dataFile";
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

/** A model's score; the keys that apply. Shares are 0..1, cross-entropies in nats. */
export interface Evaluation extends Score {
  readonly model: string;
  readonly n: number;
  readonly outputError?: number | null;
  readonly sqnrDb?: number | null;
  readonly cosine?: number | null;
  readonly agreement?: number | null;
  /** Samples whose answer is another than the float model's. */
  readonly flipped?: readonly number[];
  /** Of one call; measured in turns with the float model where there is one. */
  readonly msMedian: number;
  /** Between which the middle half of the calls lies. */
  readonly msSpread: number;
  /** The model compared against. */
  readonly against?: Score & { readonly model: string; readonly msMedian: number; readonly msSpread: number };
}

/** @throws {Failure} `model-…` and `data-…`. */
export async function evaluate(job: EvaluateJob): Promise<Evaluation> {
  const spec = await readDataFile(job.data);
  const { model } = await openModel(job.model);
  const session = await openSession(model, { weightsAlone: !job.asRun, threads: job.threads });
  try {
    const samples = await openSamples(spec, "data", model, job.samples ?? Infinity);
    const scored = await answers(session, samples);
    const labels = spec.labels?.endsWith(".npy") ? await readLabels(spec.labels) : samples.classes;
    const result = { model: job.model, n: samples.count, ...(await scoreOf(scored, samples, labels, spec)) };
    if (job.against !== undefined) return await compared(job, job.against, spec, labels, session, scored, result);
    const golden = spec.golden[0];
    const time = { msMedian: median(scored.ms), msSpread: spread(scored.ms) };
    if (golden === undefined) return { ...result, ...time };
    return { ...result, ...time, ...comparison(await goldenRows(golden, scored), scored) };
  } finally {
    await session.release();
  }
}

async function compared(
  { threads, samples: limit }: EvaluateJob,
  path: string,
  spec: DataSpec,
  labels: readonly number[] | undefined,
  session: Session,
  scored: Answers,
  result: Omit<Evaluation, "msMedian" | "msSpread">,
): Promise<Evaluation> {
  const { model } = await openModel(path);
  const float = await openSession(model, { weightsAlone: true, threads });
  try {
    // Opened anew: a stream is fed what this model leaves behind.
    const samples = await openSamples(spec, "data", model, limit ?? Infinity);
    const wanted = await answers(float, samples);
    const [ms, floatMs] = await alternatingRunsMs(session, float, scored.firstFeed);
    return {
      ...result,
      ...comparison(wanted.rows, scored),
      msMedian: median(ms),
      msSpread: spread(ms),
      against: {
        model: path,
        ...(await scoreOf(wanted, samples, labels, spec)),
        msMedian: median(floatMs),
        msSpread: spread(floatMs),
      },
    };
  } finally {
    await float.release();
  }
}

/** What a model answers: the first output, one row a sample. */
interface Answers {
  readonly rows: readonly Float32Array[];
  /** Length of the last axis. */
  readonly columns: number;
  readonly ms: readonly number[];
  readonly firstFeed: Feed;
}

async function answers(session: Session, samples: Samples): Promise<Answers> {
  const rows: Float32Array[] = [];
  const ms: number[] = [];
  let columns = 1;
  let firstFeed: Feed | undefined;
  const all = Array.from({ length: samples.count }, (_, sample) => sample);
  for await (const call of samples.calls(all)) {
    firstFeed ??= call.feed;
    const started = performance.now();
    const outputs = await session.run(call.feed);
    ms.push(performance.now() - started);
    const [first] = outputs.values();
    if (!first) throw new Failure("model-does-not-run", "The model has no output.", "There is nothing to score.");
    columns = first.dims.at(-1) ?? 1;
    const values = Float32Array.from(numbersOf(first));
    const size = values.length / call.held;
    for (let k = 0; k < call.samples.length; k++) rows.push(values.subarray(k * size, (k + 1) * size));
  }
  return { rows, columns, ms, firstFeed: firstFeed! };
}

/** @throws {Failure} `data-does-not-fit` for labels that are not the model's. */
async function scoreOf(
  { rows, columns }: Answers,
  { count, targets }: Samples,
  labels: readonly number[] | undefined,
  { labelOffset, labels: file }: DataSpec,
): Promise<Score> {
  if (targets) {
    const wanted = await Promise.all(rows.map((_, sample) => targets(sample)));
    wanted.forEach((row, sample) => {
      if (rows[sample]!.length !== row.length * columns) {
        throw new Failure(
          "data-does-not-fit",
          `The model gives ${rows[sample]!.length} numbers for ${row.length} tokens, and not one row of logits for each.`,
          "Only models whose first output is [N, T, vocabulary] have a cross-entropy.",
        );
      }
      requireClasses(row, sample, columns);
    });
    return scoreOfTokens(rows, wanted);
  }
  if (!labels) return {};
  if (labels.length < count) {
    throw new Failure(
      "data-does-not-fit",
      `${file ?? "The names of the files"} hold ${labels.length} labels for ${count} samples.`,
      "Give a label for every sample.",
    );
  }
  const classes = labels.slice(0, count).map(label => label + labelOffset);
  classes.forEach((label, sample) => requireClasses([label], sample, rows[sample]!.length));
  return scoreOfClasses(rows, classes);
}

function requireClasses(classes: readonly number[], sample: number, count: number): void {
  const odd = classes.find(one => !(Number.isInteger(one) && one >= 0 && one < count));
  if (odd === undefined) return;
  throw new Failure(
    "data-does-not-fit",
    `Label ${odd} of sample ${sample} is beyond the ${count} outputs.`,
    'Check "labels" and "label_offset".',
  );
}

function comparison(wanted: readonly Float32Array[], { rows, columns }: Answers) {
  const pairs = rows.map((found, sample): OutputPair => ({ wanted: wanted[sample]!, found, columns }));
  const { relativeError, sqnrDb, cosine, top1Agreement } = compareOutputs(pairs);
  // Where a sample has several rows (tokens, boxes), one of them nearly always changes; that would say nothing.
  const single = rows.every(row => row.length === columns) && columns > 1;
  const flipped = rows.flatMap((row, sample) => (topOf(row) === topOf(wanted[sample]!) ? [] : [sample]));
  return { outputError: relativeError, sqnrDb, cosine, agreement: top1Agreement, ...(single ? { flipped } : {}) };
}

function topOf(row: Float32Array): number {
  return largestAt(row, 0, row.length);
}

/** What the float model answered elsewhere, stored with the data. */
async function goldenRows(path: string, { rows }: Answers): Promise<Float32Array[]> {
  const array = await wholeArray(await openBytes(path));
  const values = Float32Array.from(numbersOf(array));
  const count = array.dims[0] ?? 0;
  const size = values.length / Math.max(1, count);
  if (count < rows.length || size !== rows[0]!.length) {
    throw new Failure(
      "data-does-not-fit",
      `${path} holds [${array.dims.join(", ")}], and the model gives ${rows.length} answers of ${rows[0]!.length} numbers.`,
      'Correct "golden_files" in the data file.',
    );
  }
  return rows.map((_, sample) => values.subarray(sample * size, (sample + 1) * size));
}
