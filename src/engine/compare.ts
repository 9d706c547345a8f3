import { numbersOf } from "../core/calibration/convert";
import type { KeptFeed } from "../core/calibration/kept";
import type { Feed, Session, Tensor } from "../core/calibration/tensor";
import { type OutputComparison, outputComparison, type OutputError, type OutputPair } from "../core/report/measure";
import type { Network } from "./network";

/** Runs both networks on the same calls and compares each output, all calls together. */
export function compareNetworks(wanted: Network, found: Network, feeds: readonly KeptFeed[]) {
  return compareRuns(wanted.outputs(feeds), found.outputs(feeds));
}

/**
 * @param wanted what the outputs of each call should be.
 * @param found  what they are.
 * @param onPair sees each pair as it is compared.
 */
export async function compareRuns(
  wanted: AsyncIterable<Feed>,
  found: AsyncIterable<Feed>,
  onPair: (name: string, pair: OutputPair) => void = () => {},
): Promise<(OutputError & { name: string })[]> {
  const comparisons = new Map<string, OutputComparison>();
  const others = found[Symbol.asyncIterator]();
  for await (const left of wanted) {
    const next = await others.next();
    const right = next.done ? undefined : next.value;
    for (const [name, tensor] of left) {
      const other = right?.get(name);
      if (!other) throw new Error(`The copy has no output "${name}".`);
      const comparison = comparisons.get(name) ?? outputComparison();
      const pair = pairOf(tensor, other);
      comparison.add(pair);
      onPair(name, pair);
      comparisons.set(name, comparison);
    }
  }
  // To its end, where it gives up what it keeps.
  await others.next();
  return [...comparisons].map(([name, comparison]) => ({ name, ...comparison.error() }));
}

function pairOf(wanted: Tensor, found: Tensor): OutputPair {
  return { wanted: numbersOf(wanted), found: numbersOf(found), columns: wanted.dims.at(-1) ?? 1 };
}

/** The largest relative error of a list of outputs; null where none could be measured. */
export function worstError(outputs: readonly OutputError[]): number | null {
  const errors = outputs.flatMap(output => output.relativeError ?? []);
  return errors.length > 0 ? Math.max(...errors) : null;
}

/** Rounds of timing: enough that the median means something, and no more than a user would wait for. */
const ROUNDS = { least: 2, most: 301, enoughMs: 400 };
/** The first runs allocate; what runs for longer than this does more than that. */
const WARM_UPS = { most: 3, enoughMs: 100 };

/**
 * Milliseconds of runs of each. The two take turns, so that what else the machine does falls on both alike.
 */
export async function alternatingRunsMs(
  first: Session,
  second: Session,
  feed: Feed,
): Promise<[number[], number[]]> {
  const time = async (session: Session): Promise<number> => {
    const started = performance.now();
    await session.run(feed);
    return performance.now() - started;
  };
  let started = performance.now();
  for (let k = 0; k < WARM_UPS.most && (k === 0 || performance.now() - started < WARM_UPS.enoughMs); k++) {
    await first.run(feed);
    await second.run(feed);
  }
  const firstMs: number[] = [];
  const secondMs: number[] = [];
  started = performance.now();
  while (
    firstMs.length < ROUNDS.least ||
    (firstMs.length < ROUNDS.most && performance.now() - started < ROUNDS.enoughMs)
  ) {
    firstMs.push(await time(first));
    secondMs.push(await time(second));
  }
  return [firstMs, secondMs];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How far apart the quarters of the values are: between which the middle half of them lies. */
export function spread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return at(0.75) - at(0.25);
}
