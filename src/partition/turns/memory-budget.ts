import { EdgeverseError } from "../../errors/edgeverse-error.ts";

/** Share of the budget that calls may hold; the rest is the objects'. */
const CALLS = 0.75;
/** Estimated bytes of a call's own bookkeeping. */
const CALL = 1_000;

/**
 * Estimated bytes of memory that one partition may use ([LIFE2], [TURN8]): for objects, and for what calls hold until they
 * are answered. There is one budget for both: what calls hold, objects give up. It may shrink while partitions share the
 * memory of one isolate; what is held already stays.
 */
export class MemoryBudget {
  readonly #limit: () => number;
  #held = 0;

  /** @param limit the bytes of now */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** Bytes that calls hold: their requests, the rows that their turns have written, their responses. */
  get held(): number {
    return this.#held;
  }

  /** Bytes that objects may use. */
  get room(): number {
    return this.#limit() - this.#held;
  }

  /** @throws EdgeverseError `OVERLOADED` when calls hold too much already; then nothing is held */
  hold(bytes: number): void {
    const most = Math.floor(this.#limit() * CALLS);
    if (this.#held + bytes > most) {
      throw new EdgeverseError(
        "OVERLOADED",
        `The calls of this partition hold ${this.#held} of ${most} bytes of memory`,
        {
          retryAfter: 1,
        },
      );
    }
    this.#held += bytes;
  }

  /** Holds what is there already and can't be refused any more. */
  add(bytes: number): void {
    this.#held += bytes;
  }

  free(bytes: number): void {
    this.#held -= bytes;
  }

  /** Holds like `hold`. The function that it returns frees it, once. */
  lease(bytes: number): () => void {
    this.hold(bytes);
    let held = bytes;
    return () => {
      this.free(held);
      held = 0;
    };
  }
}

/** Estimated bytes of a call with this request: its text, and the value that is made of it. */
export function weightOfCall(request: string | undefined): number {
  return CALL + 2 * (request?.length ?? 0);
}
