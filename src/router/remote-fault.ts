import { EdgeverseError } from "../errors/edgeverse-error.ts";

export interface RemoteFault {
  readonly error: EdgeverseError;
  /** How often the same message may be sent again over such errors, where that is safe. */
  readonly again: number;
  /** Whether the partition may have done what the message asks for. */
  readonly outcome: "unknown" | "nothing ran";
}

/** What the platform says of an error by its properties. */
interface Marks {
  /** The object was unreachable: it may be back soon. */
  readonly retryable?: unknown;
  /** It had too much to do: trying again makes it worse. */
  readonly overloaded?: unknown;
  /** It ended, over this where it is overloaded (memory, processor time): what the message asked for may have run. */
  readonly durableObjectReset?: unknown;
}

/** An error without marks may come again each time, and may be the end of an object that had nothing to do with the message. */
const UNMARKED = 3;

/** What a failed message to a partition means ([HTTP12]). */
export function remoteFault(cause: unknown, partition: string): RemoteFault {
  const marks: Marks = typeof cause === "object" && cause !== null ? cause : {};
  const overloaded = marks.overloaded === true;
  if (overloaded && marks.durableObjectReset !== true) {
    const message = `Partition ${partition} has too much to do`;
    return {
      error: new EdgeverseError("OVERLOADED", message, { cause, retryAfter: 1 }),
      again: 0,
      outcome: "nothing ran",
    };
  }
  const error = new EdgeverseError("UNAVAILABLE", `Partition ${partition} did not answer; the outcome is unknown`, {
    cause,
    ...(overloaded ? { retryAfter: 1 } : {}),
  });
  const passes = marks.retryable === true || marks.durableObjectReset === true;
  return { error, again: overloaded ? 0 : passes ? Number.POSITIVE_INFINITY : UNMARKED, outcome: "unknown" };
}
