import { MOVED_CALL } from "../../src/partition/storage/call-rows.ts";
import type { MovedRow } from "../../src/placement/move.ts";
import type { SqlValue } from "../../src/platform/ports.ts";

export const COLUMNS: readonly string[] = MOVED_CALL;

interface Changes extends Readonly<Partial<Record<(typeof MOVED_CALL)[number], SqlValue>>> {
  readonly position: number;
  readonly id: string;
}

/** A call as it moves, as the database gives it back: a success unless `changes` say otherwise. */
export function callRow({ position, id, ...changes }: Changes): MovedRow {
  const status = changes.status ?? "success";
  const open = status === "pending" || status === "parked";
  const row: Readonly<Record<(typeof MOVED_CALL)[number], SqlValue>> = {
    seq: position,
    method: "m",
    request: open ? '{"n":1}' : null,
    request_hash: "hash",
    status,
    response: open ? null : "1",
    error: null,
    caller: open ? '{"kind":"system"}' : null,
    trace_id: open ? "trace" : null,
    attempts: 2,
    epoch: 3,
    accepted: 50,
    finished: open ? null : 60,
    expires: open ? 99 : null,
    log: "write-behind",
    crashes: 0,
    shipped: open ? 0 : 1,
    open: open ? 1 : 0,
    history: null,
    ...changes,
  };
  const values = MOVED_CALL.map((column) => row[column]);
  // A call without a history moves as it did before there were any.
  return { kind: 2, position, type: "T", id, key: "c", values: row.history === null ? values.slice(0, -1) : values };
}
