import { EdgeverseError } from "../errors/edgeverse-error.ts";

export interface RemoteFault {
  readonly error: EdgeverseError;
  /** Whether the same message may fare better soon. */
  readonly again: boolean;
  /** Whether the partition may have done what the message asks for. */
  readonly outcome: "unknown" | "nothing ran";
}

/** What the platform says of an error by its properties. */
interface Marks {
  /** The object was unreachable, or was reset. Any other error would come again, or was thrown by our own code. */
  readonly retryable?: unknown;
  /** It had too much to do: trying again makes it worse. */
  readonly overloaded?: unknown;
  /** It ended over this, as for its memory or its processor time: what the message asked for may have run. */
  readonly durableObjectReset?: unknown;
}

/** What a failed message to a partition means ([HTTP12]). */
export function remoteFault(cause: unknown, partition: string): RemoteFault {
  const marks: Marks = typeof cause === "object" && cause !== null ? cause : {};
  const overloaded = marks.overloaded === true;
  if (overloaded && marks.durableObjectReset !== true) {
    const message = `Partition ${partition} has too much to do`;
    return {
      error: new EdgeverseError("OVERLOADED", message, { cause, retryAfter: 1 }),
      again: false,
      outcome: "nothing ran",
    };
  }
  const error = new EdgeverseError("UNAVAILABLE", `Partition ${partition} did not answer; the outcome is unknown`, {
    cause,
    ...(overloaded ? { retryAfter: 1 } : {}),
  });
  return { error, again: marks.retryable === true && !overloaded, outcome: "unknown" };
}
