import type { SqlStorage, SqlValue } from "../../platform/ports.ts";
import { BulkInsert } from "./bulk-insert.ts";

/** Columns of a reminder's key in `reminders`. */
export const REMINDER_KEY = ["position", "type", "id", "name"] as const;

/** Its other columns: what may be large is last. */
export const REMINDER = [
  "setting",
  "due",
  "wake",
  "last",
  "attempts",
  "rule",
  "method",
  "caller",
  "request_id",
  "traceparent",
  "error",
  "bytes",
  "request",
] as const;

/** The key of a reminder. */
export type ReminderPlace = readonly [position: number, type: string, id: string, name: string];

/** The name of a call that a client wants to be made later: no name of an author's begins like it. */
export function callName(callId: string): string {
  return ` ${callId}`;
}

export function isCall(name: string): boolean {
  return name.startsWith(" ");
}

/** What an object wants to be called for, as it is stored. */
export interface StoredReminder {
  readonly place: ReminderPlace;
  /** Names what `this.remind` has set: a reminder that is set anew under the same name is another one. */
  readonly setting: string;
  readonly due: number;
  /** When it is to be taken up: at `due`, or later when it was refused then. The index is by it. */
  readonly wake: number;
  /** The due time before this one, whose call may not have ended. */
  readonly last: number | null;
  /** Refusals in a row. */
  readonly attempts: number;
  /** The last one, as JSON text. */
  readonly error: string | null;
  /** JSON text. */
  readonly rule: string;
  readonly method: string;
  /** JSON text: the object itself, on behalf of whom its turn acted for. */
  readonly caller: string;
  readonly requestId: string;
  readonly traceparent: string | null;
  /** Characters of the request. */
  readonly bytes: number;
}

/** What a reminder takes beside its request, roughly. */
const ROW = 500;

/** Bytes that a reminder takes in the table, roughly. */
export function reminderBytes({ bytes }: { readonly bytes: number }): number {
  return ROW + bytes;
}

const COLUMNS = [...REMINDER_KEY, ...REMINDER];
const INTO_REMINDERS = new BulkInsert(
  "reminders",
  COLUMNS,
  `ON CONFLICT (${REMINDER_KEY.join(", ")}) DO UPDATE SET
     ${REMINDER.map((column) => `${column} = excluded.${column}`).join(", ")}`,
);

/** Stores a reminder in the place of the one that has its name. */
export function storeReminder(storage: SqlStorage, reminder: StoredReminder, request: string | null): void {
  const { place, setting, due, wake, last, attempts, error, rule, method, caller, requestId, traceparent, bytes } =
    reminder;
  INTO_REMINDERS.store(storage, [
    [...place, setting, due, wake, last, attempts, rule, method, caller, requestId, traceparent, error, bytes, request],
  ]);
}

/** Columns of a reminder without its request. */
export const REMINDER_HEADER = COLUMNS.filter((column) => column !== "request").join(", ");

export type ReminderRow = Readonly<Record<(typeof COLUMNS)[number], SqlValue>>;

export function reminderFromRow(row: ReminderRow): StoredReminder {
  return {
    place: [row.position as number, row.type as string, row.id as string, row.name as string],
    setting: row.setting as string,
    due: row.due as number,
    wake: row.wake as number,
    last: row.last as number | null,
    attempts: row.attempts as number,
    error: row.error as string | null,
    rule: row.rule as string,
    method: row.method as string,
    caller: row.caller as string,
    requestId: row.request_id as string,
    traceparent: row.traceparent as string | null,
    bytes: row.bytes as number,
  };
}
