import { PgDialect } from "drizzle-orm/pg-core";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openNeon } from "../../durable/neon-database.ts";
import { insertStatement, PostgresEventSink, removeOldEvents } from "../../durable/postgres-event-sink.ts";
import type { PublicEvent } from "../../src/object/event.ts";
import { startEmbedded, startOnServer, type TestPostgres } from "../support/local-postgres.ts";
import { findPostgres, startPostgresServer } from "../support/postgres-server.ts";

function event(n: number, more: Partial<PublicEvent> = {}): PublicEvent {
  return {
    specversion: "1.0",
    id: `e${n}`,
    source: "/objects/Order",
    type: "order.paid",
    subject: "o1",
    time: "2026-11-21T20:00:00.123Z",
    sequence: `0000000001.${String(n).padStart(16, "0")}`,
    datacontenttype: "application/json",
    data: { n },
    ...more,
  };
}

const bin = findPostgres();
const databases: [name: string, start: () => Promise<TestPostgres>][] = [["embedded", startEmbedded]];
if (bin !== undefined) databases.push(["a server", () => startOnServer(bin)]);

describe.each(databases)("the table edgeverse_events, in Postgres, %s", (_, start) => {
  let started: TestPostgres;
  let sink: PostgresEventSink;
  const rows = async () => {
    const found: unknown = await openNeon(started.postgres).execute(
      "select id, source, type, subject, sequence, traceparent, data, time = '2026-11-21T20:00:00.123Z' as timely from edgeverse_events order by seq",
    );
    return found as Record<string, unknown>[];
  };

  beforeAll(async () => {
    started = await start();
    sink = new PostgresEventSink(started.postgres);
  }, 60_000);
  afterAll(() => started?.close());

  test("[EVT6] has events once, in the order of their coming, with whatever JSON they hold", async () => {
    const odd = { text: "\u0000 \ud800 'x' $1", large: [1e300], none: null };
    await sink.send([event(1), event(2, { data: odd, traceparent: "00-a-b-01" })]);
    await sink.send([event(2), event(3, { data: null })]);
    const found = await rows();
    expect(found.map(({ id }) => id)).toEqual(["e1", "e2", "e3"]);
    expect(found.map(({ data }) => JSON.parse(data as string))).toEqual([{ n: 1 }, odd, null]);
    expect(found[1]).toMatchObject({
      source: "/objects/Order",
      type: "order.paid",
      subject: "o1",
      sequence: "0000000001.0000000000000002",
      traceparent: "00-a-b-01",
      timely: true,
    });
  });

  test("[EVT6] loses what is older than asked, and nothing else", async () => {
    const before = await rows();
    expect(await removeOldEvents(started.postgres, Date.now() - 3_600_000)).toBe(0);
    expect(await rows()).toEqual(before);
    await openNeon(started.postgres).execute(
      "update edgeverse_events set inserted_at = now() - interval '2 hours' where id = 'e1'",
    );
    expect(await removeOldEvents(started.postgres, Date.now() - 3_600_000)).toBe(1);
    expect((await rows()).map(({ id }) => id)).toEqual(["e2", "e3"]);
  });

  test("[EVT6] that is away says nothing of its address", async () => {
    const broken = new PostgresEventSink({
      url: "postgresql://u:sesame@127.0.0.1/db",
      endpoint: "http://127.0.0.1:9/",
    });
    await expect(broken.send([event(9)])).rejects.toThrow(/^Postgres can't be used: no connection$/);
  });
});

test.skipIf(bin === undefined)(
  "[EVT6] rows become visible in the order of seq: who writes waits for who wrote before",
  async () => {
    const server = await startPostgresServer(bin as string);
    const clients = Array.from({ length: 3 }, () => new pg.Client({ connectionString: server.url }));
    const [first, second, reader] = clients as [pg.Client, pg.Client, pg.Client];
    try {
      for (const client of clients) await client.connect();
      await first.query(
        `create table edgeverse_events (seq bigserial primary key, id text unique, source text, type text, subject text,
         time timestamptz, sequence text, traceparent text, data json, inserted_at timestamptz default now())`,
      );
      const insert = (client: pg.Client, n: number) => {
        const { sql, params } = new PgDialect().sqlToQuery(
          insertStatement(JSON.stringify([{ ...event(n), time: 0, data: "{}" }])),
        );
        return client.query(sql, params);
      };
      const seen = async () =>
        (await reader.query("select id from edgeverse_events order by seq")).rows.map(({ id }: { id: string }) => id);
      await first.query("begin");
      await insert(first, 1);
      let done = false;
      const later = insert(second, 2).then(() => {
        done = true;
      });
      const blocked = "select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted";
      while ((await reader.query(blocked)).rows[0].n === 0) expect(done).toBe(false);
      expect(await seen()).toEqual([]);
      await first.query("commit");
      await later;
      expect(await seen()).toEqual(["e1", "e2"]);
    } finally {
      for (const client of clients) await client.end();
      await server.stop();
    }
  },
);
