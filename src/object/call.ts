import type { Identity } from "../access/identity.ts";
import type { DueReminder } from "./reminder.ts";

/** Names one reliable call. */
export interface CallKey {
  readonly type: string;
  readonly id: string;
  readonly callId: string;
}

/** Who made a call. */
export interface Caller {
  /** A client of the HTTP interface, another object, the author's own Worker code, or Edgeverse itself (cron, resumption). */
  readonly kind: "client" | "object" | "worker" | "system";
  /** The calling object, when `kind` is "object". */
  readonly type?: string;
  readonly id?: string;
  /** Whom the first caller of the chain was authenticated as. Methods see it as `this.context.identity`. */
  readonly identity?: Identity;
  /** When an object is called by a reminder that it has set: which, and when it was due ([TIME1]). */
  readonly reminder?: DueReminder;
  /** The reliable call during which an object called: its own, or the one that it was called from. */
  readonly cause?: CallKey;
}

/** What a running method knows about the call: `this.context`. */
export interface CallContext extends Omit<CallInfo, "caller"> {
  readonly caller: Omit<Caller, "identity">;
  /** For whom the call is made, through however many objects; undefined for a client that is anonymous, and for no client. */
  readonly identity: Identity | undefined;
}

/** What a turn is told about its call. */
export interface CallInfo {
  readonly caller: Caller;
  /** When the call must have ended, ms since the epoch. */
  readonly deadline: number;
  /** The call id of a reliable call. */
  readonly callId: string | undefined;
  readonly requestId: string;
  /** W3C trace context of the call. */
  readonly traceparent: string | undefined;
}

/** Options of a call one object makes to another. */
export interface CallOptions {
  /** Makes the call reliable: executed exactly once under this id ([CALL1]). 1–255 printable ASCII characters. */
  readonly callId?: string;
  /** Ms the call may take; never more than what is left for the calling turn. */
  readonly timeout?: number;
  /** Log policy of this reliable call. */
  readonly log?: "write-ahead" | "write-behind";
  /** Ms after which a reliable call that is still pending ends as `expired` ([CALL8]). */
  readonly expiresIn?: number;
}
