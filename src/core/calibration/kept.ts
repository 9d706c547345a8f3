import type { Feed, Tensor, TensorType } from "./tensor";

/** A tensor put away, in memory or in a file: its values are there when asked for. */
export interface KeptTensor {
  readonly type: TensorType;
  readonly dims: readonly number[];
  read(): Promise<Tensor>;
  /** Says that nobody reads it any more: its room is given to others. */
  drop(): void;
}

/** Puts a tensor away. */
export type Keep = (tensor: Tensor) => Promise<KeptTensor>;

/** One call of a model, put away. */
export type KeptFeed = ReadonlyMap<string, KeptTensor>;

/** Keeps a tensor where it is. */
export function keptInMemory(tensor: Tensor, drop: () => void = () => {}): KeptTensor {
  return { type: tensor.type, dims: tensor.dims, read: () => Promise.resolve(tensor), drop };
}

export async function keepFeed(feed: Feed, keep: Keep): Promise<KeptFeed> {
  const kept = new Map<string, KeptTensor>();
  for (const [name, tensor] of feed) kept.set(name, await keep(tensor));
  return kept;
}

export async function readFeed(kept: KeptFeed): Promise<Feed> {
  const feed = new Map<string, Tensor>();
  for (const [name, tensor] of kept) feed.set(name, await tensor.read());
  return feed;
}
