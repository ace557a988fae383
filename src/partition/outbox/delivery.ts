import { EdgeverseError, type WireError } from "../../errors/edgeverse-error.ts";
import type { Reply } from "../../object/message.ts";
import type { CallOutcome } from "../../object/outbox.ts";

/** What an answer says of a call that was sent. */
export type Verdict =
  /** The receiver has it, durably, and drives it to an end. */
  | { readonly kind: "accepted" }
  | { readonly kind: "ended"; readonly outcome: Outcome }
  /** Nobody knows, or not now: to be sent again. */
  | { readonly kind: "again" }
  /** The receiver does not take it. */
  | { readonly kind: "refused"; readonly error: WireError };

/** What is to be done next about a message. */
export type Step = "send" | "ask" | "tell" | "remove";

/** @param message `inLine`: its receiver has not accepted it; `outcome`: what its sender is to hear, if that is known */
export function nextStep(message: {
  readonly inLine: boolean;
  readonly onOutcome: string | null;
  readonly outcome: Outcome | undefined;
}): Step {
  if (message.inLine) return "send";
  if (message.onOutcome === null) return "remove";
  return message.outcome === undefined ? "ask" : "tell";
}

type Rest<T> = T extends unknown ? Omit<T, "callId"> : never;
export type Outcome = Rest<CallOutcome>;

/**
 * | the answer                           | was asked to accept | was asked for the outcome, of an accepted call |
 * |--------------------------------------|---------------------|------------------------------------------------|
 * | accepted                             | accepted            | again                                          |
 * | a response                           | ended               | ended                                          |
 * | an error that may pass               | again               | again                                          |
 * | the stored error of an ended call    | ended               | ended                                          |
 * | another error                        | refused             | refused                                        |
 * | it is parked                         | accepted            | again                                          |
 */
export function verdict(reply: Reply, asked: "accepted" | "outcome"): Verdict {
  switch (reply.kind) {
    case "accepted":
      return asked === "accepted" ? { kind: "accepted" } : { kind: "again" };
    case "response":
      return { kind: "ended", outcome: { status: "success", response: JSON.parse(reply.response) as unknown } };
    case "moved":
      return { kind: "again" };
    case "error": {
      const { error } = reply;
      if (isParked(reply)) return asked === "accepted" ? { kind: "accepted" } : { kind: "again" };
      if (EdgeverseError.from(error).retryable) return { kind: "again" };
      if (reply.replayed === true) return { kind: "ended", outcome: outcomeOf(error) };
      return { kind: "refused", error };
    }
  }
}

/** The outcome of a call that ended with an error, as an `onOutcome` method gets it. */
export function outcomeOf({ code, message, reason, details }: WireError): Outcome {
  return {
    status: reason === "EXPIRED" ? "expired" : "failed",
    error: {
      code,
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
    },
  };
}

/** Whether the call is parked at the receiver, until an operator decides. */
export function isParked(reply: Reply): boolean {
  if (reply.kind !== "error") return false;
  return (reply.error.details as { readonly status?: unknown } | undefined)?.status === "parked";
}
