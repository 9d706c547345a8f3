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
  readonly happened: string;
  readonly next: string;

  /**
   * @param code stable, for scripts.
   * @param happened one sentence, with the file, tensor or number that shows it.
   * @param next one sentence: what the user can do about it.
   */
  constructor(
    readonly code: FailureCode,
    happened: string,
    next: string,
  ) {
    const [told, advised] = [oneLine(happened), oneLine(next)];
    super(`${told} ${advised}`);
    this.happened = told;
    this.next = advised;
  }
}

/** A name in a damaged file may be as long as the file. */
const MOST_CHARACTERS = 1200;

/** Names that come from a file may hold line ends, and codes that a terminal obeys. */
function oneLine(sentence: string): string {
  const plain = sentence.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
  if (plain.length <= MOST_CHARACTERS) return plain;
  return `${plain.slice(0, MOST_CHARACTERS / 2)} … ${plain.slice(-MOST_CHARACTERS / 2)}`;
}
