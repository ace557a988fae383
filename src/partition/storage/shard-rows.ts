import { compareUtf8 } from "../../identity/utf8-order.ts";
import type { MovedRow, RowKey, RowKind } from "../../placement/move.ts";
import type { SqlRow, SqlStorage, SqlValue } from "../../platform/ports.ts";
import { BulkInsert } from "./bulk-insert.ts";
import { CALL_KEY, clearCall, insertMovedCalls, isOpen, MOVED_CALL } from "./call-rows.ts";
import { EVENT, EVENT_KEY } from "./event-rows.ts";
import { type IndexedRow, insertEntries } from "./index-entries.ts";
import { MESSAGE, MESSAGE_KEY } from "./message-rows.ts";
import { REMINDER, REMINDER_KEY } from "./reminder-rows.ts";

/** Positions in hash order, both inclusive: a shard's rows. */
export interface HashRange {
  readonly first: number;
  readonly last: number;
}

interface Kind {
  readonly table: string;
  /** Column of the row key's `key`; null where an object has one row. */
  readonly key: string | null;
  readonly columns: readonly string[];
  /** Columns that both sides must agree on; the rest may differ between the copy and the source. */
  readonly compared: readonly string[];
}

const OBJECT = ["version", "state", "created", "updated", "entries"];
/** The target changes epoch and shipped; crashes are counted without a note; a mark leaves out the others. */
const CALL_COMPARED = [
  "seq",
  "method",
  "request_hash",
  "status",
  "response",
  "error",
  "caller",
  "attempts",
  "accepted",
  "log",
  "history",
];
const KINDS: readonly [Kind, Kind, Kind, Kind, Kind, Kind] = [
  {
    table: "objects",
    key: null,
    columns: OBJECT,
    compared: OBJECT,
  },
  { table: "rows", key: "key", columns: ["value"], compared: ["value"] },
  {
    // A view: `pending` and `marks`.
    table: "calls",
    key: "call_id",
    columns: MOVED_CALL,
    compared: CALL_COMPARED,
  },
  { table: "outbox", key: "n", columns: MESSAGE, compared: MESSAGE },
  { table: "reminders", key: "name", columns: REMINDER, compared: REMINDER },
  { table: "events", key: "n", columns: EVENT, compared: EVENT },
];

/** Last columns that came later. */
const LATER: ReadonlySet<string> = new Set(["entries", "history"]);

/** The tables with a shard's rows, and their keys. */
const SHARD_TABLES = {
  objects: ["position", "type", "id"],
  rows: ["position", "type", "id", "key"],
  pending: CALL_KEY,
  marks: CALL_KEY,
  outbox: MESSAGE_KEY,
  reminders: REMINDER_KEY,
  events: EVENT_KEY,
} as const;

/** Rows read at once; large ones come few at a time. */
const STEP = 32;

const keyColumns = ({ key }: Kind) => ["position", "type", "id", ...(key === null ? [] : [key])];
const keyOf = ({ kind, position, type, id, key }: RowKey): SqlValue[] =>
  KINDS[kind].key === null ? [position, type, id] : [position, type, id, key];

/** Order of the first pass: kind, then place. */
export function compareRowKeys(left: RowKey, right: RowKey): number {
  return (
    left.kind - right.kind ||
    left.position - right.position ||
    compareUtf8(left.type, right.type) ||
    compareUtf8(left.id, right.id) ||
    compareUtf8(left.key, right.key)
  );
}

/** The columns of the row at `rowKey`, or null when there is none. */
export function readRow(storage: SqlStorage, rowKey: RowKey): SqlValue[] | null {
  const kind = KINDS[rowKey.kind];
  const where = keyColumns(kind).map((column) => `${column} = ?`);
  const rows = storage.query(
    `SELECT ${kind.columns.join(", ")} FROM ${kind.table} WHERE ${where.join(" AND ")}`,
    ...keyOf(rowKey),
  );
  return rows[0] === undefined ? null : valuesOf(kind, rows[0]);
}

/**
 * What is moved of a row: of an object that is in no index, and of a call without a history, what it was before there were
 * any. So code from before takes it, and agrees on the digest.
 */
function valuesOf({ columns }: Kind, row: SqlRow): SqlValue[] {
  return withoutLast(
    columns,
    columns.map((column) => row[column] as SqlValue),
  );
}

function withoutLast(columns: readonly string[], values: SqlValue[]): SqlValue[] {
  return LATER.has(columns.at(-1) as string) && values.at(-1) == null ? values.slice(0, -1) : values;
}

/** The part of a row's values that the digests of both sides compare. */
export function comparedValues(kind: RowKind, values: readonly SqlValue[] | null): SqlValue[] | null {
  const { columns, compared } = KINDS[kind];
  if (values === null || compared === columns) return values === null ? null : [...values];
  return withoutLast(
    compared,
    compared.map((column) => values[columns.indexOf(column)] as SqlValue),
  );
}

/** Store rows of one object, in order of their keys. A few at a time are in memory; those passed may be removed. */
export function* rowsOfObject(storage: SqlStorage, at: Omit<RowKey, "kind" | "key">): Generator<MovedRow> {
  const { position, type, id } = at;
  const sql = "SELECT key, value FROM rows WHERE position = ? AND type = ? AND id = ? AND key > ? ORDER BY key LIMIT ?";
  let found: { key: string; value: string }[];
  let last = "";
  do {
    found = storage.query<{ key: string; value: string }>(sql, position, type, id, last, STEP);
    for (const { key, value } of found) yield { ...at, kind: 1, key, values: [value] };
    last = found.at(-1)?.key ?? "";
  } while (found.length === STEP);
}

/**
 * The next rows of a shard in the order of the first pass, about `bytes` characters of them but one at least.
 * @param after null from the start
 * @returns `rows` empty and `next` null at the end
 */
export function scanRows(
  storage: SqlStorage,
  range: HashRange,
  after: RowKey | null,
  limits: { readonly rows: number; readonly bytes: number },
): { rows: MovedRow[]; next: RowKey | null } {
  const rows: MovedRow[] = [];
  let bytes = 0;
  let last = after ?? beforeAll(0, range);
  for (;;) {
    const step = readStep(storage, last, range);
    for (const row of step) {
      rows.push(row);
      bytes += sizeOfRow(row);
      last = rowKeyOf(row);
      if (rows.length >= limits.rows || bytes >= limits.bytes) return { rows, next: last };
    }
    if (step.length === STEP) continue;
    if (last.kind === KINDS.length - 1) return { rows, next: null };
    last = beforeAll((last.kind + 1) as RowKind, range);
  }
}

/** The place before the first row of a kind. */
function beforeAll(kind: RowKind, range: HashRange): RowKey {
  return { kind, position: range.first, type: "", id: "", key: "" };
}

function readStep(storage: SqlStorage, after: RowKey, range: HashRange): MovedRow[] {
  const { kind } = after;
  const { table, key, columns } = KINDS[kind];
  const keys = keyColumns(KINDS[kind]);
  const found = storage.query<SqlRow>(
    `SELECT ${[...keys, ...columns].join(", ")} FROM ${table}
     WHERE (${keys.join(", ")}) > (${keys.map(() => "?").join(", ")}) AND position <= ?
     ORDER BY ${keys.join(", ")} LIMIT ${STEP}`,
    ...keyOf(after),
    range.last,
  );
  return found.map((row) => ({
    kind,
    position: row["position"] as number,
    type: row["type"] as string,
    id: row["id"] as string,
    key: key === null ? "" : (row[key] as string),
    values: valuesOf(KINDS[kind], row),
  }));
}

export function rowKeyOf({ kind, position, type, id, key }: MovedRow): RowKey {
  return { kind, position, type, id, key };
}

/** Characters a row takes, roughly. */
export function sizeOfRow(row: MovedRow): number {
  let size = 64 + row.type.length + row.id.length + row.key.length;
  for (const value of row.values ?? []) size += typeof value === "string" ? value.length : 8;
  return size;
}

/** Stores rows that are not there yet, many in one statement. */
export function insertRows(storage: SqlStorage, rows: readonly MovedRow[]): void {
  for (const kind of KINDS) {
    const own = rows
      .filter((row) => KINDS[row.kind] === kind)
      .map((row) => [...keyOf(row), ...kind.columns.map((_, index) => row.values?.[index] ?? null)]);
    if (kind.table === "calls") insertMovedCalls(storage, own);
    else new BulkInsert(kind.table, [...keyColumns(kind), ...kind.columns]).store(storage, own);
  }
  const objects = rows.filter(({ kind, values }) => kind === 0 && typeof values?.at(-1) === "string");
  insertEntries(
    storage,
    objects.map(({ position, type, id, values }): IndexedRow => [position, type, id, values?.at(-1) as string]),
  );
}

/** Makes one row equal to the source's, or removes it. */
export function replaceRow(storage: SqlStorage, row: MovedRow): void {
  const kind = KINDS[row.kind];
  if (kind.table === "calls") clearCall(storage, keyOf(row));
  else {
    const where = keyColumns(kind).map((column) => `${column} = ?`);
    storage.query(`DELETE FROM ${kind.table} WHERE ${where.join(" AND ")}`, ...keyOf(row));
  }
  if (row.values !== null) insertRows(storage, [row]);
}

/** A call's values as its new owner takes them over: under its own epoch until it has ended. */
export function underEpoch(row: MovedRow, epoch: number): MovedRow {
  if (row.kind !== 2 || row.values === null) return row;
  const { columns } = KINDS[2];
  if (!isOpen(row.values[columns.indexOf("status")])) return row;
  const values = [...row.values];
  values[columns.indexOf("epoch")] = epoch;
  values[columns.indexOf("shipped")] = 0;
  return { ...row, values };
}

/** Removes at most `limit` rows of a shard; says whether any may be left. */
export function clearRows(storage: SqlStorage, { first, last }: HashRange, limit: number): boolean {
  for (const [table, columns] of Object.entries(SHARD_TABLES)) {
    const keys = columns.join(", ");
    const removed = storage.query(
      `DELETE FROM ${table} WHERE (${keys}) IN (
         SELECT ${keys} FROM ${table} WHERE position BETWEEN ? AND ? LIMIT ?) RETURNING 1 AS removed`,
      first,
      last,
      limit,
    );
    if (removed.length > 0) return true;
  }
  return false;
}
