import { FIRST_EPOCH } from "../placement/shard-state.ts";
import type { SqlRow, SqlStorage, SqlValue } from "../platform/ports.ts";
import type { IndexPage, IndexPlace, IndexQuery, Settled } from "../router/index-query.ts";
import type { LastChange } from "./last-change.ts";
import { ENTRIES_OF_ONE } from "./storage/index-entries.ts";
import type { Ownership } from "./storage/ownership.ts";

/** Rows one page may look at: those of shards that are not served here are passed over. */
const SCAN = 10_000;
const STEP = 1_000;

type Row = SqlRow & { rank: number; value: number | string; id: string; position: number };

/** A page of an index of this partition, in order ([IDX2]). */
export function findObjects(
  storage: SqlStorage,
  ownership: Ownership,
  query: IndexQuery,
  ageOf: (stored: Parameters<LastChange["age"]>[0]) => number | null,
): IndexPage {
  const places: IndexPlace[] = [];
  let { after } = query;
  let next: IndexPlace | null = null;
  for (let looked = 0; ; ) {
    const step = Math.min(STEP, query.limit - places.length);
    const rows = select(storage, { ...query, after, limit: step });
    for (const { rank, value, id, position } of rows) {
      after = [rank, value, id];
      // Rows of a shard that arrives or has left are found at its owner.
      if (ownership.epochAt(position) !== undefined) places.push(after);
    }
    looked += rows.length;
    if (rows.length < step) break;
    if (places.length < query.limit && looked < SCAN) continue;
    next = after ?? null;
    break;
  }
  return { kind: "page", places, next, settled: settled(storage, ageOf) };
}

function select(storage: SqlStorage, { type, index, range, descending, after, limit, own }: IndexQuery): Row[] {
  const conditions = ["type = ?", "name = ?"];
  // What one object has is read from its row: however large the index is, no other is looked at.
  const table = own === undefined ? "index_entries" : ENTRIES_OF_ONE;
  const parameters: SqlValue[] = [...(own === undefined ? [] : [own.position, type, own.id]), type, index];
  const where = (condition: string, ...values: readonly SqlValue[]) => {
    conditions.push(condition);
    parameters.push(...values);
  };
  const behind = descending ? "<" : ">";
  const { rank, value, from, to } = range;
  if (rank !== undefined) where("rank = ?", rank);
  if (value !== undefined) where("value = ?", value);
  // One bound on each side: of two, SQLite would look for the first and read its way to the second.
  if (from !== undefined && (after === undefined || descending)) where("value >= ?", from);
  if (to !== undefined && (after === undefined || !descending)) where("value < ?", to);
  if (after !== undefined) {
    if (rank === undefined) where(`(rank, value, id) ${behind} (?, ?, ?)`, ...after);
    else if (value === undefined) where(`(value, id) ${behind} (?, ?)`, after[1], after[2]);
    else where(`id ${behind} ?`, after[2]);
  }
  const order = ["rank", "value", "id"].map((column) => `${column} ${descending ? "DESC" : "ASC"}`);
  return storage.query<Row>(
    `SELECT rank, value, id, position FROM ${table}
     WHERE ${conditions.join(" AND ")} ORDER BY ${order.join(", ")} LIMIT ?`,
    ...parameters,
    limit,
  );
}

function settled(storage: SqlStorage, ageOf: Parameters<typeof findObjects>[3]): Settled {
  // `claimed` is also when a shard left; of a shard's first owner it says nothing that matters here.
  const [row] = storage.query<{ changed: number | null; epochs: number | null; ready: number | null }>(
    `SELECT max(iif(epoch > ?, claimed, NULL)) AS changed, sum(epoch) AS epochs, max(state = 'ready') AS ready FROM shards`,
    FIRST_EPOCH,
  );
  const { changed = null, epochs, ready } = row ?? {};
  return { changed: ageOf({ changed, epochs: epochs ?? 0 }), waiting: ready === 1 };
}
