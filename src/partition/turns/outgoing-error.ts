import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { copyJson } from "../../object/json.ts";
import type { Observer } from "./ports.ts";
import type { Turn } from "./turn.ts";

const MAX_MESSAGE = 4_096;
const MAX_DETAILS = 64 * 1024;

/**
 * The error that leaves the turn. An `EdgeverseError` leaves, its parts cut to what can be stored and sent. Of
 * anything else the caller learns only that it happened, and the observer hears the rest.
 */
export function outgoingError(turn: Turn, thrown: unknown, observer: Observer): EdgeverseError {
  if (!(thrown instanceof EdgeverseError)) {
    const cause = explained(turn, thrown);
    observer.methodThrew(turn.activation.key, turn.plan.info.requestId, cause);
    return new EdgeverseError("INTERNAL", `${turn.activation.key} failed unexpectedly`, { cause });
  }
  const { code, message, retryable, reason, details, retryAfter } = thrown;
  // What the platform did, and the caller is not told.
  if (code === "UNAVAILABLE" && thrown.cause !== undefined && !(thrown.cause instanceof EdgeverseError))
    observer.warn("a turn met a fault of the platform", { key: turn.activation.key, error: thrown });
  return new EdgeverseError(code, String(message).slice(0, MAX_MESSAGE), {
    retryable,
    reason: reason === undefined ? undefined : String(reason).slice(0, 256),
    details: details === undefined ? undefined : plain(details),
    retryAfter,
    cause: thrown,
  });
}

/** What V8 says of a write to a frozen object or array. */
const FROZEN = /^Cannot (?:assign to read only|add|delete|define|redefine) property/;

/** Says to the author of a readonly method that wrote to its state which method that is. */
function explained(turn: Turn, thrown: unknown): unknown {
  if (turn.mutable || !(thrown instanceof TypeError) || !FROZEN.test(thrown.message)) return thrown;
  const message = `Cannot change the state of ${turn.activation.key}: ${turn.restriction}. ${thrown.message}`;
  const error = new TypeError(message, { cause: thrown });
  // The place in the author's code, which is what counts.
  if (thrown.stack !== undefined) error.stack = thrown.stack.replace(thrown.message, () => message);
  return error;
}

/** The error of a call whose deadline has passed ([TURN6]). */
export function late(turn: Turn, when: string): EdgeverseError {
  return new EdgeverseError(
    "DEADLINE_EXCEEDED",
    `The call of ${turn.activation.key} passed its deadline ${when}; it changed nothing`,
  );
}

function plain(details: unknown): unknown {
  try {
    return copyJson(details, MAX_DETAILS);
  } catch (error) {
    return { omitted: error instanceof Error ? error.message : String(error) };
  }
}
