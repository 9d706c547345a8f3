import { Failure, type FailureCode } from "../core/failure";

/** A failure on the wire: a class does not survive being sent, its parts do. */
export type WireFailure =
  | { readonly kind: "failure"; readonly code: FailureCode; readonly happened: string; readonly next: string }
  /** A bug keeps its stack, for the log. */
  | { readonly kind: "bug"; readonly message: string; readonly stack: string };

export function toWire(thrown: unknown): WireFailure {
  if (thrown instanceof Failure) {
    return { kind: "failure", code: thrown.code, happened: thrown.happened, next: thrown.next };
  }
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { kind: "bug", message: error.message, stack: error.stack ?? error.message };
}

export function fromWire(wire: WireFailure): Error {
  if (wire.kind === "failure") return new Failure(wire.code, wire.happened, wire.next);
  const bug = new Error(wire.message);
  bug.stack = wire.stack;
  return bug;
}
