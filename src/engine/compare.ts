import { numbersOf } from "../core/calibration/convert";
import type { Feed, Session, Tensor } from "../core/calibration/tensor";
import { compareOutputs, type OutputError, type OutputPair } from "../core/report/measure";

/** Runs both models on the same calls and compares each output, all calls together. */
export async function compareSessions(
  wanted: Session,
  found: Session,
  feeds: readonly Feed[],
): Promise<(OutputError & { name: string })[]> {
  const pairs = new Map<string, OutputPair[]>();
  for (const feed of feeds) {
    const [left, right] = [await wanted.run(feed), await found.run(feed)];
    for (const [name, tensor] of left) {
      const other = right.get(name);
      if (!other) throw new Error(`The copy has no output "${name}".`);
      const list = pairs.get(name) ?? [];
      list.push(pairOf(tensor, other));
      pairs.set(name, list);
    }
  }
  return [...pairs].map(([name, list]) => ({ name, ...compareOutputs(list) }));
}

function pairOf(wanted: Tensor, found: Tensor): OutputPair {
  return { wanted: numbersOf(wanted), found: numbersOf(found), columns: wanted.dims.at(-1) ?? 1 };
}

/** The largest relative error of a list of outputs; null where none could be measured. */
export function worstError(outputs: readonly OutputError[]): number | null {
  const errors = outputs.flatMap(output => output.relativeError ?? []);
  return errors.length > 0 ? Math.max(...errors) : null;
}

/** Milliseconds of one run, the median of a few after one to warm up. */
export async function medianRunMs(session: Session, feed: Feed, runs = 5): Promise<number> {
  await session.run(feed);
  const times: number[] = [];
  for (let k = 0; k < runs; k++) {
    const started = performance.now();
    await session.run(feed);
    times.push(performance.now() - started);
  }
  return median(times);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
