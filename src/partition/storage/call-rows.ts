import type { WireError } from "../../errors/edgeverse-error.ts";
import type { LogPolicy } from "../../object/method.ts";
import type { SqlStorage, SqlValue } from "../../platform/ports.ts";
import type { CallRecord, CallStatus } from "../../reliable/call-record.ts";
import { Backlog } from "./backlog.ts";
import { BulkInsert } from "./bulk-insert.ts";
import { backlogRecord, type StoredCall } from "./stored-call.ts";

/** Columns of a call's key, in `pending` and in `marks`. */
export const CALL_KEY = ["position", "type", "id", "call_id"] as const;
export const BY_KEY = "position = ? AND type = ? AND id = ? AND call_id = ?";
/** The row's key is in a list, the parameter. */
export const AMONG_CALLS = `(${CALL_KEY.join(", ")}) IN (
  SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?))`;

const PENDING = [
  ...CALL_KEY,
  "seq",
  "status",
  "method",
  "request_hash",
  "error",
  "caller",
  "trace_id",
  "attempts",
  "epoch",
  "accepted",
  "expires",
  "log",
  "crashes",
  "bytes",
  "request",
] as const;

const MARK = [
  ...CALL_KEY,
  "seq",
  "accepted",
  "finished",
  "status",
  "logged",
  "method",
  "request_hash",
  "attempts",
  "epoch",
  "error",
  "response",
] as const;

/** What a mark has beside, where it is the log's row as well. */
const BESIDE = ["caller", "trace_id", "expires", "request"] as const;

/** What only rows of calls have that were tried more than once, or parked. */
const HISTORY = "history";

/** Statements for rows without a history, as nearly all are, and for rows with one. */
const into = (table: string, columns: readonly string[]) => ({
  plain: new BulkInsert(table, columns),
  told: new BulkInsert(table, [...columns, HISTORY]),
});
const INTO_PENDING = into("pending", PENDING);
const INTO_MARKS = into("marks", MARK);
const INTO_WHOLE_MARKS = into("marks", [...MARK, ...BESIDE]);

/** Bytes of request and response that fit in one row of 2 MB. */
const FITS = 1_800_000;

/** Columns that a call moves with, after its key: those of the view `calls`. */
export const MOVED_CALL = [
  "seq",
  "method",
  "request",
  "request_hash",
  "status",
  "response",
  "error",
  "caller",
  "trace_id",
  "attempts",
  "epoch",
  "accepted",
  "finished",
  "expires",
  "log",
  "crashes",
  "shipped",
  "open",
  HISTORY,
] as const;

export type PendingRow = Readonly<
  Record<(typeof PENDING)[number], SqlValue> & Partial<Record<typeof HISTORY, SqlValue>>
>;
export type MarkRow = Readonly<
  Record<(typeof MARK)[number], SqlValue> & Partial<Record<(typeof BESIDE)[number] | typeof HISTORY, SqlValue>>
>;
/** A row of the view `calls`. */
export type CallRow = Readonly<Record<(typeof CALL_KEY)[number] | (typeof MOVED_CALL)[number], SqlValue>>;

/** A value for each of these columns. */
type Values<Columns extends readonly string[]> = { readonly [Column in keyof Columns]: SqlValue };

/** Whether a call of this status has not ended. */
export function isOpen(status: SqlValue | undefined): boolean {
  return status === "pending" || status === "parked";
}

export function insertPending(storage: SqlStorage, rows: readonly PendingRow[]): void {
  INTO_PENDING.told.store(
    storage,
    rows.map((row) => [...PENDING, HISTORY].map((column) => row[column as keyof PendingRow] ?? null)),
  );
}

export function insertMarks(storage: SqlStorage, rows: readonly MarkRow[]): void {
  INTO_WHOLE_MARKS.told.store(
    storage,
    rows.map((row) => [...MARK, ...BESIDE, HISTORY].map((column) => row[column as keyof MarkRow] ?? null)),
  );
}

export function clearCall(storage: SqlStorage, key: readonly SqlValue[]): void {
  storage.query(`DELETE FROM pending WHERE ${BY_KEY}`, ...key);
  storage.query(`DELETE FROM marks WHERE ${BY_KEY}`, ...key);
}

export function fromRow(row: CallRow, shard: number): StoredCall {
  return {
    seq: row.seq as number,
    position: row.position as number,
    log: row.log as LogPolicy,
    crashes: row.crashes as number,
    logged: row.shipped === 1,
    record: {
      callId: row.call_id as string,
      type: row.type as string,
      id: row.id as string,
      shard,
      method: row.method as string,
      request: row.request as string | null,
      requestHash: row.request_hash as string,
      status: row.status as CallStatus,
      response: row.response as string | null,
      error: row.error === null ? null : (JSON.parse(row.error as string) as WireError),
      caller: row.caller as string | null,
      traceId: row.trace_id as string | null,
      attempts: row.attempts as number,
      epoch: row.epoch as number,
      acceptedAt: row.accepted as number,
      finishedAt: row.finished as number | null,
      expiresAt: row.expires as number | null,
      history: (row.history as string | null) ?? undefined,
    },
  };
}

/** Stores calls as pending. */
export function storePending(storage: SqlStorage, calls: readonly StoredCall[]): void {
  store(storage, INTO_PENDING, calls, pendingValues);
}

/** Stores the outcomes of calls; `whole` where they are the log's rows ([CALL14]). */
export function storeMarks(storage: SqlStorage, calls: readonly StoredCall[], { whole }: { whole: boolean }): void {
  if (whole) store(storage, INTO_WHOLE_MARKS, calls, wholeMarkValues);
  else store(storage, INTO_MARKS, calls, markValues);
}

function store(
  storage: SqlStorage,
  { plain, told }: ReturnType<typeof into>,
  calls: readonly StoredCall[],
  valuesOf: (call: StoredCall) => readonly SqlValue[],
): void {
  const eventful = calls.filter(({ record }) => record.history !== undefined);
  const smooth = eventful.length === 0 ? calls : calls.filter(({ record }) => record.history === undefined);
  plain.store(storage, smooth.map(valuesOf));
  if (eventful.length === 0) return;
  told.store(
    storage,
    eventful.map((call) => [...valuesOf(call), call.record.history as string]),
  );
}

export function errorText({ error }: CallRecord): string | null {
  return error === null ? null : JSON.stringify(error);
}

/** In the order of the columns, without names in between: this runs for every call. */
function pendingValues({ seq, position, log, crashes, record }: StoredCall): Values<typeof PENDING> {
  return [
    position,
    record.type,
    record.id,
    record.callId,
    seq,
    record.status,
    record.method,
    record.requestHash,
    errorText(record),
    record.caller,
    record.traceId,
    record.attempts,
    record.epoch,
    record.acceptedAt,
    record.expiresAt,
    log,
    crashes,
    record.request?.length ?? 0,
    record.request,
  ];
}

function markValues({ seq, position, logged, record }: StoredCall): Values<typeof MARK> {
  return [
    position,
    record.type,
    record.id,
    record.callId,
    seq,
    record.acceptedAt,
    record.finishedAt,
    record.status,
    logged ? 1 : 0,
    record.method,
    record.requestHash,
    record.attempts,
    record.epoch,
    errorText(record),
    record.response,
  ];
}

/** A request that does not fit in a row beside its response is left out. */
function wholeMarkValues(call: StoredCall): SqlValue[] {
  const { caller, traceId, expiresAt, request, response } = call.record;
  const values: SqlValue[] = [...markValues(call)];
  values.push(caller, traceId, expiresAt, fitsInRow(request ?? "", response ?? "") ? request : null);
  return values;
}

/** A UTF-16 unit takes three bytes at most; only what may be too large is counted. */
function fitsInRow(request: string, response: string): boolean {
  if ((request.length + response.length) * 3 <= FITS) return true;
  return new TextEncoder().encode(request + response).length <= FITS;
}

/** Stores calls that move here, each given by its key and the columns it moves with. */
export function insertMovedCalls(storage: SqlStorage, calls: readonly (readonly SqlValue[])[]): void {
  const columns = [...CALL_KEY, ...MOVED_CALL];
  const rows = calls.map(
    (values) => Object.fromEntries(columns.map((column, index) => [column, values[index] ?? null])) as CallRow,
  );
  const open = rows.filter((row) => isOpen(row.status));
  const ended = rows.filter((row) => !isOpen(row.status));
  insertPending(
    storage,
    open.map((row) => ({ ...row, bytes: String(row.request ?? "").length })),
  );
  insertMarks(
    storage,
    ended.map((row) => ({
      ...row,
      finished: row.finished ?? row.accepted,
      logged: row.open === 1 ? (row.log === "write-ahead" ? 0 : 1) : row.shipped,
    })),
  );
  // Older code leaves it to the next owner to tell the log.
  new Backlog(storage).append(ended.filter((row) => row.open === 1).map((row) => backlogRecord(fromRow(row, -1))));
}
