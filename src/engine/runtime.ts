import * as ort from "onnxruntime-node";
import type { Session, Tensor, TensorData, TensorType } from "../core/calibration/tensor";
import { Failure } from "../core/failure";
import { withFloatActivations } from "../core/formats/nbits";
import type { ModelProto } from "../core/onnx/onnx_pb";
import { handOver } from "./handOver";

export interface SessionChoices {
  /**
   * Fold every DequantizeLinear of a stored tensor to float32 at load, and multiply with floats in MatMulNBits (of a model in
   * memory), so that only the weights differ from the float model. Without it onnxruntime may also round activations to int8,
   * as it does for a user.
   */
  readonly weightsAlone: boolean;
  /**
   * Threads inside one run. Forward passes for a fit use 1, so that the same data give the same codes on any machine.
   */
  readonly threads: number;
  /** Bytes of a model in memory that is given to onnxruntime as it is; a larger one lies in files. */
  readonly mostInMemory?: number;
  /** Part of a model, which is run on a few calls and let go. */
  readonly part?: boolean;
  /** Only whether it can be loaded: nothing is made of its weights. */
  readonly probe?: boolean;
}

/** A message is copied by onnxruntime, and its tensors again: small against what else a run takes. */
export const USUAL_IN_MEMORY = 2 ** 28;

/** The version of onnxruntime that runs models here. */
export const runtimeVersion: string = ort.env.versions.node ?? ort.env.versions.common;

/** Errors only: onnxruntime's warnings speak of its own optimizations and go to stderr past us. */
const LOG_ERRORS_ONLY = 3;

/**
 * Loads a model into onnxruntime on the CPU.
 *
 * @param model the path of a file, or a model in memory.
 * @throws {Failure} `model-does-not-run` with onnxruntime's own reason.
 */
export async function openSession(model: ModelProto | string, choices: SessionChoices): Promise<Session> {
  const options: ort.InferenceSession.SessionOptions = {
    intraOpNumThreads: choices.threads,
    interOpNumThreads: 1,
    logSeverityLevel: LOG_ERRORS_ONLY,
    ...(choices.probe ? { graphOptimizationLevel: "disabled" } : {}),
  };
  const extra: Record<string, string> = {
    ...(choices.weightsAlone ? { disable_quant_qdq: "1" } : {}),
    ...(choices.probe ? { disable_prepacking: "1" } : {}),
  };
  const handed =
    typeof model === "string"
      ? { from: model, bytes: 0 }
      : handOver(
          choices.weightsAlone ? withFloatActivations(model) : model,
          choices.mostInMemory ?? USUAL_IN_MEMORY,
        );
  // Of the weights of a large part no second form is made: it would be as large again. By its size alone, whatever memory there
  // is, since sums are then rounded in another order; not in a default session, which would multiply other than a user's does.
  if (choices.part && choices.weightsAlone && handed.bytes > USUAL_IN_MEMORY) extra.disable_prepacking = "1";
  if (handed.folder !== undefined) extra.model_external_initializers_file_folder_path = handed.folder;
  if (Object.keys(extra).length > 0) options.extra = { session: extra };
  let session: ort.InferenceSession;
  try {
    // onnxruntime-node types the path and the bytes as overloads of their own.
    session = await (typeof handed.from === "string"
      ? ort.InferenceSession.create(handed.from, options)
      : ort.InferenceSession.create(handed.from, options));
  } catch (error) {
    handed.close?.();
    throw refused("cannot load this model", error);
  }
  // Elsewhere a file that is mapped stays as it is without its name, and a process that is ended by force leaves none behind.
  const keptInUse = process.platform === "win32";
  if (!keptInUse) handed.close?.();
  return {
    async run(feed) {
      const inputs = Object.fromEntries([...feed].map(([name, tensor]) => [name, toOrt(tensor)]));
      let outputs: ort.InferenceSession.OnnxValueMapType;
      try {
        outputs = await session.run(inputs);
      } catch (error) {
        throw refused("cannot run this model on these inputs", error);
      }
      return new Map(Object.entries(outputs).map(([name, value]) => [name, fromOrt(value)]));
    },
    async release() {
      await session.release();
      if (keptInUse) handed.close?.();
    },
  };
}

function toOrt({ type, data, dims }: Tensor): ort.Tensor {
  return new ort.Tensor(type, data as ort.Tensor.DataType, dims);
}

function fromOrt(value: ort.Tensor): Tensor {
  return { type: value.type as TensorType, dims: value.dims, data: value.data as TensorData };
}

function refused(what: string, error: unknown): Failure {
  const message = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").trim();
  const newer = newerThanRuntime(message);
  if (newer !== undefined) {
    return new Failure(
      "model-does-not-run",
      `The model is newer than onnxruntime ${runtimeVersion}: ${newer}.`,
      "Export it for an older opset, or use a Whittle with a newer onnxruntime.",
    );
  }
  // Where in onnxruntime's source a check stands (a path of the machine that built it, and a signature) helps nobody here.
  const reason = message.replace(/\S*onnxruntime\/\S+:\d+ [^)]*\) /, "").replace(/\.+$/, "");
  return new Failure(
    "model-does-not-run",
    `onnxruntime ${runtimeVersion} ${what}: ${reason}.`,
    "Check that the model runs outside Whittle.",
  );
}

/** Which of the model's versions onnxruntime does not know yet, from its own words; undefined where it says something else. */
function newerThanRuntime(message: string): string | undefined {
  const opset = /Opset (\d+) is under development.*support for domain (\S+) is till opset (\d+)/.exec(message);
  if (opset) return `it needs opset ${opset[1]} of ${opset[2]}, which is known up to ${opset[3]}`;
  const ir = /Unsupported model IR version: (\d+), max supported IR version: (\d+)/.exec(message);
  return ir ? `it is of IR version ${ir[1]}, which is known up to ${ir[2]}` : undefined;
}
