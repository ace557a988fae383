import { type SQL, sql } from "drizzle-orm";
import type { PgRemoteDatabase } from "drizzle-orm/pg-proxy";
import { events as t } from "../schema/events.ts";
import type { PublicEvent } from "../src/object/event.ts";
import { EventRefused, type EventSink } from "../src/partition/events/ports.ts";
import type { NeonOptions } from "./neon-client.ts";
import { openNeon, readFailure } from "./neon-database.ts";

/** Data and program limit errors: about what the rows hold, not about the database. */
const DATA_ERROR = /^(?:22|54)/;
/** Rows that one cleanup removes, and one statement of it. */
const MOST_REMOVED = 100_000;
const STEP = 5_000;
/** Names the lock, among all advisory locks of the database. */
const LOCK = 4_902_276_331;

/**
 * Writes events into the table `edgeverse_events` ([EVT6]). All writers take one lock for as long as their statement takes, so
 * that `seq` is the order in which rows become visible: else a reader could pass a row that is yet to be committed.
 */
export class PostgresEventSink implements EventSink {
  readonly limits = { events: 500, bytes: 1024 * 1024, messages: 1 };
  readonly patience = undefined;
  readonly #db: PgRemoteDatabase;

  constructor(options: NeonOptions) {
    this.#db = openNeon(options);
  }

  async send(events: readonly PublicEvent[]): Promise<void> {
    try {
      await this.#db.execute(insertStatement(JSON.stringify(events.map(toRow))));
    } catch (error) {
      const { state, reason } = readFailure(error);
      if (state !== undefined && DATA_ERROR.test(state)) throw new EventRefused(`Postgres refuses it: ${state}`);
      throw new Error(`Postgres can't be used: ${reason}`);
    }
  }
}

/** Removes rows that are older, at most {@link MOST_REMOVED} of them, and says how many. */
export async function removeOldEvents(options: NeonOptions, before: number): Promise<number> {
  const db = openNeon(options);
  let removed = 0;
  for (let step = 0; step < MOST_REMOVED / STEP; step++) {
    // The oldest have the lowest numbers, so no index on the time is needed.
    const rows = await db.execute(sql`
      delete from ${t} where ${t.seq} in (select ${t.seq} from ${t} order by ${t.seq} limit ${STEP})
        and ${t.insertedAt} < to_timestamp(${before}::double precision / 1000) returning ${t.seq}`);
    const count = (rows as unknown as unknown[]).length;
    removed += count;
    if (count < STEP) break;
  }
  return removed;
}

/** One statement for any number of events. What is there already stays as it is. */
export function insertStatement(parameter: string): SQL {
  return sql`
    with gate as (select pg_advisory_xact_lock(${sql.raw(String(LOCK))}))
    insert into ${t} (id, source, type, subject, time, sequence, traceparent, data)
    select r.id, r.source, r.type, r.subject, to_timestamp(r.time / 1000), r.sequence, r.traceparent, r.data::json
    from gate, json_to_recordset(${parameter}::json) as r(id text, source text, type text, subject text,
      time double precision, sequence text, traceparent text, data text)
    on conflict (id) do nothing`;
}

/** An event as a row of the parameter. Its data travel as a text, so that a malformed one cannot reach outside its row. */
function toRow({ id, source, type, subject, time, sequence, traceparent, data }: PublicEvent) {
  const text = JSON.stringify(data);
  return { id, source, type, subject, time: Date.parse(time), sequence, traceparent: traceparent ?? null, data: text };
}
