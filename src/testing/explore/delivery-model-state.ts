import { type ShardRecord, serves } from "../../placement/shard-state.ts";

/** The two partitions. */
export const NAMES = ["A", "B"] as const;
export type At = 0 | 1;
export const PLACES: readonly At[] = [0, 1];

/** The shard of the sender, and that of the receiver. Each may be at either partition, and move. */
export type Shard = "sender" | "receiver";
export const SHARDS: readonly Shard[] = ["sender", "receiver"];

/**
 * The messages: two of one pair. The first expires after some time and has an `onOutcome`; the second has neither, so that it
 * leaves nothing but its mark.
 */
export type Call = "1" | "2";
export const CALLS: readonly Call[] = ["1", "2"];

/** A reliable call as a text of one character: pending, succeeded, expired. */
export type Status = "p" | "s" | "e";

/** The rows of a shard, durably. */
export interface Rows {
  /** Of the sender's: messages in its outbox. */
  readonly outbox: string;
  /** Of the sender's: the call of its outcome method, as its status and the outcome it tells; empty when there is none. */
  readonly told: string;
  /** Of the receiver's: calls in the order of acceptance, each with its status. */
  readonly calls: string;
}

/** A shard as one partition has it, durably. */
export interface Side {
  readonly record: ShardRecord | undefined;
  readonly rows: Rows;
}

/**
 * A message in the memory of a partition: "-" not there, "l" in line, "a" accepted; "s" and "e" its outcome is known: it has
 * succeeded, or expired.
 */
export type Held = "-" | "l" | "a" | "s" | "e";

/** What a partition asks another about a message. */
export interface Request {
  readonly step: "send" | "ask" | "tell";
  readonly call: Call;
  readonly outcome: Held;
}

export interface DeliveryState {
  readonly sender: readonly [Side, Side];
  readonly receiver: readonly [Side, Side];
  /** Shards whose source writes nothing more: its target has all. In the source's memory. */
  readonly handed: readonly Shard[];
  /** Number of the last move of each. */
  readonly moves: { readonly sender: number; readonly receiver: number };
  /** Of each partition: what is held of the first and of the second message. */
  readonly held: readonly [readonly [Held, Held], readonly [Held, Held]];
  /** How many messages were sent. */
  readonly sent: number;
  readonly expired: boolean;
  /** A request on its way that nobody waits for any more, or a second copy. */
  readonly late: Request | null;
  /** Calls that ran, and outcomes that the sender heard, in order: what no state of a database tells. */
  readonly ran: string;
  readonly heard: string;
}

export function other(at: At): At {
  return at === 0 ? 1 : 0;
}

/** Whether calls of the shard are taken there, and it may write. */
export function open(state: DeliveryState, shard: Shard, at: At): boolean {
  return serves(state[shard][at].record?.state) && !state.handed.includes(shard);
}

/** Whose rows of a shard count: who serves, or will, because its source is gone. */
export function holder(sides: readonly [Side, Side]): At {
  const serving = PLACES.find((at) => serves(sides[at].record?.state));
  return serving ?? PLACES.find((at) => sides[at].record?.state.kind === "ready") ?? 0;
}

export function heldOf(state: DeliveryState, at: At, call: Call): Held {
  return state.held[at][call === "1" ? 0 : 1];
}

export function withSide(state: DeliveryState, shard: Shard, at: At, patch: Partial<Side>): DeliveryState {
  const [a, b] = state[shard];
  return { ...state, [shard]: at === 0 ? [{ ...a, ...patch }, b] : [a, { ...b, ...patch }] };
}

export function withRows(state: DeliveryState, shard: Shard, at: At, patch: Partial<Rows>): DeliveryState {
  return withSide(state, shard, at, { rows: { ...state[shard][at].rows, ...patch } });
}

export function withHeld(state: DeliveryState, at: At, call: Call, held: Held): DeliveryState {
  const [one, two] = state.held[at];
  const mine: readonly [Held, Held] = call === "1" ? [held, two] : [one, held];
  return { ...state, held: at === 0 ? [mine, state.held[1]] : [state.held[0], mine] };
}

/** Status of a call in the receiver's rows. */
export function statusOf(calls: string, call: Call): Status | undefined {
  const place = calls.indexOf(call);
  return place < 0 ? undefined : (calls[place + 1] as Status);
}
