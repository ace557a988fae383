import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SqlExecutor } from "../../local/postgres/executor.ts";
import { migrate } from "../../local/postgres/migrate.ts";
import { type NeonBridge, startNeonBridge } from "../../local/postgres/neon-bridge.ts";
import { PgExecutor } from "../../local/postgres/pg-executor.ts";
import { PgliteExecutor } from "../../local/postgres/pglite-executor.ts";
import { findPostgres, startPostgresServer } from "../support/postgres-server.ts";

const URL_ = "postgresql://u:sesame@127.0.0.1/db";
const HEADERS = {
  "neon-connection-string": `${URL_}?application_name=x`,
  "neon-raw-text-output": "true",
  "neon-array-mode": "true",
};

interface Database {
  readonly executor: SqlExecutor;
  close(): Promise<void>;
}

async function embedded(): Promise<Database> {
  const folder = mkdtempSync(join(tmpdir(), "edgeverse-bridge-"));
  const executor = await PgliteExecutor.open(folder);
  const close = async () => {
    await executor.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { executor, close };
}

async function server(bin: string): Promise<Database> {
  const postgres = await startPostgresServer(bin);
  const executor = new PgExecutor({ databaseUrl: postgres.url });
  const close = async () => {
    await executor.close();
    await postgres.stop();
  };
  return { executor, close };
}

bridgeSuite("embedded Postgres", embedded);
const bin = findPostgres();
if (bin === undefined) test.skip("Neon bridge over a real Postgres server: none under /usr/lib/postgresql", () => {});
else bridgeSuite("a Postgres server", () => server(bin));

function bridgeSuite(name: string, open: () => Promise<Database>): void {
  describe(`Neon bridge over ${name}`, () => {
    let database: Database;
    let bridge: NeonBridge;
    beforeAll(async () => {
      database = await open();
      bridge = await startNeonBridge(database.executor, { url: URL_ });
    }, 60_000);
    afterAll(async () => {
      await bridge?.close();
      await database?.close();
    });

    async function post(body: unknown, headers: Record<string, string> = {}) {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const response = await fetch(bridge.endpoint, {
        method: "POST",
        body: text,
        headers: { ...HEADERS, ...headers },
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    }

    test("answers one statement with Postgres text", async () => {
      const query =
        "select $1::int + 1 as n, null as nothing, true as yes, now() is not null as t, '{1,2}'::int[] as list, $2::jsonb as j";
      expect(await post({ query, params: [41, '{"a":[1]}'] })).toMatchObject({
        status: 200,
        body: {
          command: "SELECT",
          rowCount: 1,
          rowAsArray: true,
          rows: [["42", null, "t", "t", "{1,2}", '{"a": [1]}']],
        },
      });
      const { body } = await post({ query: "select 1 as n" }, { "neon-array-mode": "false" });
      expect(body).toMatchObject({ fields: [{ name: "n", dataTypeID: 23 }], rows: [{ n: "1" }] });
    });

    test("a batch is one transaction, with the isolation it asks for", async () => {
      await post({ query: "create table b (n int primary key)" });
      const insert = (n: number) => ({ query: "insert into b values ($1)", params: [n] });
      const failed = await post({ queries: [insert(1), insert(1)] });
      expect(failed).toMatchObject({ status: 400, body: { code: "23505", table: "b", constraint: "b_pkey" } });
      const ok = await post({ queries: [insert(1), insert(2), { query: "select count(*) from b" }] });
      expect(ok.body["results"]).toMatchObject([{ rowCount: 1 }, { rowCount: 1 }, { rows: [["2"]] }]);
      const show = { queries: [{ query: "show transaction_isolation" }] };
      const { body } = await post(show, {
        "neon-batch-isolation-level": "Serializable",
        "neon-batch-read-only": "true",
      });
      expect(body["results"]).toMatchObject([{ rows: [["serializable"]] }]);
    });

    test("an SQL error is 400 with Postgres's fields, and the connection goes on", async () => {
      for (let n = 0; n < 15; n++) {
        const { status, body } = await post({ query: "select $1::text::int", params: ["x"] });
        expect([status, body["code"], body["severity"]]).toEqual([400, "22P02", "ERROR"]);
      }
      expect((await post({ query: "select 1; select 2" })).body).toMatchObject({ code: "42601" });
      expect((await post({ query: "select 1" })).status).toBe(200);
    });

    test("refuses who does not know the secret, other paths, bad and oversized bodies", async () => {
      const wrong = ["", "x", "postgresql://u:wrong@127.0.0.1/db", "postgresql://u:sesame@127.0.0.1/other"];
      for (const url of wrong)
        expect((await post({ query: "select 1" }, { "neon-connection-string": url })).status).toBe(401);
      const get = await fetch(bridge.endpoint, { headers: HEADERS });
      expect(get.status).toBe(404);
      for (const body of ["", "{", "[]", "{}", { query: 1 }, { queries: {} }])
        expect((await post(body)).status).toBe(400);
      const huge = await post("x".repeat(65 * 1024 * 1024)).catch((error: Error) => error);
      expect(huge instanceof Error || huge.status === 413).toBe(true);
      expect((await post({ query: "select 1" })).status).toBe(200);
    });

    test("migrations are applied once, also when ten start at the same time", async () => {
      await Promise.all(Array.from({ length: 10 }, () => migrate(database.executor)));
      await migrate(database.executor);
      const { body } = await post({ query: 'select count(*) from drizzle."__drizzle_migrations"' });
      const migrations = readdirSync("migrations").filter((name) => name.endsWith(".sql"));
      expect(body["rows"]).toEqual([[`${migrations.length}`]]);
      expect((await post({ query: "select * from edgeverse_reliable_calls" })).body["rows"]).toEqual([]);
    });
  });
}

test("a database that cannot be reached is 503, without its address", async () => {
  const executor = new PgExecutor({ databaseUrl: "postgresql://u:hidden@127.0.0.1:9/db", connectTimeoutMs: 500 });
  const bridge = await startNeonBridge(executor, { url: URL_ });
  const response = await fetch(bridge.endpoint, { method: "POST", body: '{"query":"select 1"}', headers: HEADERS });
  expect(response.status).toBe(503);
  expect(await response.text()).not.toMatch(/hidden|:9/);
  await bridge.close();
  await executor.close();
});
