import { NeonDbError } from "@neondatabase/serverless";
import { type SQL, sql } from "drizzle-orm";
import { drizzle as drizzleNeon } from "drizzle-orm/neon-http";
import { bigint, boolean, integer, jsonb, pgTable, text, timestamp } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NeonClient, type SqlStatement } from "../../durable/neon-client.ts";
import { openNeon, readFailure } from "../../durable/neon-database.ts";
import type { LocalPostgres } from "../../local/postgres/index.ts";
import { migrate } from "../../local/postgres/migrate.ts";
import { NeonExecutor } from "../../local/postgres/neon-executor.ts";
import { reliableCalls } from "../../schema/reliable-calls.ts";
import { startEmbedded, startOnServer, type TestPostgres } from "../support/local-postgres.ts";
import { failureOf, neonDriver } from "../support/neon-driver.ts";
import { findPostgres } from "../support/postgres-server.ts";

const RAW_TEXT = { getTypeParser: () => (text: string) => text };

const kinds = pgTable("kinds", {
  id: integer("id").primaryKey(),
  safe: bigint("safe", { mode: "number" }),
  big: bigint("big", { mode: "bigint" }),
  flag: boolean("flag"),
  words: text("words"),
  json: jsonb("json"),
  at: timestamp("at", { withTimezone: true, mode: "date" }),
});

const ROWS: (typeof kinds.$inferInsert)[] = [
  { id: 1, safe: 0, big: 0n, flag: true, words: "", json: {}, at: new Date(0) },
  { id: 2, safe: null, big: null, flag: null, words: null, json: null, at: null },
  { id: 3, safe: Number.MAX_SAFE_INTEGER, big: 2n ** 63n - 1n, flag: false, words: "ü 漢 😀\n'\"\\", json: [1, "ü"] },
  { id: 4, safe: -Number.MAX_SAFE_INTEGER, big: -(2n ** 63n), at: new Date("1969-12-31T23:59:59.999Z") },
  { id: 5, json: { a: { b: [null, true, 1.5, 'x"y'] } }, at: new Date("2026-11-21T17:00:00.120Z") },
];

/** Statements whose raw answers are compared, value by value and field by field. */
const STATEMENTS: SqlStatement[] = [
  { query: "select $1::text, $2::int, $3::bigint, $4::bool", params: ["ü 😀", "-7", "9223372036854775807", "true"] },
  { query: "select $1::text, $2::int, $3::json, $4::timestamptz", params: [null, null, null, null] },
  { query: "select $1::json, $1::jsonb, $2::jsonb", params: ['{"b": 1, "a":[ "ü" ]}', '"text"'] },
  { query: "select $1::timestamptz, 'infinity'::timestamptz", params: ["2026-11-21T17:00:00.123Z"] },
  {
    query: "select 1.50::numeric, 0.1::float8, 'NaN'::float8, array[1, null, 3], array['a,b'], '\\x00ff'::bytea",
    params: [],
  },
  { query: 'select 1 as n, 2 as n, 3 as "ü"', params: [] },
  { query: "select 1 where false", params: [] },
  { query: "create table if not exists written (n int primary key)", params: [] },
  { query: "insert into written values (1), (2) on conflict (n) do update set n = excluded.n", params: [] },
  { query: "update written set n = n returning n", params: [] },
];

const REFUSED: [state: string, statement: SqlStatement][] = [
  ["42P01", { query: "select * from nowhere", params: [] }],
  ["42601", { query: "selec 'ü'", params: [] }],
  ["22P02", { query: "select $1::int", params: ["ü"] }],
  ["22003", { query: "select $1::int", params: ["9999999999"] }],
  ["22012", { query: "select 1 / 0", params: [] }],
  ["22P05", { query: "select $1::jsonb", params: ['"\\u0000"'] }],
  ["23505", { query: "insert into written values (1)", params: [] }],
  ["P0001", { query: "do $$ begin raise exception 'mine'; end $$", params: [] }],
];

function agrees(name: string, start: () => Promise<TestPostgres>) {
  describe(`${name}: NeonClient reads what Neon's driver reads`, () => {
    let postgres: LocalPostgres;
    let close: () => Promise<void>;
    let client: NeonClient;
    const theirs = (url = postgres.url) => neonDriver(url, (_, init) => fetch(postgres.endpoint as string, init));

    beforeAll(async () => {
      ({ postgres, close } = await start());
      client = new NeonClient(postgres);
    }, 60_000);
    afterAll(() => close?.());

    test("raw answers", async () => {
      const sql = theirs();
      for (const { query, params } of STATEMENTS) {
        const answer = await sql.query(query, [...params], { fullResults: true, arrayMode: true, types: RAW_TEXT });
        const { command, rowCount, fields, rows } = answer;
        expect(await client.query({ query, params }), query).toMatchObject({ command, rowCount, fields, rows });
      }
    });

    test("rows, as drizzle gives them", async () => {
      const ours = openNeon(postgres);
      await ours.execute(sql`create table kinds (id int primary key, safe bigint, big bigint, flag boolean, words text,
        json jsonb, at timestamptz)`);
      await ours.insert(kinds).values(ROWS);
      const nulls = { safe: null, big: null, flag: null, words: null, json: null, at: null };
      const full = ROWS.map((row) => ({ ...nulls, ...row }));
      const read = await ours.select().from(kinds).orderBy(kinds.id);
      expect(read).toEqual(full);
      const oracle = drizzleNeon({ client: theirs() });
      expect(read).toEqual(await oracle.select().from(kinds).orderBy(kinds.id));
      const one = sql`select words, flag, big, 1 as n, 2 as n from ${kinds} where ${kinds.flag} = ${sql.param(false)}`;
      expect(await ours.execute(one)).toEqual([
        { words: ROWS[2]?.words, flag: false, big: String(ROWS[2]?.big), n: "2" },
      ]);
      expect((await oracle.execute(one)).rows).toEqual([
        expect.objectContaining({ words: ROWS[2]?.words, flag: false }),
      ]);
    });

    test("calls of the log, with the times that Date does not know", async () => {
      const ours = openNeon(postgres);
      const insert = (id: string, expires: SQL) => sql`insert into ${reliableCalls}
        (call_id, object_type, object_id, method, request, expires_at) values (${id}, 'T', 'o', 'm', '[1]', ${expires})`;
      for (const [n, expires] of [sql`null`, sql`now()`, sql`'infinity'`].entries())
        await ours.execute(insert(`c${n}`, expires));
      const read = await ours.select().from(reliableCalls).orderBy(reliableCalls.seq);
      expect(read.map(({ callId }) => callId)).toEqual(["c0", "c1", "c2"]);
      expect(read).toEqual(
        await drizzleNeon({ client: theirs() }).select().from(reliableCalls).orderBy(reliableCalls.seq),
      );
    });

    test.each(REFUSED)("refusal %s", async (state, { query, params }) => {
      await client.query({ query: "create table if not exists written (n int primary key)", params: [] });
      await client.query({ query: "insert into written values (1) on conflict do nothing", params: [] });
      const error = await failureOf(client.query({ query, params }));
      const oracle = (await failureOf(theirs().query(query, [...params]))) as NeonDbError;
      expect(oracle).toBeInstanceOf(NeonDbError);
      expect(oracle.code).toBe(state);
      expect(readFailure(error)).toEqual({ state, unconnected: false, reason: `${state} ${oracle.message}` });
    });

    test("a transaction applies as a whole or not at all", async () => {
      const insert = (n: string) => ({ query: "insert into pairs values ($1) returning n", params: [n] });
      await client.query({ query: "create table pairs (n int primary key)", params: [] });
      const results = await client.transaction([insert("1"), insert("2")]);
      expect(results.map(({ rows }) => rows)).toEqual([[["1"]], [["2"]]]);
      expect(await failureOf(client.transaction([insert("3"), insert("1")]))).toMatchObject({ code: "23505" });
      expect((await client.query({ query: "select n from pairs", params: [] })).rows).toEqual([["1"], ["2"]]);
    });

    test("migrations, which are applied already", async () => {
      const executor = new NeonExecutor(postgres);
      const count = { query: "select count(*) from drizzle.__drizzle_migrations", params: [] };
      const [before] = await executor.run([count], false);
      await migrate(executor);
      expect(await executor.run([count], false)).toEqual([before]);
      expect(before?.rows).not.toEqual([["0"]]);
    });

    test("a wrong password is a refusal that does not show it", async () => {
      const url = postgres.url.replace(/:[^:@]*@|(?<=\/\/postgres)@/, ":sesame@");
      expect(url).toContain("sesame");
      const error = await failureOf(new NeonClient({ ...postgres, url }).query({ query: "select 1", params: [] }));
      const oracle = await failureOf(theirs(url).query("select 1"));
      const reason = "HTTP status 401: The connection string is not the one of this bridge";
      expect(readFailure(error)).toEqual({ state: undefined, unconnected: false, reason });
      expect(oracle).toMatchObject({ code: undefined, sourceError: undefined });
    });
  });
}

agrees("Postgres, embedded", startEmbedded);

const bin = findPostgres();
if (bin === undefined) {
  test.skip("NeonClient on a real Postgres server: none under /usr/lib/postgresql", () => {});
} else {
  agrees("Postgres, a server", () => startOnServer(bin));
}
