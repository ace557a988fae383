import type { WireError } from "../errors/edgeverse-error.ts";
import type { Caller } from "./call.ts";
import type { LogPolicy } from "./method.ts";

/** One turn that waits, directly or through others, for the call that carries this link. */
export interface ChainLink {
  /** `type/id` of the object the turn runs on. */
  readonly key: string;
  /** Names the turn, so that a later turn of the same object is not taken for it. */
  readonly turn: string;
  /** It only reads, so that another one that only reads need not wait for it. */
  readonly readonly: boolean;
}

/** What makes a call reliable. */
export interface ReliableOptions {
  readonly callId: string;
  /** Default: the method's policy. */
  readonly log?: LogPolicy;
  /** Ms since the epoch after which the call, if still pending, ends as `expired`. */
  readonly expiresAt?: number;
  /** Ms since the epoch before which the call is not taken ([TIME7]). */
  readonly notBefore?: number;
  /** Answer when the call has its outcome, or as soon as it is durably accepted. */
  readonly answer: "outcome" | "accepted";
}

/** A call on its way to a partition: plain data, so it crosses any boundary. */
export interface CallMessage {
  readonly type: string;
  readonly id: string;
  readonly method: string;
  /** JSON text of the request; absent when the call carries none. */
  readonly request?: string;
  /** Ms since the epoch. */
  readonly deadline: number;
  readonly requestId: string;
  /** Names the request where its id does not, since a client chose that ([TURN12]). */
  readonly ticket?: string;
  readonly traceparent?: string;
  readonly caller: Caller;
  readonly chain?: readonly ChainLink[];
  readonly reliable?: ReliableOptions;
}

/** A create or delete on its way to a partition. */
export interface LifecycleMessage {
  readonly action: "create" | "delete";
  readonly type: string;
  readonly id: string;
  /** JSON text of the request to create the object; absent when there is none. */
  readonly request?: string;
  readonly deadline: number;
  readonly requestId: string;
  /** As of a call. */
  readonly ticket?: string;
  readonly caller: Caller;
}

/** What a request has asked of an object, and nobody waits for any more. */
export interface LeftCall {
  readonly type: string;
  readonly id: string;
  /** The ticket of its messages, or else their request id. */
  readonly ticket: string;
}

/** The partition asked does not own the shard ([MAP3]); `partition` owns it, as far as it knows. */
export interface Moved {
  readonly kind: "moved";
  /** The shard by the partition's own shard count; -1 for an object fixed to a partition. */
  readonly shard: number;
  readonly shards: number;
  readonly partition: string;
  readonly epoch: number;
  readonly mapVersion: number;
}

export interface Responded {
  readonly kind: "response";
  /** JSON text. */
  readonly response: string;
  /** The stored outcome of an earlier call with the same call id. */
  readonly replayed?: true;
}

export interface Failed {
  readonly kind: "error";
  readonly error: WireError;
  readonly replayed?: true;
}

/** A reliable call was durably accepted; its outcome comes later. */
export interface Accepted {
  readonly kind: "accepted";
  readonly callId: string;
  /** It waits for this time, ms since the epoch. */
  readonly notBefore?: number;
}

/** The call goes on. What it comes to is to be fetched, once, by the ticket. */
export interface Later {
  readonly kind: "later";
  readonly ticket: string;
}

export type Reply = Responded | Failed | Accepted | Moved;
/** What a caller gets, once every redirection is followed. */
export type FinalReply = Exclude<Reply, Moved>;

/**
 * Characters of the requests in one message of calls, and of the responses to a batch. A message has 32 MiB at most, and a
 * character that is not Latin-1 costs its whole text two bytes a character.
 */
export const BATCH_CHARACTERS = 12 * 1024 * 1024;

export function objectKey(type: string, id: string): string {
  return `${type}/${id}`;
}
