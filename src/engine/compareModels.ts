import { describeInput, type ModelInput, modelInputs, modelOutputs } from "../core/calibration/inputs";
import type { Storage } from "../core/formats/readBack";
import { foldBatchNorms } from "../core/graph/batchNorm";
import { storedNumbers } from "../core/graph/contents";
import { withoutStoredInputs } from "../core/graph/listedInputs";
import { pairsOf } from "../core/graph/pairs";
import { commonTensors, type Reading, readings } from "../core/graph/readValues";
import { allNodes, type Model } from "../core/onnx/model";
import { dimsOf, storedBytes } from "../core/onnx/tensors";
import type { OutputError } from "../core/report/measure";
import { openModel } from "./modelFile";
import { type ComparedRuns, compareOutputs } from "./compareOutputs";
import { compareWeights } from "./compareWeights";

export interface CompareJob {
  readonly a: string;
  readonly b: string;
  /** Undefined: made-up inputs. */
  readonly data: string | undefined;
  readonly samples: number | undefined;
  /** Sizes of free dimensions of made-up inputs. */
  readonly dims: ReadonlyMap<string, number>;
  readonly threads: number;
  readonly memory: number | undefined;
}

/** What two models have in common and what not; of A it is told how far B is from it. */
export interface Comparison {
  readonly a: ComparedModel;
  readonly b: ComparedModel;
  readonly interface: InterfaceDifferences;
  /** Weights that both have, however each stores them, in the order of A. */
  readonly layers: readonly ComparedWeight[];
  /** Other stored tensors that both have and whose numbers differ. */
  readonly tensors: readonly ComparedValue[];
  /** Weights and other tensors that are the same on both sides. */
  readonly equalTensors: number;
  readonly onlyInA: OneSide;
  readonly onlyInB: OneSide;
  readonly data: { readonly samples: number; readonly synthetic: boolean };
  readonly outputs: readonly (OutputError & { readonly name: string })[];
  readonly warnings: readonly string[];
}

export interface ComparedModel {
  readonly model: string;
  readonly bytes: number;
  /** Stored numbers; those of few bits count as they are packed. */
  readonly parameters: number;
  readonly nodes: number;
  readonly irVersion: number;
  /** BatchNormalizations that were folded to compare, since the other model is without them. */
  readonly folded: number;
  /** One call in a default session, in turns with the other model; null where it was not run. */
  readonly msMedian: number | null;
  readonly msSpread: number | null;
}

/** What differs of inputs, outputs and operator sets; null where a model is without. */
export interface InterfaceDifferences {
  readonly inputs: readonly Difference[];
  readonly outputs: readonly Difference[];
  readonly opsets: readonly Difference[];
}

export interface Difference {
  readonly name: string;
  readonly a: string | null;
  readonly b: string | null;
}

/** A stored value of both. Errors are relative to A's; null where the shapes differ or one could not be read. */
export interface ComparedValue {
  readonly name: string;
  readonly op: string;
  /** Name of what A's node reads. */
  readonly tensor: string;
  readonly shape: readonly number[];
  readonly a: Storage;
  readonly b: Storage;
  readonly weightError: number | null;
}

export interface ComparedWeight extends ComparedValue {
  readonly sqnrDb: number | null;
  /** Of the bias; null where there is none on both sides. */
  readonly biasError: number | null;
}

export interface OneSide {
  readonly nodes: readonly { readonly name: string; readonly op: string }[];
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly bytes: number }[];
}

/** @throws {Failure} `model-…` for what cannot be read, and `data-…`. */
export async function compareModels(job: CompareJob): Promise<Comparison> {
  const [first, second] = [openModel(job.a), openModel(job.b)];
  const [left, right] = [comparable(first.model, second.model), comparable(second.model, first.model)];
  const [ofA, ofB] = [readings(left.model), readings(right.model)];
  const pairs = pairsOf(ofA, ofB);
  const compared = await compareWeights(
    pairs.both,
    { model: left.model, common: commonTensors(ofA) },
    { model: right.model, common: commonTensors(ofB) },
  );
  const differences = interfaceDifferences(left.model, right.model);
  const runs = await compareOutputs(job, first, second, differences.inputs);
  const known = { a: tensorsOf(pairs.both.map(([one]) => one)), b: tensorsOf(pairs.both.map(([, one]) => one)) };
  return {
    a: { ...comparedModel(job.a, first, left.folded), ...timeOf(runs, 0) },
    b: { ...comparedModel(job.b, second, right.folded), ...timeOf(runs, 1) },
    interface: differences,
    ...compared,
    onlyInA: oneSide(pairs.onlyFirst, left.model, right.model, known.a),
    onlyInB: oneSide(pairs.onlySecond, right.model, left.model, known.b),
    data: runs.data,
    outputs: runs.outputs,
    warnings: [...compared.warnings, ...runs.warnings],
  };
}

/** The model with its BatchNormalizations folded where the other has fewer of them: a copy has the folded weights. */
function comparable(original: Model, other: Model): { model: Model; folded: number } {
  const norms = (one: Model): number => allNodes(one).filter(node => node.opType === "BatchNormalization").length;
  const model = withoutStoredInputs(original);
  if (norms(model) <= norms(other)) return { model, folded: 0 };
  const found = foldBatchNorms(model);
  return { model: found.model, folded: found.folded.length };
}

function comparedModel(path: string, { model, totalBytes }: ReturnType<typeof openModel>, folded: number) {
  return {
    model: path,
    bytes: totalBytes,
    parameters: storedNumbers(model),
    nodes: allNodes(model).length,
    irVersion: Number(model.irVersion),
    folded,
  };
}

function timeOf({ times }: ComparedRuns, side: 0 | 1) {
  return times?.[side] ?? { msMedian: null, msSpread: null };
}

function interfaceDifferences(a: Model, b: Model): InterfaceDifferences {
  const described = (values: readonly ModelInput[]) => new Map(values.map(one => [one.name, describeInput(one)]));
  const opsets = ({ opsetImport }: Model) =>
    new Map(opsetImport.map(one => [one.domain || "ai.onnx", String(one.version)]));
  return {
    inputs: differing(described(modelInputs(a)), described(modelInputs(b))),
    outputs: differing(described(modelOutputs(a)), described(modelOutputs(b))),
    opsets: differing(opsets(a), opsets(b)),
  };
}

function differing(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): Difference[] {
  const names = [...new Set([...a.keys(), ...b.keys()])];
  return names
    .map(name => ({ name, a: a.get(name) ?? null, b: b.get(name) ?? null }))
    .filter(one => one.a !== one.b);
}

/** Names of the tensors that were compared, in whatever form. */
function tensorsOf(found: readonly Reading[]): Set<string> {
  return new Set(found.flatMap(one => [...one.values.values()].flatMap(value => value.tensors.map(t => t.name))));
}

function oneSide(alone: readonly Reading[], model: Model, other: Model, compared: ReadonlySet<string>): OneSide {
  const there = new Set(other.graph.initializer.map(one => one.name));
  const tensors = model.graph.initializer.filter(one => !compared.has(one.name) && !there.has(one.name));
  return {
    nodes: alone.map(({ node }) => ({ name: node.name || node.output[0] || "", op: node.opType })),
    tensors: tensors.map(one => ({ name: one.name, shape: dimsOf(one), bytes: storedBytes(one) })),
  };
}
