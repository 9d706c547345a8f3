import { Failure } from "../core/failure";
import { largestAt, outputComparison } from "../core/report/measure";
import { type Score, type Scoring, scoringOfClasses, scoringOfTokens } from "../core/report/score";
import { type Answer, answersOf, type Calls, goldenAnswers } from "./answers";
import { alternatingRunsMs, median, spread } from "./compare";
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
  /** What has to be said of how the samples were read. */
  readonly warnings: readonly string[];
  /** The model compared against. */
  readonly against?: Score & { readonly model: string; readonly msMedian: number; readonly msSpread: number };
}

/** @throws {Failure} `model-…` and `data-…`. */
export async function evaluate(job: EvaluateJob): Promise<Evaluation> {
  const spec = await readDataFile(job.data);
  const found = await opened(job.model, spec, job, !job.asRun);
  try {
    if (job.against !== undefined) {
      const wanted = await opened(job.against, spec, job, true);
      try {
        return await evaluated(job, spec, found, wanted);
      } finally {
        await wanted.session.release();
      }
    }
    return await evaluated(job, spec, found, undefined);
  } finally {
    await found.session.release();
  }
}

/** A model at work; each has samples of its own, since a stream is fed what this very model leaves behind. */
async function opened(path: string, spec: DataSpec, job: EvaluateJob, weightsAlone: boolean) {
  const { against = job.model, samples: limit, threads } = job;
  const { model } = openModel(path);
  const session = await openSession(model, { weightsAlone, threads });
  try {
    const samples = await openSamples(spec, "data", model, limit ?? Infinity, against);
    const calls: Calls = { ms: [], first: undefined };
    return { path, session, samples, calls };
  } catch (error) {
    await session.release();
    throw error;
  }
}
type Opened = Awaited<ReturnType<typeof opened>>;

/** Both models answer sample by sample, and nothing is kept of an answer but what it adds to the figures. */
async function evaluated(
  { model }: EvaluateJob,
  spec: DataSpec,
  found: Opened,
  against: Opened | undefined,
): Promise<Evaluation> {
  const { samples } = found;
  const score = await scorer(samples, spec);
  const floatScore = against && (await scorer(samples, spec));
  const golden = spec.golden[0];
  const wanted =
    (against && answersOf(against.session, against.samples, against.calls)) ??
    (golden === undefined ? undefined : goldenAnswers(golden, samples.count));
  const comparison = wanted && comparing();
  try {
    for await (const answer of answersOf(found.session, samples, found.calls)) {
      await score.add(answer);
      if (!wanted) continue;
      const next = await wanted.next();
      if (next.done) throw new Error("Both models are given as many samples.");
      await floatScore?.add(next.value);
      comparison?.add(next.value, answer);
    }
  } finally {
    await wanted?.return(undefined);
  }
  const result = { model, n: samples.count, warnings: samples.warnings, ...score.score(), ...comparison?.result() };
  if (!against) return { ...result, ...timeOf(found.calls.ms) };
  const [ms, floatMs] = await alternatingRunsMs(found.session, against.session, found.calls.first!);
  return {
    ...result,
    ...timeOf(ms),
    against: { model: against.path, ...floatScore!.score(), ...timeOf(floatMs) },
  };
}

function timeOf(ms: readonly number[]) {
  return { msMedian: median(ms), msSpread: spread(ms) };
}

/** What answers are scored by: what should follow each token, the class of each sample, or nothing. */
async function scorer(samples: Samples, spec: DataSpec) {
  const { targets } = samples;
  if (targets) {
    const scoring = scoringOfTokens();
    const add = async (answer: Answer): Promise<void> => addTokens(scoring, answer, await targets(answer.sample));
    return { add, score: () => scoring.score() };
  }
  const labels = spec.labels?.endsWith(".npy") ? await readLabels(spec.labels) : samples.classes;
  if (!labels) return { add: () => Promise.resolve(), score: () => ({}) };
  if (labels.length < samples.count) {
    throw new Failure(
      "data-does-not-fit",
      `${spec.labels ?? spec.data} holds ${labels.length} labels for ${samples.count} samples.`,
      "Give a label for every sample.",
    );
  }
  const scoring = scoringOfClasses();
  const add = ({ sample, row }: Answer): Promise<void> => {
    const wanted = labels[sample]! + spec.labelOffset;
    requireClasses([wanted], sample, row.length, spec.labels ?? "the names of the files");
    scoring.add(row, wanted);
    return Promise.resolve();
  };
  return { add, score: () => scoring.score() };
}

/** @throws {Failure} `data-does-not-fit` for answers that are no logits of tokens. */
function addTokens(scoring: Scoring<readonly number[]>, { sample, row, columns }: Answer, wanted: number[]): void {
  if (row.length !== wanted.length * columns) {
    throw new Failure(
      "data-does-not-fit",
      `The model gives ${row.length} numbers for ${wanted.length} tokens, and not one row of logits for each.`,
      "Only models whose first output is [N, T, vocabulary] have a cross-entropy.",
    );
  }
  requireClasses(wanted, sample, columns, "the tokens");
  scoring.add(row, wanted);
}

function requireClasses(classes: readonly number[], sample: number, count: number, from: string): void {
  const odd = classes.find(one => !(Number.isInteger(one) && one >= 0 && one < count));
  if (odd === undefined) return;
  throw new Failure(
    "data-does-not-fit",
    `Label ${odd} of sample ${sample}, by ${from}, is beyond the ${count} outputs.`,
    'Check "labels" and "label_offset".',
  );
}

/** How a model's answers compare with those wanted. */
function comparing() {
  const comparison = outputComparison();
  const flipped: number[] = [];
  // Where a sample has several rows (tokens, boxes), one of them nearly always changes; that would say nothing.
  let single = true;
  return {
    add(wanted: Answer, { sample, row, columns }: Answer): void {
      if (wanted.row.length !== row.length) {
        throw new Failure(
          "data-does-not-fit",
          `${row.length} numbers are answered for sample ${sample}, and ${wanted.row.length} are wanted.`,
          'Compare a copy with the model it was made of, and correct "golden_files" in the data file.',
        );
      }
      comparison.add({ wanted: wanted.row, found: row, columns });
      single &&= row.length === columns && columns > 1;
      if (topOf(row) !== topOf(wanted.row)) flipped.push(sample);
    },
    result() {
      const { relativeError, sqnrDb, cosine, top1Agreement } = comparison.error();
      return {
        outputError: relativeError,
        sqnrDb,
        cosine,
        agreement: top1Agreement,
        ...(single ? { flipped } : {}),
      };
    },
  };
}

function topOf(row: Float32Array): number {
  return largestAt(row, 0, row.length);
}
