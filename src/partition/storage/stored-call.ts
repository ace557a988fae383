import type { LogPolicy } from "../../object/method.ts";
import type { RowKey } from "../../placement/move.ts";
import type { CallRecord } from "../../reliable/call-record.ts";
import type { BacklogRecord } from "./backlog.ts";

/** A reliable call as its owner stores it. */
export interface StoredCall {
  readonly seq: number;
  readonly position: number;
  readonly log: LogPolicy;
  /** Processes in a row that ended while it ran, or might have. */
  readonly crashes: number;
  /** False for the outcome of a `write-ahead` call that the log may not have. */
  readonly logged: boolean;
  readonly record: CallRecord;
}

/** What the log is to hear of a call's outcome. */
export function backlogRecord({ position, log, record }: StoredCall): BacklogRecord {
  return { ...record, position, ahead: log === "write-ahead" };
}

/** The key of a call's row. */
export type CallPlace = readonly [position: number, type: string, id: string, callId: string];

export function keyOfCall({ position, record }: Pick<StoredCall, "position" | "record">): CallPlace {
  return [position, record.type, record.id, record.callId];
}

/** The same, as moves name it. */
export function rowKeyOfCall({ position, record }: StoredCall): RowKey {
  return { kind: 2, position, type: record.type, id: record.id, key: record.callId };
}

export function keyOfRecord({ position, type, id, callId }: BacklogRecord): CallPlace {
  return [position, type, id, callId];
}
