import { type DataTypeName, dataTypeName } from "../onnx/dataTypes";
import type { Model } from "../onnx/model";

/** What a model wants at one of its inputs. */
export interface ModelInput {
  readonly name: string;
  readonly type: DataTypeName | "unknown";
  /** A number where it is fixed, a name where it is free; undefined where the model does not say how many there are. */
  readonly dims: readonly (number | string)[] | undefined;
}

/** The inputs a caller must feed: those of the graph that are not stored with it. */
export function modelInputs(model: Model): ModelInput[] {
  const stored = new Set(model.graph.initializer.map(tensor => tensor.name));
  return model.graph.input.filter(input => !stored.has(input.name)).map(input => describe(input));
}

/** The outputs of a model, told the same way. */
export function modelOutputs(model: Model): ModelInput[] {
  return model.graph.output.map(describe);
}

function describe(value: Model["graph"]["input"][number]): ModelInput {
  const tensor = value.type?.tensorType;
  return {
    name: value.name,
    type: (tensor && dataTypeName(tensor.elemType)) ?? "unknown",
    dims: tensor?.shape?.dim.map(({ value: dim }, axis) => {
      // Some exporters write -1 for a size that is free; onnxruntime reads every negative one so.
      if (dim.case === "dimValue" && dim.value >= 0n) return Number(dim.value);
      return dim.case === "dimParam" && dim.value !== "" ? dim.value : `?${axis}`;
    }),
  };
}

export function describeInput({ type, dims }: Pick<ModelInput, "type" | "dims">): string {
  return `${type} ${dims ? `[${dims.join(", ")}]` : "of unknown shape"}`;
}
