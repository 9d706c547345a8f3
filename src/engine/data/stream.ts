import type { ModelInput } from "../../core/calibration/inputs";
import type { Feed, Session, Tensor } from "../../core/calibration/tensor";
import { Failure } from "../../core/failure";
import { MAX_CONSTANT_ELEMENTS } from "./open";
import { openSound } from "./sound";
import { elements } from "./source";

/** How a stream is fed: chunks of new samples after some old ones, and outputs that become inputs of the next call. */
export interface StreamSpec {
  readonly chunk: number;
  readonly context: number;
  /** Inputs by the outputs of the call before that they get; they begin as zeros. */
  readonly state: ReadonlyMap<string, string>;
}

/** The calls of a stream; each takes the state that the model left after the one before. */
export interface Stream {
  readonly count: number;
  /** The given calls, in order; those between them are run, too. */
  calls(wanted: Iterable<number>): AsyncGenerator<{ readonly call: number; readonly feed: Feed }>;
}

/** A place in a stream: the call that comes next, and the state it is fed. */
interface Place {
  readonly call: number;
  readonly state: Feed;
}

/**
 * @param input     what hears the sound.
 * @param constants what further inputs are fed in every call.
 * @param open      the model that is fed; opened anew for each row of calls.
 * @throws {Failure} `data-…`.
 */
export async function openStream(
  path: string,
  { chunk, context, state }: StreamSpec,
  input: ModelInput,
  inputs: readonly ModelInput[],
  constants: Feed,
  open: () => Promise<Session>,
): Promise<Stream> {
  const sound = await openSound(path);
  const beginning: Place = { call: 0, state: new Map([...state.keys()].map(name => [name, zeros(name, inputs)])) };
  // Who asks for the last calls after the first ones goes on from there.
  let reached = beginning;

  const feedOf = async ({ call, state }: Place): Promise<Feed> => {
    const from = call * chunk - context;
    const data = new Float32Array(context + chunk);
    // Before the first sample there was silence.
    const silent = Math.max(0, -from);
    data.set(await sound.read(from + silent, data.length - silent), silent);
    requireFinite(data, call, path);
    return new Map([...constants, ...state, [input.name, { type: "float32", dims: [1, data.length], data }]]);
  };
  const leftBy = (outputs: Feed): Feed =>
    new Map(
      [...state].map(([name, output]) => {
        const left = outputs.get(output);
        if (left) return [name, left];
        throw new Failure(
          "data-does-not-fit",
          `Input "${name}" should get output "${output}" of the call before, and the model has no such output.`,
          'Correct "state" in the data file.',
        );
      }),
    );
  return {
    count: Math.floor(sound.length / chunk),
    async *calls(wanted) {
      const session = await open();
      try {
        let now = reached;
        for (const call of wanted) {
          if (call < now.call) now = beginning;
          for (;;) {
            const feed = await feedOf(now);
            const isWanted = now.call === call;
            now = { call: now.call + 1, state: leftBy(await session.run(feed)) };
            reached = now;
            if (!isWanted) continue;
            yield { call, feed };
            break;
          }
        }
      } finally {
        await session.release();
      }
    },
  };
}

function zeros(name: string, inputs: readonly ModelInput[]): Tensor {
  const given = inputs.find(one => one.name === name)?.dims ?? [];
  const dims = given.map(dim => (typeof dim === "number" ? dim : 1));
  const count = elements(dims);
  if (!(count <= MAX_CONSTANT_ELEMENTS)) {
    throw new Failure(
      "data-does-not-fit",
      `State "${name}" is [${dims.join(", ")}] numbers, and ${MAX_CONSTANT_ELEMENTS} are the most.`,
      "No stream can be fed to this model.",
    );
  }
  return { type: "float32", dims, data: new Float32Array(count) };
}

function requireFinite(data: Float32Array, call: number, path: string): void {
  if (data.every(Number.isFinite)) return;
  throw new Failure(
    "data-not-finite",
    `${path} holds NaN or infinite values in chunk ${call}.`,
    "Errors measured on it would mean nothing; mend the sound.",
  );
}
