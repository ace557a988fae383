import type { CopyDigest, MovedRow, RowKey, RowKind } from "../../placement/move.ts";
import type { SqlStorage } from "../../platform/ports.ts";
import { HybridClock } from "./hybrid-clock.ts";
import { withRow } from "./row-digest.ts";
import { comparedValues, compareRowKeys, type HashRange, readRow, rowsOfObject, sizeOfRow } from "./shard-rows.ts";
import type { UnsavedObject } from "./unsaved-object.ts";

/** What is copied so far of a leaving shard. Its durable form is the column `copy` of `shards`. */
export interface CopyState {
  /** Last row the first pass has read; null once it is through. */
  scan: RowKey | null;
  started: boolean;
  digest: CopyDigest;
  /** Number of the last change that the target has confirmed. */
  acknowledged: number;
}

interface Leaving {
  readonly shard: number;
  readonly range: HashRange;
  readonly state: CopyState;
  unsaved: boolean;
}

function unchanged(): void {}

/**
 * Notes what is written to leaving shards while they are copied ([MIG2]), in the transaction of the write itself, so that a
 * crash keeps both or neither. Keeps the digest that the finished copy must have. Costs nothing while no shard is leaving.
 */
export class ChangeTracker {
  readonly #storage: SqlStorage;
  readonly #leaving = new Map<number, Leaving>();
  readonly #clock: HybridClock;

  constructor(storage: SqlStorage, now: () => number) {
    this.#storage = storage;
    this.#clock = new HybridClock(now);
    this.#clock.last = storage.query<{ n: number }>("SELECT coalesce(max(n), 0) AS n FROM changes")[0]?.n ?? 0;
    for (const { copy } of storage.query<{ copy: string }>(
      "SELECT copy FROM shards WHERE state = 'leaving' AND copy IS NOT NULL",
    )) {
      this.#clock.saw((JSON.parse(copy) as CopyState).acknowledged);
    }
  }

  /** Begins, or goes on after a crash with what `shards` holds. */
  begin(shard: number, range: HashRange): CopyState {
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
    return this.#clock.last;
  }

  /** Stops noting the shard's writes. */
  end(shard: number): void {
    this.#leaving.delete(shard);
  }

  /** Stops, and forgets what was noted. */
  clear(shard: number): void {
    const leaving = this.#leaving.get(shard);
    this.end(shard);
    if (leaving === undefined) return;
    const { first, last } = leaving.range;
    this.#storage.query("DELETE FROM changes WHERE position BETWEEN ? AND ?", first, last);
  }

  /** Remembers what is noted now. The function that it returns goes back to it, when a transaction was rolled back. */
  checkpoint(): () => void {
    if (this.#leaving.size === 0) return unchanged;
    const { last } = this.#clock;
    const states = [...this.#leaving.values()].map((leaving) => ({
      leaving,
      unsaved: leaving.unsaved,
      state: { ...leaving.state },
    }));
    return () => {
      this.#clock.last = last;
      for (const { leaving, unsaved, state } of states) {
        leaving.unsaved = unsaved;
        Object.assign(leaving.state, state);
      }
    };
  }

  /** Writes the digests of this transaction; the last thing in it. */
  save(): void {
    for (const leaving of this.#leaving.values()) {
      if (!leaving.unsaved) continue;
      leaving.unsaved = false;
      this.#storage.query("UPDATE shards SET copy = ? WHERE shard = ?", JSON.stringify(leaving.state), leaving.shard);
    }
  }

  /** Whether writes at this position are noted. */
  covers(position: number): boolean {
    return this.#covering(position) !== undefined;
  }

  /** Runs the write of an object's state and rows, and notes it. */
  object(object: UnsavedObject, write: () => void): void {
    const leaving = this.#covering(object.position);
    if (leaving === undefined) {
      write();
      return;
    }
    const at = { position: object.position, type: object.definition.type, id: object.id };
    const touched: RowKey[] = [{ ...at, kind: 0, key: "" }];
    for (const key of object.rows?.keys() ?? []) touched.push({ ...at, kind: 1, key });
    for (const row of object.wiped ? rowsOfObject(this.#storage, at) : []) {
      // Neither this one nor those after it are in the digest.
      if (isAhead(leaving.state, row)) break;
      this.#fold(leaving, row, row.values, -1);
    }
    for (const rowKey of touched) {
      if (rowKey.kind === 0 || !object.wiped) this.#fold(leaving, rowKey, readRow(this.#storage, rowKey), -1);
    }
    write();
    if (object.wiped) this.#note(leaving, { ...at, kind: 1, key: "" }, true);
    for (const rowKey of touched) {
      this.#fold(leaving, rowKey, readRow(this.#storage, rowKey), 1);
      this.#note(leaving, rowKey, false);
    }
  }

  /** Runs the write of one row that is no object's state or store row, and notes it. */
  row(rowKey: RowKey, write: () => void): void {
    const leaving = this.#covering(rowKey.position);
    if (leaving === undefined) {
      write();
      return;
    }
    this.#fold(leaving, rowKey, readRow(this.#storage, rowKey), -1);
    write();
    this.#fold(leaving, rowKey, readRow(this.#storage, rowKey), 1);
    this.#note(leaving, rowKey, false);
  }

  /** Counts rows that the first pass has read for the first time. */
  scanned(shard: number, rows: readonly MovedRow[], next: RowKey | null): void {
    const leaving = this.#leaving.get(shard);
    if (leaving === undefined) return;
    for (const row of rows) leaving.state.digest = digestWith(leaving.state.digest, row, row.values, 1);
    leaving.state.scan = next;
    leaving.state.started = true;
    leaving.unsaved = true;
  }

  /** Changes of a leaving shard after number `after`, with what the rows hold now, about `bytes` characters of them. */
  changes(
    range: HashRange,
    after: number,
    limits: { readonly rows: number; readonly bytes: number },
  ): { rows: MovedRow[]; last: number } {
    const noted = this.#storage.query<{
      position: number;
      type: string;
      id: string;
      kind: number;
      key: string;
      n: number;
      wipe: number;
    }>(
      "SELECT position, type, id, kind, key, n, wipe FROM changes WHERE position BETWEEN ? AND ? AND n > ? ORDER BY n LIMIT ?",
      range.first,
      range.last,
      after,
      limits.rows,
    );
    const rows: MovedRow[] = [];
    let last = after;
    let bytes = 0;
    for (const { position, type, id, kind, key, n, wipe } of noted) {
      if (bytes >= limits.bytes) break;
      const rowKey = { kind: kind as RowKind, position, type, id, key };
      const row: MovedRow =
        wipe === 1 ? { ...rowKey, values: null, wipe: true } : { ...rowKey, values: readRow(this.#storage, rowKey) };
      rows.push(row);
      bytes += sizeOfRow(row);
      last = n;
    }
    return { rows, last };
  }

  /** How many changes of a leaving shard come after number `after`; counts to `most`. */
  left(range: HashRange, after: number, most: number): number {
    const sql = "SELECT count(*) AS n FROM (SELECT 1 FROM changes WHERE position BETWEEN ? AND ? AND n > ? LIMIT ?)";
    return this.#storage.query<{ n: number }>(sql, range.first, range.last, after, most)[0]?.n ?? 0;
  }

  /** Forgets the changes that the target has confirmed. */
  acknowledged(shard: number, change: number): void {
    const leaving = this.#leaving.get(shard);
    if (leaving === undefined || change <= leaving.state.acknowledged) return;
    const { first, last } = leaving.range;
    leaving.state.acknowledged = change;
    leaving.unsaved = true;
    // Together, so that numbers are never given out again.
    this.#storage.transaction(() => {
      this.#storage.query("DELETE FROM changes WHERE position BETWEEN ? AND ? AND n <= ?", first, last, change);
      this.save();
    });
  }

  #covering(position: number): Leaving | undefined {
    if (this.#leaving.size === 0) return undefined;
    for (const leaving of this.#leaving.values()) {
      if (position >= leaving.range.first && position <= leaving.range.last) return leaving;
    }
    return undefined;
  }

  #fold(leaving: Leaving, rowKey: RowKey, values: MovedRow["values"], sign: 1 | -1): void {
    const { state } = leaving;
    if (isAhead(state, rowKey)) return;
    state.digest = digestWith(state.digest, rowKey, values, sign);
    leaving.unsaved = true;
  }

  #isWiped({ position, type, id }: RowKey): boolean {
    const sql =
      "SELECT 1 FROM changes WHERE position = ? AND type = ? AND id = ? AND kind = 1 AND key = '' AND wipe = 1";
    return this.#storage.query(sql, position, type, id).length > 0;
  }

  #note({ state }: Leaving, rowKey: RowKey, wipe: boolean): void {
    const { position, type, id, kind, key } = rowKey;
    // A row that is made after its object was wiped has to come after the wipe, though the first pass sends it too.
    if (isAhead(state, rowKey) && !(kind === 1 && this.#isWiped(rowKey))) return;
    const n = this.#clock.next();
    this.#storage.query(
      `INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (position, type, id, kind, key) DO UPDATE SET n = excluded.n, wipe = excluded.wipe`,
      position,
      type,
      id,
      kind,
      key,
      n,
      wipe ? 1 : 0,
    );
  }
}

/** Whether the first pass has not reached the row: it will read it as it is then, and add it to the digest. */
function isAhead({ started, scan }: CopyState, rowKey: RowKey): boolean {
  return !started || (scan !== null && compareRowKeys(rowKey, scan) > 0);
}

export function digestWith(digest: CopyDigest, rowKey: RowKey, values: MovedRow["values"], sign: 1 | -1): CopyDigest {
  return withRow(digest, rowKey, comparedValues(rowKey.kind, values), sign);
}
