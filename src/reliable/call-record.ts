import type { WireError } from "../errors/edgeverse-error.ts";
import type { CallKey } from "../object/call.ts";

/** Where a reliable call stands. A `parked` one is off its object's queue until an operator decides. The others are final. */
export type CallStatus = "pending" | "parked" | "success" | "failed" | "expired";
export type FinalStatus = Exclude<CallStatus, "pending" | "parked">;

export type { CallKey } from "../object/call.ts";
export type { LogPolicy } from "../object/method.ts";

/** What a partition knows of a call: its record, without the request; nothing; or that another one may know. */
export type OwnerAnswer = CallRecord | null | { readonly movedTo: string };

/** One reliable call as the owner knows it and as Postgres logs it. Times are ms since the epoch; texts are JSON. */
export interface CallRecord extends CallKey {
  readonly shard: number;
  readonly method: string;
  /** JSON text of the request; null when the call carried none. */
  readonly request: string | null;
  /** Its fingerprint, see fingerprint.ts. Empty in a row that `enqueueCall` or another program inserted. */
  readonly requestHash: string;
  readonly status: CallStatus;
  /** JSON text of the response of a `success`; null when the method returned nothing. */
  readonly response: string | null;
  /** Set for `failed`, `expired` and `parked`. */
  readonly error: WireError | null;
  /** JSON text of who called. */
  readonly caller: string | null;
  readonly traceId: string | null;
  /** How many times the turn was started. */
  readonly attempts: number;
  /** Epoch of the owner that wrote this; 0 in a row no owner has accepted yet. */
  readonly epoch: number;
  readonly acceptedAt: number;
  readonly finishedAt: number | null;
  readonly expiresAt: number | null;
  /** JSON text of what happened to it, see call-history.ts. Left out where its first attempt brought the outcome. */
  readonly history?: string | undefined;
  /** Set while it waits for this time ([TIME7]). Only its owner knows of it until then. */
  readonly notBefore?: number;
}

export function isFinal(status: CallStatus): status is FinalStatus {
  return status !== "pending" && status !== "parked";
}
