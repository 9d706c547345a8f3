import type { FailureCode } from "../../src/core/failure";
import type { Problem } from "../../src/protocol/pages";
import { t } from "./text";

/** The bold line above a problem. A code without one (a bug has none) shows what happened there instead. */
const titles: Readonly<Record<Exclude<FailureCode, "cancelled">, string>> = {
  "model-missing": "The model is not there",
  "model-unreadable": "This file cannot be read",
  "model-invalid": "This is not a sound ONNX file",
  "model-changed": "The model was changed while it was read",
  "model-does-not-run": "onnxruntime does not run this model",
  "format-impossible": "No format can store this",
  "opset-too-old": "The model's operators are too old",
  "budget-impossible": "No copy is that small",
  "no-room": "No room for a temporary file",
  "budget-needs-data": "Choosing bits needs calibration data",
  "data-missing": "The calibration data are not there",
  "data-unreadable": "The calibration data cannot be read",
  "data-does-not-fit": "The calibration data do not fit this model",
  "data-not-finite": "The calibration data hold NaN or infinity",
  "output-exists": "A file of that name exists",
  "output-is-model": "Cannot save over the model itself",
  "output-unwritable": "The copy cannot be written there",
  "copy-differs": "The copy computes something else",
  "copy-does-not-load": "onnxruntime refuses this copy",
  "score-dropped": "The score dropped too far",
  "engine-gone": "The engine stopped",
};

export function titleOf({ code }: Problem): string {
  return t((titles as Readonly<Record<string, string | undefined>>)[code] ?? "This did not work");
}
