import { type KeptFeed, readFeed } from "../core/calibration/kept";
import { Failure } from "../core/failure";
import { inWebAssembly, onWebGpu } from "../core/formats/browsers";
import { gridOf } from "../core/formats/codes";
import { putBack, type StoredLayer, writeCopy } from "../core/formats/copy";
import { withFloatActivations } from "../core/formats/nbits";
import { leastForOpset, leastForWeight, releaseName } from "../core/formats/versions";
import { type Model, opsetOf } from "../core/onnx/model";
import type { ModelProto } from "../core/onnx/onnx_pb";
import { smallerInMemory } from "../core/report/measure";
import type { Report, RuntimeReport } from "../core/report/report";
import { alternatingRunsMs, compareNetworks, median, worstError } from "./compare";
import { type InParts, openNetwork } from "./network";
import { residentBytes } from "./residentMemory";
import type { SessionChoices } from "./runtime";

/** Weights alone, a copy computes the very numbers of its dequantized weights, but for the order of some sums. */
const WEIGHTS_ALONE_BOUND = 1e-4;
/**
 * In a default session onnxruntime rounds activations of MatMul and Gemm to int8: about 5e-3 a layer (onnx.md, section 3),
 * which some tens of layers do not raise to this. Beyond it something else is wrong.
 */
const DEFAULT_SESSION_BOUND = 0.1;
/** Calls of the model that the check against the dequantized weights runs. */
const CHECKED_RUNS = 4;

export interface CheckedCopy {
  readonly outputs: Report["outputs"];
  readonly runtime: RuntimeReport;
}

/**
 * Loads a written copy, runs it and compares it: weights alone and in a default session with the same weights put back as
 * floats, and with the float model.
 *
 * @param made    the model as it was given, as the layers were taken from it, and what they became.
 * @param written the copy, also as it lies on the disk, and the file of the float model where memory shall be measured, too.
 * @param on      calls to compare on: the held-out ones where there are any.
 * @param inParts how they are run where they are too large to be loaded as a whole; then they are not timed.
 * @throws {Failure} `copy-does-not-load` or `copy-differs`.
 */
export async function checkCopy(
  { original, model, layers }: { original: Model; model: Model; layers: readonly StoredLayer[] },
  { copy, path, measureMemoryBeside }: { copy: Model; path: string; measureMemoryBeside: string | null },
  { feeds, heldOut }: { feeds: readonly KeptFeed[]; heldOut: number },
  choices: Omit<SessionChoices, "weightsAlone">,
  inParts: InParts | null,
): Promise<CheckedCopy> {
  const alone: SessionChoices = { ...choices, weightsAlone: true };
  const asRun: SessionChoices = { ...choices, weightsAlone: false };
  const reference = await openNetwork(putBack(model, layers), alone, inParts);
  // Its codes stand for as many floats: a part of it shall hold no more of them.
  const copyInParts = inParts && { ...inParts, mostBytes: inParts.mostBytes * smallest(layers) };
  // The file itself where it says nothing of activations; MatMulNBits does.
  const aloneCopy = await openCopy(withFloatActivations(copy) === copy ? path : copy, alone, copyInParts);
  // The same calls where those are all: a network that is run in parts remembers what they gave.
  const some = feeds.length > CHECKED_RUNS ? feeds.slice(0, CHECKED_RUNS) : feeds;
  const differenceAlone = worstError(await compareNetworks(reference, aloneCopy.network, some));
  if (!isWithin(differenceAlone, WEIGHTS_ALONE_BOUND)) {
    throw await differs({ model, layers }, some, alone, inParts, differenceAlone, WEIGHTS_ALONE_BOUND);
  }
  const asRunCopy = await openCopy(path, asRun, copyInParts);
  const differenceAsRun = worstError(await compareNetworks(reference, asRunCopy.network, some));
  if (!isWithin(differenceAsRun, DEFAULT_SESSION_BOUND)) {
    throw await differs({ model, layers }, some, asRun, inParts, differenceAsRun, DEFAULT_SESSION_BOUND);
  }
  await reference.release();

  const started = performance.now();
  // Nothing of it is rounded in a default session either; in parts it is not timed.
  const float = await openNetwork(original, inParts ? alone : asRun, inParts);
  const loadMsFloat = performance.now() - started;
  const outputs = await compareNetworks(float, aloneCopy.network, feeds);
  const asRunOutputs = await compareNetworks(float, asRunCopy.network, feeds);
  const first = await readFeed(feeds[0]!);
  const both = float.whole && asRunCopy.network.whole;
  const ms = both && (await alternatingRunsMs(float.whole, both, first));
  const runtime: RuntimeReport = {
    ...leastVersions(copy, layers),
    opset: opsetOf(copy) ?? 0,
    irVersion: Number(copy.irVersion),
    msFloat: ms && median(ms[0]),
    msQuantized: ms && median(ms[1]),
    loadMsFloat: both && loadMsFloat,
    loadMsQuantized: both && asRunCopy.loadMs,
    ...(await memoryOf(both && measureMemoryBeside, path)),
    differenceAlone,
    differenceAsRun,
    asRunError: worstError(asRunOutputs),
  };
  await Promise.all([float.release(), aloneCopy.network.release(), asRunCopy.network.release()]);
  return { outputs: outputs.map(output => ({ ...output, heldOut })), runtime };
}

/** @param float null: not asked for, or too large to be loaded as a whole. */
async function memoryOf(float: string | null, copy: string) {
  if (float === null) return { residentBytesFloat: null, residentBytesQuantized: null, smallerInMemory: null };
  // One after the other: both at once would need twice the memory of a large model.
  const [residentBytesFloat, residentBytesQuantized] = [await residentBytes(float), await residentBytes(copy)];
  return {
    residentBytesFloat,
    residentBytesQuantized,
    smallerInMemory: smallerInMemory(residentBytesFloat, residentBytesQuantized),
  };
}

/** The least share of the bytes of its floats that a layer takes. */
function smallest(layers: readonly StoredLayer[]): number {
  return Math.min(...layers.map(({ alphabets }) => alphabets.bits)) / 32;
}

async function openCopy(copy: string | Model, choices: SessionChoices, inParts: InParts | null) {
  const started = performance.now();
  try {
    const network = await openNetwork(copy, choices, inParts);
    return { network, loadMs: performance.now() - started };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(
      "copy-does-not-load",
      `The copy was written but onnxruntime refuses it (${error.happened})`,
      "Nothing was kept; use --format packed.",
    );
  }
}

/** What could not be measured is not too far off. */
function isWithin(error: number | null, bound: number): boolean {
  return error === null || error <= bound;
}

/** The failure, with the first layer that differs when it alone is quantized. */
async function differs(
  { model, layers }: { model: Model; layers: readonly StoredLayer[] },
  feeds: readonly KeptFeed[],
  choices: SessionChoices,
  inParts: InParts | null,
  error: number | null,
  bound: number,
): Promise<Failure> {
  let culprit = "no layer alone does; all of them together do";
  for (const layer of layers) {
    const reference = await openNetwork(putBack(model, [layer]), choices, inParts);
    const copy = await openNetwork(writeCopy(model, [layer], {}).copy, choices, inParts);
    const alone = worstError(await compareNetworks(reference, copy, feeds));
    await Promise.all([reference.release(), copy.release()]);
    if (isWithin(alone, bound)) continue;
    const by = Number.isFinite(alone) ? `, by ${alone!.toExponential(1)}` : "";
    culprit = `layer "${layer.layer.name}" alone does${by}`;
    break;
  }
  const differs = Number.isFinite(error)
    ? `differs from its own dequantized weights by ${error!.toExponential(1)}, and ${bound} is the bound`
    : "gives NaN or infinity where its own dequantized weights give numbers";
  if (choices.weightsAlone) {
    return new Failure(
      "copy-differs",
      `The copy ${differs}; ${culprit}.`,
      "Nothing was kept; use --format packed or leave that layer out with --exclude, and tell us about this model.",
    );
  }
  // Weights or activations near the ends of float32: one scale for all of a tensor, times another, is no number any more.
  return new Failure(
    "copy-differs",
    `In a default session, where onnxruntime rounds activations to int8, the copy ${differs}; ${culprit}.`,
    "Nothing was kept; use --format packed, whose activations stay floats, or leave that layer out with --exclude.",
  );
}

function leastVersions(copy: ModelProto, layers: readonly StoredLayer[]) {
  const least = Math.max(
    leastForOpset(opsetOf(copy) ?? 0),
    ...layers.map(one => leastForWeight(one.format, one.layer.op, gridOf(one))),
  );
  return {
    leastOnnxruntime: releaseName(least),
    leastCorrectOnnxruntime: releaseName(least),
    webAssembly: inWebAssembly(least),
    webGpu: onWebGpu(layers),
  };
}
