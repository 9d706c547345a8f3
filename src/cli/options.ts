import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { impossible } from "../core/formats/choose";
import type { Grid } from "../core/formats/codes";
import { type Format, FORMATS } from "../core/formats/copy";
import { leastForWeight, OLDEST_RELEASE, releaseName, releaseOf } from "../core/formats/versions";
import { ALL_BITS, ALPHABET_KINDS, type Bits } from "../core/grid/alphabet";
import { METHOD_NAMES, type MethodName, VARIANTS } from "../core/methods/catalog";
import { RADIUS_CHOICES } from "../core/methods/layer";
import { REPORT_KINDS, reportKind } from "../core/report/file";
import { benchCases } from "../engine/bench";
import type { CompareJob } from "../engine/compareModels";
import type { EvaluateJob } from "../engine/evaluate";
import { alphabetFor, type LayerRule, type QuantizeOptions } from "../engine/options";
import type { QuantizeJob } from "../engine/quantize";
import { version } from "../engine/version";

/** A command line that cannot be obeyed; exit code 2. */
export class UsageError extends Error {}

export interface InspectCommand {
  readonly kind: "inspect";
  readonly model: string;
  readonly json: boolean;
}

export interface QuantizeCommand {
  readonly kind: "quantize";
  readonly job: QuantizeJob;
  readonly reports: readonly string[];
  readonly json: boolean;
}

export interface EvaluateCommand {
  readonly kind: "evaluate";
  readonly job: EvaluateJob;
  readonly maxDrop: number | undefined;
  readonly json: boolean;
}

export interface CompareCommand {
  readonly kind: "compare";
  readonly job: CompareJob;
  readonly json: boolean;
}

export interface BenchCommand {
  readonly kind: "bench";
  readonly cases: readonly string[];
  readonly threads: readonly number[] | undefined;
  readonly againstNumpy: boolean;
  readonly json: boolean;
}

export type Command =
  | { readonly kind: "help" }
  | { readonly kind: "version"; readonly version: string }
  | InspectCommand
  | QuantizeCommand
  | EvaluateCommand
  | CompareCommand
  | BenchCommand;

/** @throws {UsageError} for words that are not in the contract, or not built yet. */
export function parseCommand(words: readonly string[]): Command {
  const [name, ...rest] = words;
  switch (name) {
    case undefined:
      throw new UsageError("say what to do: inspect, quantize, evaluate or compare; --help tells more");
    case "help":
    case "--help":
    case "-h":
      return { kind: "help" };
    case "--version":
      return { kind: "version", version };
    case "inspect":
      return parseInspect(rest);
    case "quantize":
      return parseQuantize(rest);
    case "evaluate":
      return parseEvaluate(rest);
    case "compare":
      return parseCompare(rest);
    case "bench":
      return parseBench(rest);
    default:
      throw new UsageError(
        `there is no command "${name}"; inspect, quantize, evaluate, compare and bench are there`,
      );
  }
}

function parseInspect(words: readonly string[]): Command {
  const { values, positionals } = parsed(words, {
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  });
  if (values.help) return { kind: "help" };
  return { kind: "inspect", model: onlyModel(positionals), json: values.json ?? false };
}

const quantizeOptions = {
  output: { type: "string", short: "o" },
  bits: { type: "string" },
  method: { type: "string" },
  variant: { type: "string" },
  alphabet: { type: "string" },
  radius: { type: "string" },
  "per-tensor": { type: "boolean" },
  group: { type: "string" },
  refine: { type: "boolean" },
  damping: { type: "string" },
  paths: { type: "string" },
  "one-sided": { type: "string" },
  "bias-correction": { type: "string" },
  "fold-bn": { type: "string" },
  inputs: { type: "string" },
  target: { type: "string" },
  format: { type: "string" },
  "least-ort": { type: "string" },
  data: { type: "string" },
  calibration: { type: "string" },
  input: { type: "string", multiple: true },
  samples: { type: "string" },
  synthetic: { type: "boolean" },
  dim: { type: "string", multiple: true },
  "max-bytes": { type: "string" },
  "max-error": { type: "string" },
  layer: { type: "string", multiple: true },
  exclude: { type: "string", multiple: true },
  "dry-run": { type: "boolean" },
  report: { type: "string", multiple: true },
  json: { type: "boolean" },
  threads: { type: "string" },
  memory: { type: "string" },
  seed: { type: "string" },
  overwrite: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

function parseQuantize(words: readonly string[]): Command {
  const { values, positionals, tokens } = parsed(words, quantizeOptions);
  if (values.help) return { kind: "help" };
  const model = onlyModel(positionals);
  const bits = bitsOf(values.bits ?? "4", "--bits");
  const format: Format | "auto" = oneOf("--format", values.format ?? "auto", ["auto", ...FORMATS]);
  if (values.data !== undefined && values.calibration !== undefined)
    throw new UsageError("--data and --calibration are two ways to say one thing; give one");
  if (values.calibration?.endsWith(".json"))
    throw new UsageError("--calibration takes samples; a data file goes to --data");
  if (values["max-bytes"] !== undefined && values["max-error"] !== undefined)
    throw new UsageError("--max-bytes and --max-error each leave the other open; give one");
  const options: QuantizeOptions = {
    bits,
    method: oneOf("--method", values.method ?? "maly-saab", METHOD_NAMES),
    variant: oneOf("--variant", values.variant ?? "auto", VARIANTS),
    alphabet: oneOf("--alphabet", values.alphabet ?? "auto", ["auto", ...ALPHABET_KINDS]),
    radius: oneOf("--radius", values.radius ?? "auto", ["auto", ...RADIUS_CHOICES]),
    perTensor: values["per-tensor"] ?? false,
    group: values.group === undefined ? undefined : wholeNumber("--group", values.group, 2),
    refine: values.refine ?? false,
    damping: positiveOrAuto("--damping", values.damping),
    paths: values.paths === undefined || values.paths === "auto" ? "auto" : wholeNumber("--paths", values.paths, 1),
    oneSided: oneOf("--one-sided", values["one-sided"] ?? "auto", ["auto", "off"]),
    biasCorrection: oneOf("--bias-correction", values["bias-correction"] ?? "auto", ["auto", "off"]),
    foldBatchNorm: oneOf("--fold-bn", values["fold-bn"] ?? "auto", ["auto", "off"]),
    target: oneOf("--target", values.target ?? "float", ["float", "quantized"]),
    inputs: oneOf("--inputs", values.inputs ?? "quantized", ["quantized", "float"]),
    format,
    leastOrt: leastOrtOf(values["least-ort"]),
    data: values.data ?? values.calibration,
    samples: values.samples === undefined ? undefined : wholeNumber("--samples", values.samples, 1),
    synthetic: values.synthetic ?? false,
    maxBytes: values["max-bytes"] === undefined ? undefined : wholeNumber("--max-bytes", values["max-bytes"], 1),
    maxError: errorOf(values["max-error"]),
    dims: new Map((values.dim ?? []).map(dimOf)),
    inputFiles: new Map((values.input ?? []).map(inputFileOf)),
    layers: rulesOf(tokens),
    seed: wholeNumber("--seed", values.seed ?? "0", 0),
  };
  for (const width of [bits, ...options.layers.map(rule => rule.bits)]) {
    if (width === "keep") continue;
    const obstacle = whyImpossible(options, width);
    if (obstacle !== undefined) throw new UsageError(obstacle);
  }
  const reports = values.report ?? [];
  const odd = reports.find(file => reportKind(file) === undefined);
  if (odd !== undefined) {
    throw new UsageError(
      `--report ${odd}: the name must end in ${REPORT_KINDS.map(kind => `.${kind}`).join(", ")}`,
    );
  }
  return {
    kind: "quantize",
    job: {
      model,
      output: values.output ?? model.replace(/(\.onnx)?$/, `.w${bits}.onnx`),
      overwrite: values.overwrite ?? false,
      dryRun: values["dry-run"] ?? false,
      measureMemory: true,
      threads: threadsOf(values.threads),
      memory: values.memory === undefined ? undefined : wholeNumber("--memory", values.memory, 0),
      options,
    },
    reports,
    json: values.json ?? false,
  };
}

/** Why no model could be stored so; what hangs on the model is found out later. */
function whyImpossible(options: QuantizeOptions, bits: Bits): string | undefined {
  const { group: groupInputs, perTensor, leastOrt } = options;
  const grid: Grid = { alphabet: alphabetFor(options.alphabet, bits), bits, groupInputs, perTensor };
  const format = options.format === "auto" ? "packed" : options.format;
  const never = impossible(format, grid);
  if (never !== undefined || leastOrt === undefined) return never;
  const least = leastForWeight(format, "MatMul", grid);
  if (least <= releaseOf(leastOrt)!) return undefined;
  const works = FORMATS.filter(
    other => impossible(other, grid) === undefined && leastForWeight(other, "MatMul", grid) <= releaseOf(leastOrt)!,
  );
  return `${format} at ${bits} bits needs onnxruntime ${releaseName(least)}; for --least-ort ${leastOrt} use --format ${works.join(" or ")}`;
}

function parseEvaluate(words: readonly string[]): Command {
  const { values, positionals } = parsed(words, {
    against: { type: "string" },
    data: { type: "string" },
    samples: { type: "string" },
    "as-run": { type: "boolean" },
    "max-drop": { type: "string" },
    threads: { type: "string" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  });
  if (values.help) return { kind: "help" };
  const model = onlyModel(positionals);
  if (values.data === undefined) throw new UsageError("evaluate needs --data SPEC.json[#ID]");
  const maxDrop = values["max-drop"] === undefined ? undefined : Number(values["max-drop"]);
  if (maxDrop !== undefined && !(maxDrop >= 0)) throw new UsageError("--max-drop takes a number of 0 or more");
  if (maxDrop !== undefined && values.against === undefined)
    throw new UsageError("--max-drop compares with a model; give --against FLOAT.onnx");
  return {
    kind: "evaluate",
    job: {
      model,
      against: values.against,
      data: values.data,
      samples: values.samples === undefined ? undefined : wholeNumber("--samples", values.samples, 1),
      asRun: values["as-run"] ?? false,
      threads: threadsOf(values.threads),
    },
    maxDrop,
    json: values.json ?? false,
  };
}

function parseCompare(words: readonly string[]): Command {
  const { values, positionals } = parsed(words, {
    data: { type: "string" },
    samples: { type: "string" },
    dim: { type: "string", multiple: true },
    threads: { type: "string" },
    memory: { type: "string" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  });
  if (values.help) return { kind: "help" };
  const [a, b, ...more] = positionals;
  if (a === undefined || b === undefined || more.length > 0)
    throw new UsageError(`compare takes two models, A.onnx B.onnx, and was given ${positionals.length}`);
  return {
    kind: "compare",
    job: {
      a,
      b,
      data: values.data,
      samples: values.samples === undefined ? undefined : wholeNumber("--samples", values.samples, 1),
      dims: new Map((values.dim ?? []).map(dimOf)),
      threads: threadsOf(values.threads),
      memory: values.memory === undefined ? undefined : wholeNumber("--memory", values.memory, 0),
    },
    json: values.json ?? false,
  };
}

function parseBench(words: readonly string[]): Command {
  const { values, positionals } = parsed(words, {
    threads: { type: "string" },
    against: { type: "string" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  });
  if (values.help) return { kind: "help" };
  const unknown = positionals.find(name => !benchCases.some(one => one.name === name));
  if (unknown !== undefined) {
    throw new UsageError(`there is no case "${unknown}"; there are ${benchCases.map(one => one.name).join(", ")}`);
  }
  if (values.against !== undefined) oneOf("--against", values.against, ["numpy"]);
  return {
    kind: "bench",
    cases: positionals,
    threads: values.threads?.split(",").map(text => wholeNumber("--threads", text, 1)),
    againstNumpy: values.against !== undefined,
    json: values.json ?? false,
  };
}

type OptionTable = Record<string, { type: "string" | "boolean"; short?: string; multiple?: boolean }>;

function parsed<const Options extends OptionTable>(words: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, tokens: true });
  } catch (error) {
    if (error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS")) {
      throw new UsageError(error.message);
    }
    throw error;
  }
}

function onlyModel(positionals: readonly string[]): string {
  if (positionals.length === 1) return positionals[0]!;
  throw new UsageError(
    positionals.length === 0 ? "name a model" : `one model at a time, not ${positionals.join(" and ")}`,
  );
}

function oneOf<const Choice extends string>(option: string, value: string, choices: readonly Choice[]): Choice {
  const found = choices.find(choice => choice === value);
  if (found !== undefined) return found;
  throw new UsageError(`${option} ${value}: it takes ${choices.join(", ")}`);
}

function bitsOf(text: string, option: string): Bits {
  const found = ALL_BITS.find(bits => String(bits) === text);
  if (found !== undefined) return found;
  throw new UsageError(`${option} ${text}: a weight takes ${ALL_BITS.join(", ")} bits`);
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`${option} ${text}: it takes a whole number of ${least} or more`);
}

function positiveOrAuto(option: string, text: string | undefined): number | "auto" {
  if (text === undefined || text === "auto") return "auto";
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new UsageError(`${option} ${text}: it takes auto, or a number above 0`);
}

function errorOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (value > 0 && value < 1) return value;
  throw new UsageError(`--max-error ${text}: it takes a relative error of the outputs between 0 and 1, as 0.05`);
}

function leastOrtOf(text: string | undefined): string | undefined {
  const release = text === undefined ? OLDEST_RELEASE : releaseOf(text);
  if (release !== undefined && release >= OLDEST_RELEASE) return text;
  throw new UsageError(
    `--least-ort ${text}: it takes a version of onnxruntime from ${releaseName(OLDEST_RELEASE)} on, as 1.20`,
  );
}

function threadsOf(text: string | undefined): number {
  return text === undefined ? availableParallelism() : wholeNumber("--threads", text, 1);
}

function inputFileOf(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1) throw new UsageError(`--input ${text}: give NAME=FILE.npy`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function dimOf(text: string): [string, number] {
  const at = text.lastIndexOf("=");
  if (at <= 0) throw new UsageError(`--dim ${text}: it takes NAME=N`);
  return [text.slice(0, at), wholeNumber("--dim", text.slice(at + 1), 1)];
}

/** --layer and --exclude in the order they were given, since the last match wins. */
function rulesOf(tokens: readonly { kind: string; name?: string; value?: string | undefined }[]): LayerRule[] {
  return tokens.flatMap(token => {
    if (token.kind !== "option" || token.value === undefined) return [];
    if (token.name === "exclude") return [{ glob: token.value, bits: "keep" as const, method: undefined }];
    return token.name === "layer" ? [ruleOf(token.value)] : [];
  });
}

function ruleOf(text: string): LayerRule {
  const at = text.lastIndexOf("=");
  if (at <= 0) throw new UsageError(`--layer ${text}: it takes 'GLOB=BITS' or 'GLOB=BITS:METHOD'`);
  const [bits = "", method] = text.slice(at + 1).split(":");
  return {
    glob: text.slice(0, at),
    bits: bits === "keep" ? "keep" : bitsOf(bits, "--layer"),
    method: method === undefined ? undefined : oneOf<MethodName>("--layer", method, METHOD_NAMES),
  };
}
