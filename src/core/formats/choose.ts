import { Failure } from "../failure";
import type { Layer } from "../graph/layers";
import { allNodes, isOnnxDomain, type Model, opsetOf } from "../onnx/model";
import type { NodeProto } from "../onnx/onnx_pb";
import { whatChanged } from "../onnx/opsets";
import { type Grid, neuronAxis } from "./codes";
import type { Format } from "./copy";
import { PACKED_LEAST_OPSET } from "./packed";
import { whyNoProduct } from "./products";
import { qdqOpset } from "./qdq";
import { notGatherBlocks } from "./tables";
import { leastForOpset, leastForWeight, type Release, releaseName, releaseOf } from "./versions";

/** Why a format cannot store such alphabets, whatever the model; undefined where it can. */
export function impossible(format: Format, { alphabet, bits, groupInputs }: Grid): string | undefined {
  if (bits === 1 && (alphabet === "symmetric" || alphabet === "full"))
    return `${alphabet} has no alphabet of 1 bit; use midrise, or 2 bits and more`;
  if (format === "packed") return undefined;
  if (bits === 1 || bits === 3) return `${format} stores 2, 4 and 8 bits, not ${bits}; use packed`;
  if (format === "qdq") {
    return alphabet === "midrise"
      ? "qdq has no half zero points, so it cannot store midrise; use packed, or affine"
      : undefined;
  }
  if (alphabet === "midrise" && bits === 8)
    return "nbits has no half zero points at 8 bits, so it cannot store midrise; use packed, or symmetric";
  return groupInputs !== undefined && groupInputs % 16 !== 0
    ? `nbits stores blocks of 16, 32, 64, 128 or 256 inputs, so a group of ${groupInputs} has to be a multiple of 16; use 32, or packed`
    : undefined;
}

/** Chooses how a layer is stored in copies of a model. */
export type FormatOf = (layer: Layer, grid: Grid) => Format;

/**
 * @param wanted `auto` takes what loads in most runtimes and does not slow the model down.
 * @param leastOrt the oldest onnxruntime the copy must load and be right in, as "1.20"; undefined: any.
 * @throws {Failure} `opset-too-old` or `format-impossible`, with what works; so does what it returns.
 */
export function formatChooser(model: Model, wanted: Format | "auto", leastOrt?: string): FormatOf {
  const leastRelease = leastOrt === undefined ? undefined : releaseOf(leastOrt);
  const opset = opsetOf(model) ?? 0;
  const nodes = allNodes(model).filter(isOnnxDomain);

  /** Why a format cannot store a layer of this model so, as a sentence; undefined where it can. */
  const obstacle = (format: Format, layer: Layer, grid: Grid): string | undefined => {
    const never = impossible(format, grid);
    if (never !== undefined) return `${never}.`;
    const least = leastForWeight(format, layer.op, grid);
    if (leastRelease !== undefined && least > leastRelease)
      return `${format} at ${grid.bits} bits loads and is right from onnxruntime ${releaseName(least)} on, which --least-ort ${releaseName(leastRelease)} rules out.`;
    return format === "qdq" ? whyNotQdq(layer, grid) : undefined;
  };
  const whyNotQdq = (layer: Layer, grid: Grid): string | undefined => {
    const isProduct = layer.op === "MatMul" || layer.op === "Gemm";
    if (grid.bits === 2 && isProduct && layer.neurons % 4 !== 0)
      return `onnxruntime 1.25 to 1.30 compute qdq at 2 bits wrong where the neurons are no multiple of 4, and ${layer.name} has ${layer.neurons}.`;
    const needed = qdqOpset(grid);
    const change = opset < needed ? whatChanged(nodes, opset, needed) : undefined;
    if (change)
      return `qdq at ${grid.bits} bits needs opset ${needed}; this model has ${opset}, and ${change.opType} does not mean the same there (${change.reason}).`;
    // Model-local functions import opsets of their own, which a copy does not raise.
    return opset < needed && model.functions.length > 0
      ? `qdq at ${grid.bits} bits needs opset ${needed}; this model has ${opset}, and its function ${model.functions[0]!.name} an operator set of its own.`
      : undefined;
  };
  const automatic = (layer: Layer, grid: Grid): Format =>
    grid.bits === 2 || isSlowAsQdq(layer, grid) || obstacle("qdq", layer, grid) !== undefined ? "packed" : "qdq";

  return (layer, grid) => {
    requireOpset(opset, nodes, leastRelease);
    const isElsewhere = wanted === "nbits" && notInNBits(layer, grid) !== undefined;
    // What several places read stays one value, for which DequantizeLinear is no format: see isSlowAsQdq.
    const isAutomatic = wanted === "auto" || isElsewhere || (wanted === "qdq" && layer.shared);
    const format = isAutomatic ? automatic(layer, grid) : wanted;
    const why = obstacle(format, layer, grid);
    if (why === undefined) return format;
    const works = (["qdq", "nbits", "packed"] as const).filter(
      other => obstacle(other, layer, grid) === undefined && !(other === "nbits" && notInNBits(layer, grid)),
    );
    throw new Failure(
      "format-impossible",
      why,
      works.length > 0
        ? `Use --format ${works.join(" or ")}, or --exclude '${layer.name}'.`
        : "Choose another --alphabet or --bits.",
    );
  };
}

/** @throws {Failure} where the model's own operators are older than all formats, or newer than what has to load it. */
function requireOpset(opset: number, nodes: readonly NodeProto[], leastRelease: Release | undefined): void {
  const change = opset < PACKED_LEAST_OPSET ? whatChanged(nodes, opset, PACKED_LEAST_OPSET) : undefined;
  if (change) {
    throw new Failure(
      "opset-too-old",
      `The model is of opset ${opset}, Whittle's copies need ${PACKED_LEAST_OPSET}, and ${change.opType} does not mean the same there (${change.reason}).`,
      "Convert the model to a newer opset first.",
    );
  }
  if (leastRelease !== undefined && leastForOpset(opset) > leastRelease) {
    throw new Failure(
      "format-impossible",
      `The model itself is of opset ${opset}, which onnxruntime ${releaseName(leastRelease)} does not load.`,
      `Use --least-ort ${releaseName(leastForOpset(opset))} or newer.`,
    );
  }
}

/** Why the operators of `nbits` cannot take the place of a layer, which is then stored as `auto` stores it. */
function notInNBits(layer: Layer, grid: Grid): string | undefined {
  if (layer.type !== "float32") return `it computes in ${layer.type}`;
  if (layer.home !== null) return "its weight is stored in a nested graph or a function";
  if (layer.shared && layer.op !== "Gather") return "several places read its weight";
  return layer.op === "Gather" ? notGatherBlocks(layer, grid) : whyNoProduct(layer);
}

/** Whether onnxruntime makes one product of DequantizeLinear and a layer (onnx.md, section 3). */
function isFused(layer: Layer, { groupInputs }: Grid): boolean {
  const isBlock = groupInputs === undefined || [16, 32, 64, 128, 256].includes(groupInputs);
  return isBlock && whyNoProduct(layer) === undefined;
}

/**
 * Whether `qdq` is known to cost a layer time: products that are not fused, blocks that are unpacked at every run, and tables,
 * of which `packed` makes only the rows looked up floats. What several places read would be unpacked at every run, too, and by
 * onnxruntime before 1.27 to wrong numbers (onnx.md, trap 3); so would what a Cast to another type follows, where packed codes
 * become floats once, when the model is loaded.
 */
function isSlowAsQdq(layer: Layer, grid: Grid): boolean {
  if (layer.shared || layer.type !== "float32") return true;
  if (layer.op === "MatMul" || layer.op === "Gemm") return !isFused(layer, grid);
  return layer.op === "Gather" || grid.groupInputs !== undefined || neuronAxis(layer) === null;
}
