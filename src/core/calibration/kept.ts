import type { Feed, Tensor, TensorType } from "./tensor";

/** A tensor put away, in memory or in a file: its values are there when asked for. */
export interface KeptTensor {
  readonly type: TensorType;
  readonly dims: readonly number[];
  /** Whether all its values can be fitted to; told as it is put away, so that nothing is read again for it. */
  readonly usable: boolean;
  read(): Promise<Tensor>;
  /** The same, for whoever cannot wait: the writer of a copy. */
  readNow(): Tensor;
  /** Says that nobody reads it any more: its room is given to others. */
  drop(): void;
}

/** Puts a tensor away. */
export type Keep = (tensor: Tensor) => Promise<KeptTensor>;

/** One call of a model, put away. */
export type KeptFeed = ReadonlyMap<string, KeptTensor>;

/** Keeps a tensor where it is. */
export function keptInMemory(tensor: Tensor, drop: () => void = () => {}): KeptTensor {
  const { type, dims } = tensor;
  return { type, dims, usable: isUsable(tensor), read: () => Promise.resolve(tensor), readNow: () => tensor, drop };
}

/** Squares of these, summed over all rows a layer can have, still are float32 numbers; beyond, a network has overflowed. */
const LARGEST_ACTIVATION = 1e15;

/** All bits of a half's exponent set: infinite, or not a number. */
const HALF_EXPONENT = 0x7c00;

/** Whether all values are numbers that can be fitted to: a network that overflows, or takes the logarithm of less than zero, gives others. */
export function isUsable({ type, data }: Pick<Tensor, "type" | "data">): boolean {
  if (type === "float16") return !(data as Uint16Array).some(half => (half & HALF_EXPONENT) === HALF_EXPONENT);
  if (type !== "float32" && type !== "float64") return true;
  const values = data as Float32Array | Float64Array;
  for (let at = 0; at < values.length; at++) if (!(Math.abs(values[at]!) <= LARGEST_ACTIVATION)) return false;
  return true;
}

export async function keepFeed(feed: Feed, keep: Keep): Promise<KeptFeed> {
  const kept = new Map<string, KeptTensor>();
  for (const [name, tensor] of feed) kept.set(name, await keep(tensor));
  return kept;
}

/** Each of them read as its turn comes. */
export async function* readFeeds(kept: readonly KeptFeed[]): AsyncGenerator<Feed> {
  for (const feed of kept) yield await readFeed(feed);
}

export async function readFeed(kept: KeptFeed): Promise<Feed> {
  const feed = new Map<string, Tensor>();
  for (const [name, tensor] of kept) feed.set(name, await tensor.read());
  return feed;
}
