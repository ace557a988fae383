import type { EdgeverseError, WireError } from "../errors/edgeverse-error.ts";

/**
 * The life of a reliable call ([CALL2]).
 *
 * | state   | event                      | next                                            |
 * |---------|----------------------------|-------------------------------------------------|
 * | pending | started                    | pending, one attempt more                       |
 * | pending | returned                   | success                                         |
 * | pending | threw                      | failed                                          |
 * | pending | faulted                    | pending, to be started again after a delay      |
 * | pending | faulted of its own doing, no attempts left | failed, with the fault          |
 * | pending | expired                    | expired                                         |
 * | final   | anything                   | the same: an outcome never changes              |
 */
export type CallState =
  | { readonly status: "pending"; readonly attempts: number }
  | { readonly status: "success"; readonly attempts: number; readonly response: string }
  | { readonly status: "failed" | "expired"; readonly attempts: number; readonly error: WireError };

export type CallEvent =
  | { readonly kind: "started" }
  | { readonly kind: "returned"; readonly response: string }
  | { readonly kind: "threw"; readonly error: WireError }
  /** `maxAttempts` is infinite for a fault that is not the call's own doing. */
  | { readonly kind: "faulted"; readonly error: WireError; readonly maxAttempts: number }
  | { readonly kind: "expired" };

export function transition(state: CallState, event: CallEvent): CallState {
  if (state.status !== "pending") return state;
  const { attempts } = state;
  switch (event.kind) {
    case "started":
      return { status: "pending", attempts: attempts + 1 };
    case "returned":
      return { status: "success", attempts, response: event.response };
    case "threw":
      return { status: "failed", attempts, error: event.error };
    case "faulted":
      return attempts < event.maxAttempts
        ? state
        : { status: "failed", attempts, error: exhausted(event.error, attempts) };
    case "expired":
      return { status: "expired", attempts, error: EXPIRED };
    default:
      return assertNever(event);
  }
}

/**
 * What happened to the turn, as an event: an error of the platform that may pass is a fault, any other is the outcome.
 * Attempts are limited where the call itself may be to blame; one that waits for a part of the cluster waits on.
 */
export function eventOfError(error: EdgeverseError, maxAttempts: number): CallEvent {
  if (!error.retryable) return { kind: "threw", error: error.toWire() };
  const own = error.code === "DEADLINE_EXCEEDED" || error.code === "DEADLOCK";
  return { kind: "faulted", error: error.toWire(), maxAttempts: own ? maxAttempts : Number.POSITIVE_INFINITY };
}

/** Ms before attempt `attempts + 1`: doubling from 50 ms to 30 s. */
export function retryDelay(attempts: number): number {
  return Math.min(30_000, 50 * 2 ** Math.min(attempts - 1, 20));
}

const EXPIRED: WireError = {
  code: "DEADLINE_EXCEEDED",
  message: "The call expired before it had an outcome; it will not run any more",
  retryable: false,
  reason: "EXPIRED",
};

function exhausted(error: WireError, attempts: number): WireError {
  return { ...error, retryable: false, message: `Gave up after ${attempts} attempts: ${error.message}` };
}

function assertNever(value: never): never {
  throw new Error(`unexpected event ${JSON.stringify(value)}`);
}
