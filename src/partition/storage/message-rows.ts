import type { Caller } from "../../object/call.ts";
import type { MethodDefinition } from "../../object/registry.ts";
import type { SqlStorage, SqlValue } from "../../platform/ports.ts";
import { BulkInsert } from "./bulk-insert.ts";

/** Columns of a message's key in `outbox`. */
export const MESSAGE_KEY = ["position", "type", "id", "n"] as const;

/** Its other columns: what may be large is last. */
export const MESSAGE = [
  "due",
  "status",
  "call_id",
  "to_type",
  "to_id",
  "method",
  "outcome_method",
  "caller",
  "request_id",
  "traceparent",
  "expires",
  "log",
  "error",
  "bytes",
  "request",
] as const;

/** The key of a message. */
export type MessagePlace = readonly [position: number, type: string, id: string, n: string];

/** What an object has committed to send, and has not delivered. */
export interface Message {
  readonly place: MessagePlace;
  /** Ms since the epoch; 0 for one that leaves at once. */
  readonly due: number;
  readonly callId: string;
  readonly to: { readonly type: string; readonly id: string };
  readonly method: string;
  /** The sender's method that gets the outcome. */
  readonly onOutcome: string | null;
  /** JSON text: whom the receiver sees as its caller. */
  readonly caller: string;
  readonly requestId: string;
  readonly traceparent: string | null;
  readonly expiresAt: number | null;
  readonly log: "write-ahead" | "write-behind" | null;
  /** Characters of the request. */
  readonly bytes: number;
  /** JSON text; null for none. Undefined where it was not read. */
  readonly request: string | null | undefined;
  /** What its turn knows of it, until it is committed; undefined where the method could not be called at once. */
  readonly fresh?: FreshMessage | undefined;
}

/** A message as it was made, for a receiver in the same partition. */
export interface FreshMessage {
  readonly method: MethodDefinition;
  readonly caller: Caller;
  /** The request before and after its schema has parsed it. */
  readonly raw: unknown;
  readonly request: unknown;
}

/** What a message takes beside its request, roughly. */
const ROW = 500;

/** Bytes that a message takes in the table, roughly. */
export function messageBytes({ bytes }: Pick<Message, "bytes">): number {
  return ROW + bytes;
}

const INTO_OUTBOX = new BulkInsert("outbox", [...MESSAGE_KEY, ...MESSAGE]);

export function insertMessages(storage: SqlStorage, messages: readonly Message[]): void {
  INTO_OUTBOX.store(
    storage,
    messages.map((message) => [
      ...message.place,
      message.due,
      "waiting",
      message.callId,
      message.to.type,
      message.to.id,
      message.method,
      message.onOutcome,
      message.caller,
      message.requestId,
      message.traceparent,
      message.expiresAt,
      message.log,
      null,
      message.bytes,
      message.request ?? null,
    ]),
  );
}

/** Columns of a message without its request. */
export const HEADER = [...MESSAGE_KEY, ...MESSAGE.filter((column) => column !== "request")].join(", ");

export type MessageRow = Readonly<Record<(typeof MESSAGE_KEY)[number] | (typeof MESSAGE)[number], SqlValue>>;

/** A message whose request was not read. */
export function messageFromRow(row: MessageRow): Message {
  return {
    place: [row.position as number, row.type as string, row.id as string, row.n as string],
    due: row.due as number,
    callId: row.call_id as string,
    to: { type: row.to_type as string, id: row.to_id as string },
    method: row.method as string,
    onOutcome: row.outcome_method as string | null,
    caller: row.caller as string,
    requestId: row.request_id as string,
    traceparent: row.traceparent as string | null,
    expiresAt: row.expires as number | null,
    log: row.log as Message["log"],
    bytes: row.bytes as number,
    request: undefined,
  };
}

const OUTCOME = ".outcome";

/** The call id under which the sender of a call hears its outcome: always the same, so that it hears it once. */
export function outcomeCallId(callId: string): string {
  return callId + OUTCOME;
}

type CallPlace = readonly [position: number, type: string, id: string, callId: string];

/** Of these calls, those that tell an outcome and may do so again: the message is not removed. As places in the list. */
export function toldAgain(storage: SqlStorage, calls: readonly CallPlace[]): ReadonlySet<number> {
  const told = calls.flatMap(([position, type, id, callId], place) =>
    callId.endsWith(OUTCOME) ? [[position, type, id, callId.slice(0, -OUTCOME.length), place]] : [],
  );
  if (told.length === 0) return new Set();
  const rows = storage.query<{ place: number }>(
    `SELECT value->>4 AS place FROM json_each(?) WHERE EXISTS (SELECT 1 FROM outbox
       WHERE position = value->>0 AND type = value->>1 AND id = value->>2 AND call_id = value->>3)`,
    JSON.stringify(told),
  );
  return new Set(rows.map(({ place }) => place));
}
