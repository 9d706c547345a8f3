import { intAttribute, intsAttribute, stringAttribute } from "./attributes";
import { DataType } from "./dataTypes";
import type { NodeProto } from "./onnx_pb";

/** An operator that keeps a model from a newer opset. */
export interface OpsetChange {
  opType: string;
  /** The opset at which the operator changes; for one we cannot judge, the opset asked for. */
  opset: number;
  /** A clause that can follow "ReduceSum at opset 13: ". */
  reason: string;
}

/**
 * The first operator that does not mean at opset `to` what it means at opset `from`, or is not known to; undefined if
 * the model's opset can be raised with no other change.
 *
 * @param nodes every node of the default domain, those of sub-graphs and functions too: a function may import another
 *              opset than its model only where its operators are the same in both (onnx.proto, FunctionProto).
 */
export function whatChanged(nodes: Iterable<NodeProto>, from: number, to: number): OpsetChange | undefined {
  if (from === to) return undefined; // A model that stays where it is may hold operators we have never heard of.
  const beyond = beyondTheTable(from, to);
  for (const node of nodes) {
    const change = beyond ?? firstChange(node, from, to);
    if (change) return { opType: node.opType, opset: change.opset, reason: change.reason };
  }
  return undefined;
}

/** The least IR version released together with an opset; docs/Versioning.md of onnx, "Released Versions". */
export function irVersionFor(opset: number): number {
  return IR_VERSIONS.find(([first]) => first <= opset)?.[1] ?? 3;
}

/** Each row is the first opset of an IR version. Opsets 1 to 8 are IR 3. */
const IR_VERSIONS: readonly (readonly [opset: number, irVersion: number])[] = [
  [25, 13],
  [24, 12],
  [23, 11],
  [21, 10],
  [19, 9],
  [15, 8],
  [12, 7],
  [11, 6],
  [10, 5],
  [9, 4],
];

type Reached = Omit<OpsetChange, "opType">;

/** The oldest whose operators onnxruntime has kernels for, where opset 7 left them alone. */
const OLDEST = 6;

function beyondTheTable(from: number, to: number): Reached | undefined {
  if (from < OLDEST) return { opset: to, reason: `we know what operators mean from opset ${OLDEST} on` };
  if (to > 25) return { opset: to, reason: "we know what operators mean up to opset 25" };
  if (to < from) return { opset: to, reason: "we know what a newer opset changes, not what an older one lacks" };
  return undefined;
}

function firstChange(node: NodeProto, from: number, to: number): Reached | undefined {
  const since = SINCE.get(node.opType);
  if (since === undefined) return { opset: to, reason: "the operator is unknown" };
  if (since > from) return { opset: since, reason: `opset ${from} has no such operator` };
  return CHANGES.find(
    ({ operators, opset, touches }) =>
      from < opset && opset <= to && operators.includes(node.opType) && touches(node),
  );
}

/** Every operator of ai.onnx under the opset it came with, the older ones under 6 (the schemas of onnx 1.23). */
const OPERATORS: Record<number, string> = {
  6: `
    Abs Acos Add And ArgMax ArgMin Asin Atan AveragePool BatchNormalization Cast Ceil Clip Concat Constant Conv
    ConvTranspose Cos DepthToSpace Div Dropout Elu Equal Exp Flatten Floor GRU Gather Gemm GlobalAveragePool
    GlobalLpPool GlobalMaxPool Greater HardSigmoid Hardmax Identity If InstanceNormalization LRN LSTM LeakyRelu
    Less Log LogSoftmax Loop LpNormalization LpPool MatMul Max MaxPool MaxRoiPool Mean Min Mul Multinomial Neg
    Not Or PRelu Pad Pow RNN RandomNormal RandomNormalLike RandomUniform RandomUniformLike Reciprocal ReduceL1
    ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
    Relu Reshape Selu Shape Sigmoid Sin Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub
    Sum Tan Tanh Tile TopK Transpose Unsqueeze Upsample Xor`,
  8: "Expand Scan",
  9: `
    Acosh Asinh Atanh Compress ConstantOfShape Cosh Erf EyeLike IsNaN MaxUnpool MeanVarianceNormalization
    NonZero OneHot Scatter Shrink Sign Sinh TfIdfVectorizer Where`,
  10: `
    ConvInteger DequantizeLinear IsInf MatMulInteger Mod NonMaxSuppression QLinearConv QLinearMatMul
    QuantizeLinear Resize ReverseSequence RoiAlign StringNormalizer ThresholdedRelu`,
  11: `
    BitShift ConcatFromSequence CumSum Det DynamicQuantizeLinear GatherElements GatherND Range Round
    ScatterElements ScatterND SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert
    SequenceLength SplitToSequence Unique`,
  12: "Celu Einsum GreaterOrEqual LessOrEqual NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss",
  14: "HardSwish Trilu",
  15: "Bernoulli CastLike Optional OptionalGetElement OptionalHasElement",
  16: "GridSample",
  17: `
    BlackmanWindow DFT HammingWindow HannWindow LayerNormalization MelWeightMatrix STFT SequenceMap`,
  18: "BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CenterCropPad Col2Im GroupNormalization Mish",
  19: "DeformConv",
  20: "AffineGrid Gelu ImageDecoder RegexFullMatch StringConcat StringSplit",
  23: "Attention RMSNormalization RotaryEmbedding",
  24: "Swish TensorScatter",
};

const split = (names: string) => names.trim().split(/\s+/);

const SINCE: ReadonlyMap<string, number> = new Map(
  Object.entries(OPERATORS).flatMap(([opset, names]) => split(names).map(name => [name, Number(opset)] as const)),
);

/** Whether a change concerns this use of the operator. */
type Touches = (node: NodeProto) => boolean;

/**
 * Every change, from opset 7 on, by which a node comes to mean something else or nothing, in the order of opsets. Other
 * versions only widen an operator: more types, an optional input, an attribute whose default is the old meaning.
 *
 * Found by comparing each two neighbouring schemas of an operator (attributes, defaults, inputs, outputs, types) and
 * reading what their texts say differently. The converter of onnx (version_converter/convert.h) alone would not do: it
 * takes Dropout 10, ConvTranspose 11, OneHot 11, Hardmax 13, the pools of 22 and Cast 24 as they are.
 *
 * A node does not tell its types, so two lost types are not here: Erf of integers (13) and QuantizeLinear of int32 by a
 * float scale (19 to 22). onnxruntime 1.30 has a kernel for neither at any opset, so no model that runs has them.
 */
// prettier-ignore
const TABLE: readonly (readonly [operators: string, opset: number, touches: Touches, reason: string])[] = [
  ["Add And Div Equal Gemm Greater Less Mul Or PRelu Pow Sub Xor", 7, always, "shapes are broadcast without the attributes broadcast and axis"],
  ["AveragePool BatchNormalization Dropout GRU LSTM RNN Upsample", 7, always, "its attributes are others"],
  ["Acos Asin Atan Cos Multinomial Sin Tan", 7, always, "the operator came with opset 7"],
  ["BatchNormalization", 9, has("spatial"), "the attribute spatial is gone"],
  ["Scan", 9, always, "the batch dimension and sequence_lens are gone"],
  ["Upsample", 9, always, "scales is an input"],
  ["Dropout", 10, hasMoreOutputs, "the mask is boolean"],
  ["Slice", 10, always, "starts, ends and axes are inputs"],
  ["TopK", 10, always, "k is an input"],
  ["Upsample", 10, always, "the operator is gone; Resize took its place"],
  ["Clip", 11, has("min", "max"), "min and max are inputs"],
  ["ConvTranspose", 11, either(has("output_shape"), hasOneOf("auto_pad", "SAME_UPPER", "SAME_LOWER")),
    "padding that cannot be halved has its larger part on the other side"],
  ["OneHot", 11, always, "a negative index counts from the end, where it set nothing"],
  ["Pad", 11, always, "pads and value are inputs"],
  ["Resize", 11, always, "scales is the third input, and pixels are taken at their centres"],
  ["Scatter", 11, always, "the operator is gone; ScatterElements took its place"],
  ["Dropout", 12, has("ratio"), "ratio is an input"],
  ["Dropout", 12, hasMoreOutputs, "the mask is true everywhere at inference, where it was left open"],
  ["Hardmax LogSoftmax Softmax", 13, not(isAlongTheLastAxis),
    "axis is the dimension to go along, where it was the first of all that were taken together"],
  ["ReduceSum Squeeze Unsqueeze", 13, has("axes"), "axes is an input"],
  ["Resize", 13, hasOneOf("coordinate_transformation_mode", "tf_half_pixel_for_nn"), "tf_half_pixel_for_nn is gone"],
  ["Resize", 13, both(hasInput(2), hasInput(3)), "beside sizes, scales must be left out, where it had to be empty"],
  ["Split", 13, has("split"), "split is an input"],
  ["BatchNormalization", 14, hasMoreOutputs, "the further outputs need training_mode"],
  ["RoiAlign", 16, always, "regions are shifted by half a pixel"],
  ["ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSumSquare", 18,
    has("axes"), "axes is an input"],
  ["Split", 18, not(either(hasInput(1), has("num_outputs"))), "equal parts need num_outputs"],
  ["DFT", 20, always, "axis is an input, and the last dimension without it, where it was the second"],
  ["GridSample", 20, hasOneOf("mode", "bilinear", "bicubic"), "bilinear and bicubic are called linear and cubic"],
  ["GroupNormalization", 21, always, "scale and bias are per channel, where they were per group"],
  ["AveragePool LpPool MaxPool", 22, mayStartInPadding, "windows that start in the padding at the end are left out"],
  ["Cast", 24, hasOneOf("to", DataType.float8e4m3fnuz, DataType.float8e5m2fnuz),
    "infinity becomes the largest value of the type, where it became NaN"],
  ["CastLike", 24, always, "infinity becomes the largest value of two 8-bit types, where it became NaN"],
];

interface Change extends Reached {
  operators: readonly string[];
  touches: Touches;
}

const CHANGES: readonly Change[] = TABLE.map(([operators, opset, touches, reason]) => ({
  operators: split(operators),
  opset,
  touches,
  reason,
}));

function always(): boolean {
  return true;
}

function has(...names: readonly string[]): Touches {
  return node => node.attribute.some(one => names.includes(one.name));
}

/** Inside a function an attribute may stand for one of the caller's; its value is then unknown, so it counts. */
function hasOneOf(name: string, ...values: readonly (number | string)[]): Touches {
  return node =>
    node.attribute.some(one => one.name === name && one.refAttrName !== "") ||
    values.includes(stringAttribute(node, name, "")) ||
    values.includes(intAttribute(node, name, NaN));
}

/** An optional input is left out by ending the list before it or by an empty name. */
function hasInput(index: number): Touches {
  return node => (node.input[index] ?? "") !== "";
}

function hasMoreOutputs(node: NodeProto): boolean {
  return node.output.slice(1).some(name => name !== "");
}

/** The old axis (with all after it) and the new one (alone) agree on the last; any other needs the rank to tell. */
function isAlongTheLastAxis(node: NodeProto): boolean {
  return intAttribute(node, "axis", 1) === -1;
}

/**
 * With ceil_mode the last window starts at most stride - 1 beyond the last place where it fits. That is in the padding
 * at the end if the window is shorter than that padding and the stride together.
 */
function mayStartInPadding(node: NodeProto): boolean {
  if (!hasOneOf("ceil_mode", 1)(node)) return false;
  const kernel = intsAttribute(node, "kernel_shape") ?? [];
  const strides = intsAttribute(node, "strides") ?? [];
  const dilations = intsAttribute(node, "dilations") ?? [];
  const pads = intsAttribute(node, "pads") ?? [];
  const crosses = (size: number, axis: number) => {
    const window = (size - 1) * (dilations[axis] ?? 1) + 1;
    return window < (pads[kernel.length + axis] ?? 0) + (strides[axis] ?? 1);
  };
  return node.attribute.some(one => one.refAttrName !== "") || kernel.some(crosses);
}

function not(touches: Touches): Touches {
  return node => !touches(node);
}

function either(one: Touches, other: Touches): Touches {
  return node => one(node) || other(node);
}

function both(one: Touches, other: Touches): Touches {
  return node => one(node) && other(node);
}
