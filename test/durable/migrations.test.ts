import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { generateDrizzleJson, generateMigration } from "drizzle-kit/api";
import pg from "pg";
import { expect, test } from "vitest";
import { events } from "../../schema/events.ts";
import { reliableCalls } from "../../schema/reliable-calls.ts";
import { findPostgres, startPostgresServer } from "../support/postgres-server.ts";

const ROOT = join(import.meta.dirname, "../..");
const META = join(ROOT, "migrations/meta");

test("migrations/ lead to what schema/ says", async () => {
  const newest = readdirSync(META)
    .filter((name) => name.endsWith("_snapshot.json"))
    .sort()
    .at(-1) as string;
  const before = JSON.parse(readFileSync(join(META, newest), "utf8")) as ReturnType<typeof generateDrizzleJson>;
  expect(await generateMigration(before, generateDrizzleJson({ events, reliableCalls }, before.id))).toEqual([]);
});

const ours = ["local/migrate.ts"];
const drizzles = ["node_modules/drizzle-kit/bin.cjs", "migrate"];
const bin = findPostgres();

test.skipIf(bin === undefined).each([
  { order: "npm run migrate, then drizzle-kit", commands: [ours, drizzles] },
  { order: "drizzle-kit, then npm run migrate", commands: [drizzles, ours] },
])("$order: each migration is applied once", async ({ commands }) => {
  const server = await startPostgresServer(bin as string);
  try {
    const env = { ...process.env, DATABASE_URL: server.url };
    for (const command of commands) await promisify(execFile)(process.execPath, command, { cwd: ROOT, env });
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    const journal = await client.query("select hash from drizzle.__drizzle_migrations");
    const calls = await client.query("select count(*)::int as rows from edgeverse_reliable_calls");
    await client.end();
    const written = readdirSync(join(ROOT, "migrations")).filter((name) => name.endsWith(".sql"));
    expect(journal.rows).toHaveLength(written.length);
    expect(calls.rows).toEqual([{ rows: 0 }]);
  } finally {
    await server.stop();
  }
});
