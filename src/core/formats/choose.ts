import type { AlphabetKind, Bits } from "../grid/alphabet";
import { Failure } from "../failure";
import { allNodes, isOnnxDomain, type Model, opsetOf } from "../onnx/model";
import { whatChanged } from "../onnx/opsets";
import { type Format, qdqOpset } from "./copy";
import { PACKED_LEAST_OPSET } from "./packed";

/** Why a format cannot store an alphabet, whatever the model; undefined where it can. */
export function impossible(format: Format, kind: AlphabetKind, bits: Bits, grouped = false): string | undefined {
  if (bits === 1 && (kind === "symmetric" || kind === "full")) {
    return `${kind} has no alphabet of 1 bit; use midrise, or 2 bits and more`;
  }
  if (format !== "qdq") return undefined;
  if (grouped) return "qdq with groups of inputs is not handled yet; use packed";
  if (bits !== 4 && bits !== 8) return `qdq stores 4 and 8 bits, not ${bits}; use packed`;
  return kind === "midrise"
    ? "qdq has no half zero points, so it cannot store midrise; use packed, or affine"
    : undefined;
}

/** The format of layers with such an alphabet; `grouped`: groups of inputs have alphabets of their own. */
export type FormatOf = (kind: AlphabetKind, bits: Bits, grouped: boolean) => Format;

/** Chooses how the layers of one width are stored in copies of this model. */
export function formatChooser(model: Model, wanted: Format | "auto"): FormatOf {
  const opset = opsetOf(model) ?? 0;
  const nodes = allNodes(model).filter(isOnnxDomain);
  const inTheWay = (to: number) => (opset < to ? whatChanged(nodes, opset, to) : undefined);
  return (kind, bits, grouped) => {
    const never = impossible(wanted === "auto" ? "packed" : wanted, kind, bits, grouped);
    if (never)
      throw new Failure("format-impossible", `${never}.`, "Choose another --alphabet, --bits or --format.");
    if (wanted !== "packed" && impossible("qdq", kind, bits, grouped) === undefined) {
      const obstacle = inTheWay(qdqOpset(bits)) ?? functionsInTheWay(model, qdqOpset(bits));
      if (!obstacle) return "qdq";
      if (wanted === "qdq") {
        throw new Failure(
          "format-impossible",
          `qdq at ${bits} bits needs opset ${qdqOpset(bits)}; this model has ${opset}, and ${obstacle.opType} does not mean the same there (${obstacle.reason}).`,
          "Use --format packed.",
        );
      }
    }
    if (opset < PACKED_LEAST_OPSET) {
      throw new Failure(
        "format-impossible",
        `The model is of opset ${opset}, and packed needs ${PACKED_LEAST_OPSET}.`,
        "Convert the model to a newer opset first.",
      );
    }
    return "packed";
  };
}

/** Model-local functions import opsets of their own, which a copy does not raise. */
function functionsInTheWay(model: Model, opset: number): { opType: string; reason: string } | undefined {
  const own = opsetOf(model) ?? 0;
  return own < opset && model.functions.length > 0
    ? { opType: model.functions[0]!.name, reason: "a function of the model with an operator set of its own" }
    : undefined;
}
