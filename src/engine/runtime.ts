import * as ort from "onnxruntime-node";
import type { Session, Tensor, TensorData, TensorType } from "../core/calibration/tensor";
import { Failure } from "../core/failure";
import { writeModel } from "../core/onnx/model";
import type { ModelProto } from "../core/onnx/onnx_pb";

export interface SessionChoices {
  /**
   * Fold every DequantizeLinear of a stored tensor to float32 at load, so that only the weights differ from the float
   * model. Without it onnxruntime may also round activations to int8, as it does for a user.
   */
  readonly weightsAlone: boolean;
  /**
   * Threads inside one run. Forward passes for a fit use 1, so that the same data give the same codes on any machine.
   */
  readonly threads: number;
}

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
    ...(choices.weightsAlone ? { extra: { session: { disable_quant_qdq: "1" } } } : {}),
  };
  let session: ort.InferenceSession;
  try {
    // onnxruntime-node types the path and the bytes as overloads of their own.
    session = await (typeof model === "string"
      ? ort.InferenceSession.create(model, options)
      : ort.InferenceSession.create(writeModel(model), options));
  } catch (error) {
    throw refused("cannot load this model", error);
  }
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
    release: () => session.release(),
  };
}

function toOrt({ type, data, dims }: Tensor): ort.Tensor {
  return new ort.Tensor(type, data as ort.Tensor.DataType, dims);
}

function fromOrt(value: ort.Tensor): Tensor {
  return { type: value.type as TensorType, dims: value.dims, data: value.data as TensorData };
}

function refused(what: string, error: unknown): Failure {
  const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").trim();
  return new Failure(
    "model-does-not-run",
    `onnxruntime ${runtimeVersion} ${what}: ${reason}.`,
    "Check that the model runs outside Whittle.",
  );
}
