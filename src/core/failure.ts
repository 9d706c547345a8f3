/** Every way a run can end that the user can do something about. The command line prints the code, scripts may match it. */
export type FailureCode =
  | "model-missing"
  | "model-unreadable"
  | "model-invalid"
  | "model-changed"
  | "model-does-not-run"
  | "format-impossible"
  | "opset-too-old"
  | "budget-impossible"
  | "budget-needs-data"
  | "data-missing"
  | "data-unreadable"
  | "data-does-not-fit"
  | "data-not-finite"
  | "output-exists"
  | "output-is-model"
  | "output-unwritable"
  | "copy-differs"
  | "copy-does-not-load"
  | "no-room"
  | "score-dropped"
  | "engine-gone"
  | "cancelled";

/**
 * A run that cannot go on, told to the user: what happened, and what can be done next. Not for bugs (those are plain
 * errors with a stack) and not for a layer that is left alone (that is data in the report).
 */
export class Failure extends Error {
  override readonly name = "Failure";

  /**
   * @param code stable, for scripts.
   * @param happened one sentence, with the file, tensor or number that shows it.
   * @param next one sentence: what the user can do about it.
   */
  constructor(
    readonly code: FailureCode,
    readonly happened: string,
    readonly next: string,
  ) {
    super(`${happened} ${next}`);
  }
}
