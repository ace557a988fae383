import * as z from "zod";
import { EdgeverseError } from "../errors/edgeverse-error.ts";

/** Options of a call that an object sends through its outbox. */
export interface OutboxOptions<Method extends PropertyKey = PropertyKey> {
  /** A declared method of the sender. It is called with the outcome ({@link callOutcome}), exactly once. */
  readonly onOutcome?: Method;
  /** Ms until the call leaves. It then stands behind what was sent meanwhile. */
  readonly delay?: number;
  /** Ms after which the call, if it is still pending, ends as `expired` ([CALL8]). */
  readonly expiresIn?: number;
  /** Log policy of the call. */
  readonly log?: "write-ahead" | "write-behind";
}

/** Ms that a call may be delayed: a year. */
export const MOST_DELAY = 366 * 24 * 60 * 60 * 1_000;

/**
 * What an `onOutcome` method gets: the request of `method({ internal: true, request: callOutcome })`. `callId` is what sending the
 * call gave.
 */
export const callOutcome = z.discriminatedUnion("status", [
  z.object({ callId: z.string(), status: z.literal("success"), response: z.unknown() }),
  z.object({
    callId: z.string(),
    status: z.enum(["failed", "expired"]),
    error: z.object({
      code: z.string(),
      message: z.string(),
      /** The code that the method gave to `this.fail`. */
      reason: z.string().optional(),
      details: z.unknown().optional(),
    }),
  }),
]);

/** The outcome of a call that was sent through an outbox. */
export type CallOutcome = z.output<typeof callOutcome>;

/** @throws EdgeverseError `INVALID_ARGUMENT` */
export function checkOutboxOptions({ delay, expiresIn, log }: OutboxOptions): void {
  if (delay !== undefined && !(Number.isFinite(delay) && delay >= 0 && delay <= MOST_DELAY))
    throw unfit("delay", `a number of ms from 0 to ${MOST_DELAY}`);
  if (expiresIn !== undefined && !(Number.isFinite(expiresIn) && expiresIn >= 1))
    throw unfit("expiresIn", "a number of ms from 1 up");
  if (log !== undefined && log !== "write-behind" && log !== "write-ahead")
    throw unfit("log", '"write-ahead" or "write-behind"');
}

function unfit(option: string, rule: string): EdgeverseError {
  return new EdgeverseError("INVALID_ARGUMENT", `Cannot use the option ${option} of an outbox: it must be ${rule}`);
}
