import { EdgeverseError } from "../errors/edgeverse-error.ts";

/**
 * What a failed message to a partition means. The platform marks errors `retryable` (the object was reset or unreachable)
 * and `overloaded` (it had too much to do; trying again makes it worse).
 */
export function remoteFault(cause: unknown, partition: string): { error: EdgeverseError; again: boolean } {
  const marks =
    typeof cause === "object" && cause !== null ? (cause as { retryable?: unknown; overloaded?: unknown }) : {};
  if (marks.overloaded === true) {
    const error = new EdgeverseError("OVERLOADED", `Partition ${partition} has too much to do`, {
      cause,
      retryAfter: 1,
    });
    return { error, again: false };
  }
  const error = new EdgeverseError("UNAVAILABLE", `Partition ${partition} did not answer; the outcome is unknown`, {
    cause,
  });
  return { error, again: true };
}
