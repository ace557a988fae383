import { PGlite } from "@electric-sql/pglite";
import type { drizzle as drizzleNeon } from "drizzle-orm/neon-http";
import type { drizzle as drizzlePg } from "drizzle-orm/node-postgres";
import { drizzle } from "drizzle-orm/pglite";
import { migrate } from "drizzle-orm/pglite/migrator";
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { type CallExecutor, enqueueCall } from "../../durable/enqueue-call.ts";
import { reliableCalls } from "../../schema/reliable-calls.ts";
import { fromJsonbText } from "../../src/reliable/jsonb-text.ts";

describe("enqueueCall", () => {
  const client = new PGlite();
  const db = drizzle({ client });

  // Also shows that drizzle's own migrator takes the generated migrations.
  beforeAll(() => migrate(db, { migrationsFolder: "migrations" }), 60_000);
  afterAll(() => client.close());

  const call = { type: "Cart", id: "c-1", method: "checkout" };

  test("[CALL11] the call exists if and only if the application's transaction commits", async () => {
    const rolledBack = db.transaction(async (tx) => {
      await enqueueCall(tx, { ...call, request: { order: 1 } });
      throw new Error("changed my mind");
    });
    await expect(rolledBack).rejects.toThrow("changed my mind");
    expect(await db.select().from(reliableCalls)).toEqual([]);
    const expiresAt = new Date(1_900_000_000_123);
    const callId = await db.transaction((tx) => enqueueCall(tx, { ...call, request: { order: 2 }, expiresAt }));
    expect(await db.select().from(reliableCalls)).toMatchObject([
      {
        callId,
        objectType: "Cart",
        objectId: "c-1",
        method: "checkout",
        request: { order: 2 },
        expiresAt,
        status: "pending",
        epoch: 0,
        attempts: 0,
        shard: -1,
        requestHash: "",
        finishedAt: null,
      },
    ]);
  });

  test("[CALL11] the same call id again does nothing, on another object it is another call", async () => {
    for (const n of [1, 2]) expect(await enqueueCall(db, { ...call, id: "c-2", callId: "k", request: n })).toBe("k");
    await enqueueCall(db, { ...call, id: "c-3", callId: "k", request: 3 });
    const rows = await db.select().from(reliableCalls);
    expect(rows.filter((row) => row.callId === "k").map((row) => row.request)).toEqual([1, 3]);
  });

  test("[CALL11] any JSON value is a request: none, null, a string, one that jsonb cannot hold", async () => {
    const requests = [undefined, null, "text", "a\u0000b", { deep: ["\ud800"] }];
    for (const [n, request] of requests.entries())
      await enqueueCall(db, { ...call, id: "c-4", callId: `n${n}`, request });
    const sql = `select request::text as request from edgeverse_reliable_calls where object_id = 'c-4' order by seq`;
    const { rows } = await client.query<{ request: string | null }>(sql);
    const texts = rows.map((row) => fromJsonbText(row.request));
    expect(texts.map((text) => (text === null ? undefined : JSON.parse(text)))).toEqual(requests);
  });

  test("[CALL11] a program without Edgeverse can insert a call with five columns", async () => {
    await client.query(
      `insert into edgeverse_reliable_calls (call_id, object_type, object_id, method, request) values ('sql', 'Cart', 'c-5', 'm', '{}')`,
    );
    const { rows } = await client.query(
      `select status, epoch, attempts, shard from edgeverse_reliable_calls where call_id = 'sql'`,
    );
    expect(rows).toEqual([{ status: "pending", epoch: 0, attempts: 0, shard: -1 }]);
  });

  test("takes every drizzle Postgres database and its transactions", () => {
    expectTypeOf<ReturnType<typeof drizzlePg>>().toExtend<CallExecutor>();
    expectTypeOf<ReturnType<typeof drizzleNeon>>().toExtend<CallExecutor>();
    expectTypeOf<typeof db>().toExtend<CallExecutor>();
  });
});
