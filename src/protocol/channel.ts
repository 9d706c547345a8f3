import { Failure } from "../core/failure";
import type { Contract } from "./contract";
import { fromWire, toWire, type WireFailure } from "./failure";

/** The only thing a transport must do; the two ends of a forked process can. */
export interface Port {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

type Name<T> = keyof T & string;
export type Handlers<C extends Contract> = {
  readonly [M in Name<C["requests"]>]: (
    params: C["requests"][M]["params"],
  ) => C["requests"][M]["result"] | Promise<C["requests"][M]["result"]>;
};

type Wire =
  | { kind: "request"; id: number; method: string; params: unknown }
  | { kind: "result"; id: number; value: unknown }
  | { kind: "failure"; id: number; failure: WireFailure }
  | { kind: "event"; name: string; payload: unknown };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** One end of a conversation. */
export interface Channel<Mine extends Contract, Theirs extends Contract> {
  request<M extends Name<Theirs["requests"]>>(
    method: M,
    params: Theirs["requests"][M]["params"],
  ): Promise<Theirs["requests"][M]["result"]>;
  emit<E extends Name<Mine["events"]>>(name: E, payload: Mine["events"][E]): void;
  on<E extends Name<Theirs["events"]>>(name: E, listener: (payload: Theirs["events"][E]) => void): void;
  /** Call when the other end is gone: every waiting request fails, and every later one. */
  close(failure: Failure): void;
}

/**
 * Opens a conversation: `Mine` is what this end serves, `Theirs` what the other end does. An answer's type hangs on the
 * request's name; a thrown Failure crosses as data, a bug with its stack.
 */
export function openChannel<Mine extends Contract, Theirs extends Contract>(
  port: Port,
  handlers: Handlers<Mine>,
): Channel<Mine, Theirs> {
  const waiting = new Map<number, Waiting>();
  const listeners = new Map<string, ((payload: unknown) => void)[]>();
  let nextId = 0;
  let closed: Failure | undefined;

  const settle = (id: number): Waiting | undefined => {
    const found = waiting.get(id);
    waiting.delete(id);
    return found;
  };

  const serve = async (id: number, method: string, params: unknown): Promise<void> => {
    try {
      if (!Object.hasOwn(handlers, method)) throw new Error(`Nobody answers "${method}".`);
      const value: unknown = await handlers[method as Name<Mine["requests"]>](params);
      port.post({ kind: "result", id, value } satisfies Wire);
    } catch (thrown) {
      port.post({ kind: "failure", id, failure: toWire(thrown) } satisfies Wire);
    }
  };

  port.onMessage(received => {
    const message = received as Wire;
    switch (message.kind) {
      case "request":
        void serve(message.id, message.method, message.params);
        return;
      case "result":
        settle(message.id)?.resolve(message.value);
        return;
      case "failure":
        settle(message.id)?.reject(fromWire(message.failure));
        return;
      case "event":
        for (const listener of listeners.get(message.name) ?? []) listener(message.payload);
        return;
      default:
        message satisfies never;
    }
  });

  return {
    request: (method, params) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(closed);
        const id = nextId++;
        waiting.set(id, { resolve: resolve, reject });
        port.post({ kind: "request", id, method, params } satisfies Wire);
      }),
    emit: (name, payload) => port.post({ kind: "event", name, payload } satisfies Wire),
    on: (name, listener) => {
      listeners.set(name, [...(listeners.get(name) ?? []), listener as (payload: unknown) => void]);
    },
    close: failure => {
      closed = failure;
      for (const one of waiting.values()) one.reject(failure);
      waiting.clear();
    },
  };
}
