import type { Skipped, SkipReason } from "../../src/core/graph/skipped";
import { t } from "./text";

/** Tensors left alone for the same reason. */
export interface LeftAlone {
  readonly reason: SkipReason;
  readonly tensors: readonly Skipped[];
  readonly bytes: number;
}

/** By reason, those that hold most bytes first; the tensors of each largest first. */
export function reasonsOf(skipped: readonly Skipped[]): readonly LeftAlone[] {
  const groups = new Map<SkipReason, Skipped[]>();
  for (const one of skipped) {
    const group = groups.get(one.reason);
    if (group) group.push(one);
    else groups.set(one.reason, [one]);
  }
  return [...groups]
    .map(([reason, tensors]) => ({
      reason,
      tensors: tensors.sort((a, b) => b.bytes - a.bytes),
      bytes: tensors.reduce((sum, one) => sum + one.bytes, 0),
    }))
    .sort((a, b) => b.bytes - a.bytes || b.tensors.length - a.tensors.length);
}

interface Words {
  readonly title: string;
  /** Why, for all of them; where it differs from tensor to tensor each says its own. */
  readonly sentence: string;
  /** After a count: "12 too small". */
  readonly short: string;
}

const words: Readonly<Record<SkipReason, Words>> = {
  bias: {
    title: "Bias of a layer",
    sentence: "Small, and rounding one shifts a whole output.",
    short: "biases",
  },
  "not-constant": {
    title: "Computed at run time",
    sentence: "Not constant: another node makes this tensor, so there is nothing stored to quantize.",
    short: "computed at run time",
  },
  overridable: {
    title: "Can be overridden by the caller",
    sentence: "Also a graph input. Someone may feed another value.",
    short: "that a caller may override",
  },
  shared: {
    title: "Used by several nodes",
    sentence: "Another place that uses it is no layer, or reads it in another shape.",
    short: "shared by several nodes",
  },
  "too-small": {
    title: "Too small to matter",
    sentence: "Scales and new nodes would eat the saving.",
    short: "too small",
  },
  "too-large": {
    title: "Too large",
    sentence: "No layer of so many weights fits into memory at once. The tensor is copied as it is.",
    short: "too large",
  },
  "not-finite": {
    title: "Holds NaN or infinity",
    sentence: "Rounding has no meaning there. The tensor is copied as it is.",
    short: "with NaN or infinity",
  },
  "out-of-range": {
    title: "Out of range",
    sentence: "Sums of weights this large overflow float32.",
    short: "out of range",
  },
  "unsupported-operator": {
    title: "Unsupported operator",
    sentence: "Whittle does not know how the operator uses this weight.",
    short: "used by other operators",
  },
  "unsupported-attributes": {
    title: "Unsupported attributes",
    sentence: "The node has attributes that are not handled yet.",
    short: "with attributes not handled yet",
  },
  "unsupported-shape": {
    title: "Unsupported shape",
    sentence: "Weights of these dimensions are not handled yet.",
    short: "of a shape not handled yet",
  },
  "unsupported-type": {
    title: "Not a float",
    sentence: "Dense floats of 16, 32 and 64 bits are weights; the rest is kept as it is.",
    short: "that are no floats",
  },
  "already-quantized": {
    title: "Already quantized",
    sentence: "Stored as integers with a scale of their own. Kept as they are.",
    short: "quantized already",
  },
  "graph-output": {
    title: "Also an output",
    sentence: "The model returns this tensor, so its values must not change.",
    short: "that are outputs too",
  },
  unused: { title: "Not used", sentence: "No node of the graph reads it.", short: "not used" },
  excluded: { title: "Excluded", sentence: "Left out by the options of the run.", short: "excluded" },
};

export function reasonInWords(reason: SkipReason): Words {
  const { title, sentence, short } = words[reason];
  return { title: t(title), sentence: t(sentence), short: t(short) };
}
