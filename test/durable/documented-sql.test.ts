import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PostgresCallLog } from "../../durable/postgres-log.ts";
import { type LocalPostgres, startPostgres } from "../../local/postgres/index.ts";
import { callRecord } from "../support/call-records.ts";
import { sqlOf } from "../support/documented-sql.ts";
import { findPostgres, type PostgresServer, startPostgresServer } from "../support/postgres-server.ts";

const bin = findPostgres();
const DAY = 86_400_000;
const now = Date.now();

describe.skipIf(bin === undefined)("docs/call-log.md on a Postgres server", () => {
  const [stats = "", late = "", failed = "", made = "", oldest = "", due = "", removal = "", ...more] =
    sqlOf("call-log.md");
  let server: PostgresServer;
  let bridge: LocalPostgres;
  let client: pg.Client;
  const rows = async (sql: string, parameters?: string[]): Promise<Record<string, unknown>[]> =>
    (await client.query(sql, parameters)).rows;

  beforeAll(async () => {
    server = await startPostgresServer(bin as string);
    bridge = await startPostgres({ dataDir: "", databaseUrl: server.url });
    client = new pg.Client({ connectionString: server.url });
    await client.connect();
    const open = { status: "pending", response: null, finishedAt: null } as const;
    const caller = JSON.stringify({ kind: "object", cause: { type: "Wallet", id: "o1", callId: "old-1" } });
    const error = { code: "CALL_FAILED", message: "no", retryable: false, reason: "SOLD_OUT" } as const;
    const old = { acceptedAt: now - 40 * DAY, finishedAt: now - 40 * DAY };
    await new PostgresCallLog({ ...bridge, timeoutMs: 60_000 }).write([
      ...Array.from({ length: 3 }, (_, n) => callRecord({ type: "Wallet", callId: `old-${n}`, ...old })),
      callRecord({ type: "Order", callId: "other", caller, ...old }),
      callRecord({ type: "Wallet", callId: "young", acceptedAt: now, finishedAt: now }),
      callRecord({ ...open, type: "Wallet", callId: "stuck", acceptedAt: now - 40 * DAY, attempts: 7 }),
      callRecord({ ...open, type: "Wallet", callId: "parked", status: "parked", error, acceptedAt: now - 40 * DAY }),
      callRecord({ ...open, type: "Wallet", callId: "just now", acceptedAt: now }),
      callRecord({
        type: "Order",
        callId: "no",
        status: "failed",
        error,
        response: null,
        acceptedAt: now,
        finishedAt: now,
      }),
    ]);
  }, 60_000);
  afterAll(async () => {
    await client?.end();
    await bridge?.stop();
    await server?.stop();
  });

  test("[CALL15] the counts are those of the admin API", async () => {
    expect(more).toEqual([]);
    const { counts } = await new PostgresCallLog(bridge).stats();
    const documented = (await rows(stats)).map((row) => ({
      type: row["object_type"],
      status: row["status"],
      count: Number(row["calls"]),
      oldest: (row["oldest"] as Date).getTime(),
    }));
    expect(documented).toEqual(counts.map(({ bytes: _, ...rest }) => rest));
    expect(documented).toContainEqual({ type: "Wallet", status: "success", count: 4, oldest: now - 40 * DAY });
  });

  test("late calls, failures and how far back the log goes", async () => {
    const names = (found: Record<string, unknown>[]) => found.map((row) => row["call_id"]);
    expect(names(await rows(late)).sort()).toEqual(["parked", "stuck"]);
    const failures = { object_type: "Order", method: "m", code: "CALL_FAILED", reason: "SOLD_OUT", calls: "1" };
    expect(await rows(failed)).toMatchObject([failures]);
    expect((await rows(oldest)).map((row) => [row["object_type"], row["calls"]]).sort()).toEqual([
      ["Order", "2"],
      ["Wallet", "4"],
    ]);
  });

  test("[CALL16] what a call has made is what its story has", async () => {
    const { calls } = await new PostgresCallLog(bridge).causedBy([{ type: "Wallet", id: "o1", callId: "old-1" }], 10);
    expect(calls.map(({ callId }) => callId)).toEqual(["other"]);
    expect((await rows(made, ["Wallet", "o1", "old-1"])).map((row) => row["call_id"])).toEqual(["other"]);
    expect(await rows(made, ["Wallet", "o1", "old-2"])).toEqual([]);
  });

  test("[CALL9] what is due is what a cleanup counts; the removal takes ended calls of one type, and may be repeated", async () => {
    const log = new PostgresCallLog(bridge);
    expect(await rows(due)).toEqual([{ status: "success", calls: "4" }]);
    expect(await log.countFinished(Date.now() - 30 * DAY)).toEqual({ success: 4, failed: 0, expired: 0 });
    expect(await rows(removal)).toEqual([{ status: "success", calls: "3" }]);
    expect(await rows(removal)).toEqual([]);
    const left = (await log.list({ limit: 100 })).calls.map(({ callId }) => callId);
    expect(left.sort()).toEqual(["just now", "no", "other", "parked", "stuck", "young"]);
  });
});
