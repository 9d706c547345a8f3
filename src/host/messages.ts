import * as v from "valibot";
import type { FromModel, FromReport } from "../protocol/pages";

// What a page says is checked here before anything is done about it: a page shows names out of files from anywhere.

/** Longer than any name of a layer we have met. */
const MAX_NAME = 4096;

const fromReport: v.GenericSchema<unknown, FromReport> = v.variant("type", [
  v.strictObject({ type: v.literal("ready") }),
  v.strictObject({ type: v.literal("detail"), name: v.pipe(v.string(), v.maxLength(MAX_NAME)) }),
  v.strictObject({
    type: v.literal("command"),
    command: v.picklist([
      "openModel",
      "trySample",
      "quantize",
      "roundInstead",
      "cancel",
      "saveCopyAs",
      "reveal",
      "openCopy",
      "showLog",
      "manageTrust",
      "showModel",
    ]),
  }),
]);

const fromModel: v.GenericSchema<unknown, FromModel> = v.variant("type", [
  v.strictObject({ type: v.literal("ready") }),
  v.strictObject({
    type: v.literal("command"),
    command: v.picklist(["quantize", "showLog", "manageTrust", "openAsText"]),
  }),
]);

/** Undefined for anything a page of ours does not say. */
export function readFromReport(message: unknown): FromReport | undefined {
  return read(fromReport, message);
}

export function readFromModel(message: unknown): FromModel | undefined {
  return read(fromModel, message);
}

function read<T>(schema: v.GenericSchema<unknown, T>, message: unknown): T | undefined {
  const result = v.safeParse(schema, message);
  return result.success ? result.output : undefined;
}
