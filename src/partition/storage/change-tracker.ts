import type { CopyDigest, MovedRow, RowKind, RowPosition } from "../../placement/move.ts";
import type { SqlStorage } from "../../platform/ports.ts";
import { withRow } from "./row-digest.ts";
import { comparedValues, comparePositions, type RingRange, readRow, rowsOfObject, sizeOfRow } from "./shard-rows.ts";

/** What is copied so far of a leaving shard. Its durable form is the column `copy` of `shards`. */
export interface CopyState {
  /** Last row the first pass has read; null once it is through. */
  scan: RowPosition | null;
  started: boolean;
  digest: CopyDigest;
  /** Number of the last change the target surely has. */
  acknowledged: number;
}

interface Leaving {
  readonly shard: number;
  readonly range: RingRange;
  readonly state: CopyState;
  unsaved: boolean;
}

interface Written {
  readonly ring: number;
  readonly definition: { readonly type: string };
  readonly id: string;
  readonly wiped: boolean;
  readonly rows: ReadonlyMap<string, string | null> | undefined;
}

const TICKS = 1_024;

/**
 * Notes what is written to leaving shards while they are copied ([MIG2]), in the transaction of the write itself, so that a
 * crash forgets neither or both. Keeps the digest of what the copy must come to. Costs nothing while no shard is leaving.
 */
export class ChangeTracker {
  readonly #storage: SqlStorage;
  readonly #now: () => number;
  readonly #leaving = new Map<number, Leaving>();
  #last: number;

  constructor(storage: SqlStorage, now: () => number) {
    this.#storage = storage;
    this.#now = now;
    this.#last = storage.query<{ n: number }>("SELECT coalesce(max(n), 0) AS n FROM changes")[0]?.n ?? 0;
    for (const { copy } of storage.query<{ copy: string }>(
      "SELECT copy FROM shards WHERE state = 'leaving' AND copy IS NOT NULL",
    )) {
      this.#last = Math.max(this.#last, (JSON.parse(copy) as CopyState).acknowledged);
    }
  }

  /** Begins, or goes on after a crash with what `shards` holds. */
  begin(shard: number, range: RingRange): CopyState {
    const known = this.#leaving.get(shard);
    if (known !== undefined) return known.state;
    const stored = this.#storage.query<{ copy: string | null }>("SELECT copy FROM shards WHERE shard = ?", shard)[0];
    const fresh: CopyState = { scan: null, started: false, digest: { rows: 0, high: 0, low: 0 }, acknowledged: 0 };
    const state = typeof stored?.copy === "string" ? (JSON.parse(stored.copy) as CopyState) : fresh;
    this.#leaving.set(shard, { shard, range, state, unsaved: false });
    return state;
  }

  /** Number of the newest change. */
  get last(): number {
    return this.#last;
  }

  /** Notes no more of the shard's writes. */
  end(shard: number): void {
    this.#leaving.delete(shard);
  }

  /** The same, and forgets what was noted. */
  clear(shard: number): void {
    const leaving = this.#leaving.get(shard);
    this.end(shard);
    if (leaving === undefined) return;
    const { first, last } = leaving.range;
    this.#storage.query("DELETE FROM changes WHERE ring BETWEEN ? AND ?", first, last);
  }

  /** Writes the digests of this transaction; the last thing in it. */
  save(): void {
    for (const leaving of this.#leaving.values()) {
      if (!leaving.unsaved) continue;
      leaving.unsaved = false;
      this.#storage.query("UPDATE shards SET copy = ? WHERE shard = ?", JSON.stringify(leaving.state), leaving.shard);
    }
  }

  /** Whether writes at this place on the ring are noted. */
  covers(ring: number): boolean {
    return this.#covering(ring) !== undefined;
  }

  /** Runs the write of an object's state and rows, and notes it. */
  object(cell: Written, write: () => void): void {
    const leaving = this.#covering(cell.ring);
    if (leaving === undefined) {
      write();
      return;
    }
    const at = { ring: cell.ring, type: cell.definition.type, id: cell.id };
    const touched: RowPosition[] = [{ ...at, kind: 0, key: "" }];
    for (const key of cell.rows?.keys() ?? []) touched.push({ ...at, kind: 1, key });
    const gone = cell.wiped ? rowsOfObject(this.#storage, at) : [];
    for (const row of gone) this.#fold(leaving, row, row.values, -1);
    for (const position of touched) {
      if (position.kind === 0 || !cell.wiped) this.#fold(leaving, position, readRow(this.#storage, position), -1);
    }
    write();
    if (cell.wiped) this.#note(leaving, { ...at, kind: 1, key: "" }, true);
    for (const position of touched) {
      this.#fold(leaving, position, readRow(this.#storage, position), 1);
      this.#note(leaving, position, false);
    }
  }

  /** Runs the write of a call's mark, and notes it. */
  call(ring: number, call: { readonly type: string; readonly id: string; readonly callId: string }, write: () => void) {
    const leaving = this.#covering(ring);
    if (leaving === undefined) {
      write();
      return;
    }
    const position: RowPosition = { kind: 2, ring, type: call.type, id: call.id, key: call.callId };
    this.#fold(leaving, position, readRow(this.#storage, position), -1);
    write();
    this.#fold(leaving, position, readRow(this.#storage, position), 1);
    this.#note(leaving, position, false);
  }

  /** Counts rows that the first pass has read for the first time. */
  scanned(shard: number, rows: readonly MovedRow[], next: RowPosition | null): void {
    const leaving = this.#leaving.get(shard);
    if (leaving === undefined) return;
    for (const row of rows) leaving.state.digest = digestWith(leaving.state.digest, row, row.values, 1);
    leaving.state.scan = next;
    leaving.state.started = true;
    leaving.unsaved = true;
  }

  /** Changes of a leaving shard after number `after`, with what the rows hold now, about `bytes` characters of them. */
  changes(
    range: RingRange,
    after: number,
    limits: { readonly rows: number; readonly bytes: number },
  ): { rows: MovedRow[]; last: number } {
    const noted = this.#storage.query<{
      ring: number;
      type: string;
      id: string;
      kind: number;
      key: string;
      n: number;
      wipe: number;
    }>(
      "SELECT ring, type, id, kind, key, n, wipe FROM changes WHERE ring BETWEEN ? AND ? AND n > ? ORDER BY n LIMIT ?",
      ...[range.first, range.last, after, limits.rows],
    );
    const rows: MovedRow[] = [];
    let last = after;
    let bytes = 0;
    for (const { ring, type, id, kind, key, n, wipe } of noted) {
      if (bytes >= limits.bytes) break;
      const position = { kind: kind as RowKind, ring, type, id, key };
      const row: MovedRow =
        wipe === 1
          ? { ...position, values: null, wipe: true }
          : { ...position, values: readRow(this.#storage, position) };
      rows.push(row);
      bytes += sizeOfRow(row);
      last = n;
    }
    return { rows, last };
  }

  /** How many changes of a leaving shard come after number `after`; counts to `most`. */
  left(range: RingRange, after: number, most: number): number {
    const sql = "SELECT count(*) AS n FROM (SELECT 1 FROM changes WHERE ring BETWEEN ? AND ? AND n > ? LIMIT ?)";
    return this.#storage.query<{ n: number }>(sql, range.first, range.last, after, most)[0]?.n ?? 0;
  }

  /** Forgets the changes that the target surely has. */
  acknowledged(shard: number, change: number): void {
    const leaving = this.#leaving.get(shard);
    if (leaving === undefined || change <= leaving.state.acknowledged) return;
    const { first, last } = leaving.range;
    leaving.state.acknowledged = change;
    leaving.unsaved = true;
    // Together, so that numbers are never given out again.
    this.#storage.transaction(() => {
      this.#storage.query("DELETE FROM changes WHERE ring BETWEEN ? AND ? AND n <= ?", first, last, change);
      this.save();
    });
  }

  /** SQL that leaves the leaving shards out. */
  outside(column: string): string {
    const ranges = [...this.#leaving.values()].map(({ range }) => `${range.first} AND ${range.last}`);
    return ranges.map((range) => `AND ${column} NOT BETWEEN ${range}`).join(" ");
  }

  #covering(ring: number): Leaving | undefined {
    if (this.#leaving.size === 0) return undefined;
    for (const leaving of this.#leaving.values()) {
      if (ring >= leaving.range.first && ring <= leaving.range.last) return leaving;
    }
    return undefined;
  }

  #fold(leaving: Leaving, position: RowPosition, values: MovedRow["values"], sign: 1 | -1): void {
    const { state } = leaving;
    if (isAhead(state, position)) return;
    state.digest = digestWith(state.digest, position, values, sign);
    leaving.unsaved = true;
  }

  #isWiped({ ring, type, id }: RowPosition): boolean {
    const sql = "SELECT 1 FROM changes WHERE ring = ? AND type = ? AND id = ? AND kind = 1 AND key = '' AND wipe = 1";
    return this.#storage.query(sql, ring, type, id).length > 0;
  }

  #note({ state }: Leaving, position: RowPosition, wipe: boolean): void {
    const { ring, type, id, kind, key } = position;
    // A row that is made after its object was wiped has to come after the wipe, though the first pass sends it too.
    if (isAhead(state, position) && !(kind === 1 && this.#isWiped(position))) return;
    this.#last = Math.max(this.#last + 1, this.#now() * TICKS);
    this.#storage.query(
      `INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (ring, type, id, kind, key) DO UPDATE SET n = excluded.n, wipe = excluded.wipe`,
      ...[ring, type, id, kind, key, this.#last, wipe ? 1 : 0],
    );
  }
}

/** Whether the first pass has yet to come there: it reads the row as it is then, and counts it. */
function isAhead({ started, scan }: CopyState, position: RowPosition): boolean {
  return !started || (scan !== null && comparePositions(position, scan) > 0);
}

export function digestWith(
  digest: CopyDigest,
  position: RowPosition,
  values: MovedRow["values"],
  sign: 1 | -1,
): CopyDigest {
  return withRow(digest, position, comparedValues(position.kind, values), sign);
}
