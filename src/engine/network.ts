import { startForward } from "../core/calibration/forward";
import { type Keep, keepFeed, type KeptFeed, readFeed, readFeeds } from "../core/calibration/kept";
import type { Feed, Session } from "../core/calibration/tensor";
import { cutBySize } from "../core/graph/segments";
import { indexGraph } from "../core/graph/uses";
import type { Model } from "../core/onnx/model";
import { NOTHING } from "../core/pipeline";
import { openModel } from "./modelFile";
import { openSession, type SessionChoices, USUAL_IN_MEMORY } from "./runtime";

/** A network that can be run from its inputs to its outputs. */
export interface Network {
  /** What each call gives, in order. */
  outputs(feeds: readonly KeptFeed[]): AsyncIterable<Feed>;
  /** The network as a whole; null where it is run part by part. */
  readonly whole: Session | null;
  release(): Promise<void>;
}

/** How a network that is too large to be loaded as a whole is run. */
export interface InParts {
  /** Stored bytes of a part at most, or a single node. */
  readonly mostBytes: number;
  /** Of what is alive between two parts. */
  readonly keep: Keep;
}

/** How networks are run within the memory there is. */
export interface RunChoices {
  /** Null: as a whole. */
  readonly inParts: InParts | null;
  readonly mostInMemory: number;
}

/** Of the memory of a run, what the stored tensors of a network may take that is loaded as a whole: there are three at once. */
const SHARE = 1 / 4;

/**
 * @param storedBytes of the model.
 * @param memory of the run, in bytes.
 */
export function runChoices(storedBytes: number, memory: number, keep: Keep): RunChoices {
  const mostBytes = memory * SHARE;
  return {
    inParts: storedBytes > mostBytes ? { mostBytes, keep } : null,
    mostInMemory: Math.min(USUAL_IN_MEMORY, mostBytes),
  };
}

/** Opens the networks of a run, all in the same way. */
export type OpenNetwork = (model: Model) => Promise<Network>;

/**
 * @param model   the path of a file, or a model.
 * @param inParts null: it is loaded as a whole.
 * @throws {Failure} `model-does-not-run`; in parts only when it is run.
 */
export async function openNetwork(
  model: Model | string,
  choices: SessionChoices,
  inParts: InParts | null,
): Promise<Network> {
  if (!inParts) {
    const session = await openSession(model, choices);
    return { outputs: feeds => runWhole(session, feeds), whole: session, release: () => session.release() };
  }
  const opened = typeof model === "string" ? openModel(model).model : model;
  // What the last calls gave: loading all parts again for the same ones takes longer than anything else.
  let last: { readonly feeds: readonly KeptFeed[]; readonly made: readonly KeptFeed[] } | undefined;
  const forget = (): void => {
    for (const feed of last?.made ?? []) for (const value of feed.values()) value.drop();
    last = undefined;
  };
  return {
    async *outputs(feeds) {
      if (last?.feeds !== feeds) {
        forget();
        last = { feeds, made: await runInParts(opened, feeds, choices, inParts) };
      }
      yield* readFeeds(last.made);
    },
    whole: null,
    release() {
      forget();
      return Promise.resolve();
    },
  };
}

async function* runWhole(session: Session, feeds: readonly KeptFeed[]): AsyncGenerator<Feed> {
  for (const feed of feeds) yield await session.run(await readFeed(feed));
}

/** All calls go through a part before the next is loaded. */
async function runInParts(
  model: Model,
  feeds: readonly KeptFeed[],
  choices: SessionChoices,
  { mostBytes, keep }: InParts,
): Promise<KeptFeed[]> {
  const index = indexGraph(model.graph);
  const pass = startForward(model, index, feeds, part => openSession(part, { ...choices, part: true }), keep);
  let alive = feeds;
  for (const segment of cutBySize(index, mostBytes)) alive = await pass.through(segment, NOTHING);
  try {
    const made: KeptFeed[] = [];
    for (const values of alive) {
      const outputs = [...index.outputs].flatMap(name => {
        const value = values.get(name);
        return value ? [[name, value] as const] : [];
      });
      // Kept anew: the pass gives up its own, and a model may hand an input on.
      made.push(await keepFeed(await readFeed(new Map(outputs)), keep));
    }
    return made;
  } finally {
    pass.end();
  }
}
