import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { statement } from "../../local/postgres/executor.ts";
import { PgliteDatabase } from "../../local/postgres/pglite-database.ts";
import { PgliteExecutor } from "../../local/postgres/pglite-executor.ts";
import { SyncedNodeFS } from "../../local/postgres/synced-node-fs.ts";

const WRITER = fileURLToPath(new URL("../support/pglite-writer.ts", import.meta.url).href);
/** `EDGEVERSE_KILLS=50` for a long run. */
const KILLS = Number(process.env["EDGEVERSE_KILLS"] ?? 5);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "edgeverse-pglite-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Life {
  /** What the process found when it opened the database: last batch, rows, batches. */
  readonly found: readonly number[] | undefined;
  readonly acknowledged: number;
  readonly complaint: string;
}

/** Runs a writer and kills it, without warning, `delay` ms after its start or after it could open the database. */
async function killedWriter(delay: number, from: "start" | "open"): Promise<Life> {
  const child = spawn(process.execPath, [WRITER, folder], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise((resolve) => child.once("close", resolve));
  let found: number[] | undefined;
  let acknowledged = 0;
  let complaint = "";
  const killIn = () => setTimeout(() => child.kill("SIGKILL"), delay);
  if (from === "start") killIn();
  child.stderr.on("data", (text) => {
    complaint += text;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [word, ...numbers] = line.split(" ");
    if (word === "wrote") acknowledged = Number(numbers[0]);
    if (word !== "found") return;
    found = numbers.map(Number);
    if (from === "open") killIn();
  });
  await exited;
  return { found, acknowledged, complaint };
}

test(`the embedded Postgres survives kill -9, ${KILLS} times, and keeps every acknowledged batch`, {
  timeout: 30_000 + KILLS * 5_000,
}, async () => {
  let acknowledged = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    // Also while it is being made or recovering, which the next one must get over.
    if (kill % 3 === 0) await killedWriter(50 + Math.random() * (kill === 0 ? 2_000 : 400), "start");
    const life = await killedWriter(Math.random() * 700, "open");
    expect(life.found, life.complaint).toBeDefined();
    const [last = 0, rows, batches] = life.found ?? [];
    expect(last).toBeGreaterThanOrEqual(acknowledged);
    expect([rows, batches]).toEqual([last * 50, last]);
    acknowledged = Math.max(last, life.acknowledged);
  }
  const db = await PgliteExecutor.open(folder);
  const sql = "select count(*) from t where batch <= $1 and filler = repeat(md5(batch || n::text), 8) || 'x'";
  const [result] = await db.run([statement(sql, String(acknowledged))], false);
  expect(result?.rows).toEqual([[String(acknowledged * 50)]]);
  await db.close();
});

test("an unfinished or empty lock file of a killed Postgres does not stop the next", { timeout: 30_000 }, async () => {
  await (await PgliteExecutor.open(folder)).close();
  writeFileSync(join(folder, "pgdata", "postmaster.pid"), "");
  const db = await PgliteExecutor.open(folder);
  expect(existsSync(join(folder, "pgdata.draft"))).toBe(false);
  await db.close();
});

test("a folder that is open cannot be opened again, by this process or another", { timeout: 30_000 }, async () => {
  const db = await PgliteExecutor.open(folder);
  await expect(PgliteExecutor.open(folder)).rejects.toThrow("another process uses it");
  const other = await killedWriter(10_000, "open");
  expect(other.complaint).toContain("another process uses it");
  await db.close();
  await (await PgliteExecutor.open(folder)).close();
});

test("a commit reaches the disk, not only the kernel: Postgres's fsync arrives at the file system", {
  timeout: 30_000,
}, async () => {
  const before = SyncedNodeFS.syncs;
  const db = await PgliteDatabase.open(folder);
  const opened = SyncedNodeFS.syncs;
  expect(opened).toBeGreaterThan(before);
  await db.run([statement("create table t (n int)")], false);
  for (let n = 0; n < 10; n++) await db.run([statement("insert into t values ($1)", String(n))], false);
  expect(SyncedNodeFS.syncs - opened).toBeGreaterThanOrEqual(11);
  await db.close();
});

test("a value nested too deep is an error, neither a hang nor a false success", { timeout: 30_000 }, async () => {
  const db = await PgliteExecutor.open(folder);
  const nest = (depth: number) => statement("select ($1::text::jsonb)::text", "[".repeat(depth) + "]".repeat(depth));
  for (const depth of [20_000, 200_000, 2_000_000]) {
    const [result] = await db.run([nest(depth)], false).catch((error: { code?: string }) => {
      expect(["54001", undefined]).toContain(error.code);
      return [];
    });
    if (result !== undefined) expect(result.rows[0]?.[0]).toHaveLength(2 * depth);
  }
  await db.run([nest(100)], false);
  await db.close();
});
