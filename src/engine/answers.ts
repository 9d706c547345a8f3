import { numbersOf } from "../core/calibration/convert";
import type { Feed, Session } from "../core/calibration/tensor";
import { Failure } from "../core/failure";
import { arraySource } from "./data/arrays";
import { openBytes } from "./data/bytes";
import { firstSamples, type Samples } from "./samples";

/** What a model answers for a sample: its first output. */
export interface Answer {
  readonly sample: number;
  readonly row: Float32Array;
  /** Length of the last axis. */
  readonly columns: number;
}

/** What was seen of a model while it answered. */
export interface Calls {
  /** Of the first ones. */
  readonly ms: number[];
  first: Feed | undefined;
}

/** So many calls say how long one takes. */
const MOST_TIMED = 10_000;

/** Runs a model on all samples; one call is in memory at a time. */
export async function* answersOf(session: Session, samples: Samples, seen: Calls): AsyncGenerator<Answer> {
  for await (const call of samples.calls(firstSamples(samples.count))) {
    seen.first ??= call.feed;
    const started = performance.now();
    const outputs = await session.run(call.feed);
    if (seen.ms.length < MOST_TIMED) seen.ms.push(performance.now() - started);
    const [first] = outputs.values();
    if (!first) throw new Failure("model-does-not-run", "The model has no output.", "There is nothing to score.");
    const columns = first.dims.at(-1) ?? 1;
    const values = Float32Array.from(numbersOf(first));
    const size = values.length / call.held;
    for (const [k, sample] of call.samples.entries())
      yield { sample, row: values.subarray(k * size, (k + 1) * size), columns };
  }
}

/**
 * What the float model answered elsewhere, stored with the data.
 *
 * @param count samples there must be answers for.
 */
export async function* goldenAnswers(path: string, count: number): AsyncGenerator<Answer> {
  const source = await arraySource(await openBytes(path));
  if (source.count < count) {
    throw new Failure(
      "data-does-not-fit",
      `${path} holds answers for ${source.count} samples, and there are ${count}.`,
      'Correct "golden_files" in the data file.',
    );
  }
  for (let sample = 0; sample < count; sample++) {
    const row = Float32Array.from(numbersOf(await source.read(sample)));
    yield { sample, row, columns: source.dims.at(-1) ?? 1 };
  }
}
