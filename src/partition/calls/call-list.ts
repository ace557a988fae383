import { FIXED_POSITION, positionOf } from "../../identity/hash-order.ts";
import type { Placement } from "../../identity/object-id.ts";
import type { SqlRow } from "../../platform/ports.ts";
import type { CallStatus } from "../../reliable/call-record.ts";
import {
  Newest,
  type NewestCalls,
  type NewestQuery,
  type OwnerStats,
  type PlacedCall,
} from "../../reliable/newest-calls.ts";
import type { CallCount } from "../../reliable/ports.ts";
import { AMONG_CALLS } from "../storage/call-rows.ts";
import type { Places } from "../storage/places.ts";
import type { CallPlace } from "../storage/stored-call.ts";
import { KEYS, type KeyRow, type MarkWalkParts, MOST, otherEvents, STEP, walkMarks } from "./mark-walk.ts";

interface Parts extends MarkWalkParts {
  /** Whether calls at a position are this partition's: rows of a shard that arrives or has left are listed by its owner. */
  readonly owned: (position: number) => boolean;
  readonly places: Places;
}

interface ListRow extends KeyRow {
  seq: number;
  status: CallStatus;
}
interface CountRow extends KeyRow {
  status: CallStatus;
  accepted: number;
  bytes: number;
}

const LISTED = `${KEYS}, seq, status`;
/** Roughly what a row holds, without reading it. */
const BYTES = "coalesce(octet_length(request), 0) + coalesce(octet_length(response), 0)";

/**
 * The calls of a partition as its local log: `pending` and `marks` are what the owner keeps anyway, so listing them costs a
 * call nothing. Marks are in the order of their keys, which is none of time: for the newest of them all are looked at, step by
 * step. Only those that did not succeed have an index by time, since those are what operators look for.
 */
export class CallList {
  readonly #parts: Parts;
  readonly #most: number;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#most = parts.most ?? MOST;
  }

  async newest(query: NewestQuery): Promise<NewestCalls> {
    const { status, before } = query;
    const newest = new Newest<PlacedCall & { readonly position: number }>(query);
    const visit = (row: ListRow) => {
      if (status !== undefined && row.status !== status) return;
      if (query.type !== undefined && row.type !== query.type) return;
      if (query.id !== undefined && row.id !== query.id) return;
      const { position, type, id, call_id: callId, seq } = row;
      if (this.#parts.owned(position)) newest.add({ position, type, id, callId, seq });
    };
    if (status === undefined || isOpen(status)) this.#rows<ListRow>(`SELECT ${LISTED} FROM pending`).forEach(visit);
    let complete = true;
    if (status === undefined || !isOpen(status)) {
      complete =
        query.id === undefined && (status === "failed" || status === "expired")
          ? await this.#unsuccessful(newest, before, visit)
          : await this.#walk<ListRow>(LISTED, query, visit);
    }
    return { calls: this.#sized(newest.calls), complete };
  }

  async stats(): Promise<OwnerStats> {
    const counts = new Map<string, CallCount>();
    const visit = (row: CountRow) => {
      if (!this.#parts.owned(row.position)) return;
      const { type, status, accepted, bytes } = row;
      const name = `${type} ${status}`;
      const { count, oldest, bytes: others } = counts.get(name) ?? { count: 0, oldest: accepted, bytes: 0 };
      counts.set(name, {
        type,
        status,
        count: count + 1,
        oldest: Math.min(oldest ?? accepted, accepted),
        bytes: others + bytes,
      });
    };
    this.#rows<CountRow>(`SELECT ${KEYS}, status, accepted, bytes FROM pending`).forEach(visit);
    const columns = `${KEYS}, status, accepted, ${BYTES} + coalesce(octet_length(error), 0) AS bytes`;
    const complete = await this.#walk<CountRow>(columns, {}, visit);
    return { counts: [...counts.values()], complete };
  }

  /** Visits marks in the order of their keys: all, or those where an object is. @returns whether these were all */
  async #walk<Row extends KeyRow>(
    columns: string,
    { type, id }: Pick<NewestQuery, "type" | "id">,
    visit: (row: Row) => void,
  ): Promise<boolean> {
    const { places } = this.#parts;
    const at = id === undefined || !places.locates(type) ? undefined : positionAt(places.placement(type ?? "", id));
    const last = at ?? 2 ** 32;
    // An object's marks stand together.
    const within = ({ type: its, id: name }: KeyRow) =>
      type === undefined || at === undefined || (its === type && name === id);
    const end = type === undefined || id === undefined;
    const after: CallPlace = [at ?? FIXED_POSITION, end ? "" : type, end ? "" : id, ""];
    return walkMarks<Row>(this.#parts, { columns, after, last, within, visit });
  }

  /** Visits marks of calls that did not succeed, newest first, until there are enough. @returns whether it could */
  async #unsuccessful(newest: Newest<PlacedCall>, before: PlacedCall | undefined, visit: (row: ListRow) => void) {
    let upTo = before?.seq ?? Number.MAX_SAFE_INTEGER;
    for (let looked = 0; looked < this.#most; looked += STEP) {
      const rows = this.#rows<ListRow>(
        `SELECT ${LISTED} FROM marks WHERE status <> 'success' AND seq <= ? ORDER BY seq DESC LIMIT ${STEP}`,
        upTo,
      );
      const last = rows.at(-1)?.seq ?? 0;
      const whole = rows.length < STEP;
      // Others may have the number of the last row: they are read together.
      for (const row of rows) if (whole || row.seq > last) visit(row);
      if (whole || newest.surpasses(last)) return true;
      upTo = last;
      await otherEvents(this.#parts.clock);
    }
    return false;
  }

  #sized(calls: readonly (PlacedCall & { readonly position: number })[]): NewestCalls["calls"] {
    const keys = calls.map(({ position, type, id, callId }) => [position, type, id, callId]);
    const sql = `SELECT ${KEYS}, ${BYTES} AS bytes FROM calls WHERE ${AMONG_CALLS}`;
    const rows = this.#rows<KeyRow & { bytes: number }>(sql, JSON.stringify(keys));
    const sizes = new Map(rows.map((row) => [nameOf(row.type, row.id, row.call_id), row.bytes]));
    return calls.flatMap(({ position: _, ...call }) => {
      const bytes = sizes.get(nameOf(call.type, call.id, call.callId));
      // It may have gone since.
      return bytes === undefined ? [] : [{ ...call, bytes }];
    });
  }

  #rows<Row extends SqlRow>(sql: string, ...parameters: (string | number)[]): Row[] {
    return this.#parts.storage.query<Row>(sql, ...parameters);
  }
}

function isOpen(status: CallStatus): boolean {
  return status === "pending" || status === "parked";
}

function positionAt(placement: Placement): number {
  return placement.kind === "partition" ? FIXED_POSITION : positionOf(placement.hash);
}

function nameOf(type: string, id: string, callId: string): string {
  return `${type}/${id}\n${callId}`;
}
