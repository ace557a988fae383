import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NeonClient } from "../../durable/neon-client.ts";
import { PostgresCallLog } from "../../durable/postgres-log.ts";
import type { LocalPostgres } from "../../local/postgres/index.ts";
import { callLogContract } from "../contract/call-log.ts";
import { callRecord, newType } from "../support/call-records.ts";
import { startEmbedded, startOnServer, type TestPostgres } from "../support/local-postgres.ts";
import { startServer } from "../support/local-server.ts";
import { findPostgres } from "../support/postgres-server.ts";

const UNREACHABLE = { url: "postgresql://u:sesame@127.0.0.1/db", endpoint: "http://127.0.0.1:9/sql" };

async function harness(start: () => Promise<TestPostgres>) {
  const { postgres, close } = await start();
  return { log: new PostgresCallLog(postgres), broken: new PostgresCallLog(UNREACHABLE), close };
}

callLogContract("Postgres, embedded, through the bridge", () => harness(startEmbedded));

const bin = findPostgres();
if (bin === undefined) {
  test.skip("call log contract on a real Postgres server: none under /usr/lib/postgresql", () => {});
} else {
  callLogContract("Postgres, a server, through the bridge", () => harness(() => startOnServer(bin)));
}

describe("PostgresCallLog", () => {
  let postgres: LocalPostgres;
  let close: () => Promise<void>;
  let log: PostgresCallLog;

  beforeAll(async () => {
    ({ postgres, close } = await startEmbedded());
    log = new PostgresCallLog(postgres);
  }, 60_000);
  afterAll(() => close?.());

  test("[CALL16] an index, without the calls that no call has made, leads to what a call has made", async () => {
    const plain = (n: number) => callRecord({ callId: `plain ${n}`, caller: '{"kind":"client"}' });
    for (let part = 0; part < 4; part++) {
      await log.write(Array.from({ length: 1_000 }, (_, n) => plain(part * 1_000 + n)));
    }
    const client = new NeonClient(postgres);
    let asked: { query: string; params: string[] } | undefined;
    const noting = new PostgresCallLog({
      ...postgres,
      fetch: (url, init) => {
        asked = JSON.parse(String(init?.body)) as typeof asked;
        return fetch(url, init);
      },
    });
    await noting.causedBy([{ type: "T", id: "a", callId: "c" }], 10);
    const { query = "", params = [] } = asked ?? {};
    await client.query({ query: "analyze edgeverse_reliable_calls", params: [] });
    const plan = await client.query({ query: `explain ${query}`, params });
    expect(plan.rows.flat().join("\n")).toContain("edgeverse_reliable_calls_cause");
    const size = "select pg_relation_size('edgeverse_reliable_calls_cause') < 20000 as small";
    expect((await client.query({ query: size, params: [] })).rows).toEqual([["t"]]);
  }, 60_000);

  test("[CALL5] a record that no jsonb can hold is kept verbatim, beside the others of its batch", async () => {
    const type = newType();
    const hugeNumber = `[1e${"9".repeat(9)}]`;
    const records = Array.from({ length: 20 }, (_, n) => callRecord({ type, callId: `c${n}` }));
    records[7] = { ...records[7]!, request: hugeNumber };
    records[13] = { ...records[13]!, response: hugeNumber };
    await log.write(records);
    expect((await log.list({ type, limit: 100 })).calls).toHaveLength(20);
    expect((await log.find(type, "o1", "c7"))?.request).toBe(hugeNumber);
    expect((await log.find(type, "o1", "c13"))?.response).toBe(hugeNumber);
  });

  test("[CALL5] records that Postgres refuses are named, all others are written", async () => {
    const type = newType();
    const records = Array.from({ length: 20 }, (_, n) =>
      callRecord({ type, callId: n % 9 === 4 ? `c\u0000${n}` : `c${n}` }),
    );
    const refused = [4, 13].map((n) => ({ type, id: "o1", callId: `c\u0000${n}`, sqlState: "22P05" }));
    await expect(log.write(records)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      retryable: false,
      details: { refused },
    });
    expect((await log.list({ type, limit: 100 })).calls).toHaveLength(18);
  });

  test("[CALL5] a text that is not JSON cannot reach outside its row", async () => {
    const type = newType();
    await log.write([callRecord({ type, request: '1},{"call_id":"forged"' })]);
    const { calls } = await log.list({ type, limit: 10 });
    expect(calls.map((call) => call.request)).toEqual(['1},{"call_id":"forged"']);
  });

  test("[TURN9] records of a megabyte each go in several statements", async () => {
    const type = newType();
    const text = JSON.stringify('"\\'.repeat(250_000));
    const records = Array.from({ length: 20 }, (_, n) => callRecord({ type, callId: `c${n}`, request: text }));
    await log.write(records);
    const calls = await Promise.all(records.map((record) => log.find(type, record.id, record.callId)));
    expect(calls.map((call) => call?.request === text)).toEqual(records.map(() => true));
  });

  test("[CALL6] no answer in time is LOG_UNAVAILABLE", async () => {
    const silent = await startServer(() => {});
    const endpoint = `${silent.url}/sql`;
    const slow = new PostgresCallLog({ ...UNREACHABLE, endpoint, timeoutMs: 200 });
    const started = performance.now();
    await expect(slow.write([callRecord({})])).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    await expect(slow.ping()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    expect(performance.now() - started).toBeLessThan(2_000);
    await silent.stop();
  });

  test("[CALL6] server errors, a wrong secret and a missing table are LOG_UNAVAILABLE; no message shows the password", async () => {
    const answers = [new Response("sesame", { status: 500 }), new Response("<html>", { status: 200 })];
    answers.push(Response.json({ code: "42P01", message: "no such relation" }, { status: 400 }));
    const failing = (response: Response) => new PostgresCallLog({ ...UNREACHABLE, fetch: async () => response });
    const logs = [...answers.map(failing), new PostgresCallLog({ ...UNREACHABLE, endpoint: postgres.endpoint })];
    for (const one of [...logs, new PostgresCallLog(UNREACHABLE)]) {
      const error = await one.write([callRecord({ request: '"private"' })]).then(
        () => undefined,
        (e: unknown) => e,
      );
      expect(error).toMatchObject({ code: "LOG_UNAVAILABLE" });
      const { message, cause } = error as Error;
      expect(`${message} ${cause}`).not.toMatch(/sesame|private/);
    }
    const open = (url: string) => () => new PostgresCallLog({ url });
    for (const url of ["sesame", "http://u:sesame@h/d", "postgresql://u:sesame@/", "postgresql://h/d"]) {
      expect(open(url)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.not.stringContaining("sesame") }),
      );
    }
  });

  test("a read is tried once more when the connection breaks, a write is not", async () => {
    let failures = 1;
    const flaky = new PostgresCallLog({
      ...postgres,
      fetch: (...args) => (failures-- > 0 ? Promise.reject(new TypeError("fetch failed")) : fetch(...args)),
    });
    await flaky.ping();
    failures = 1;
    await expect(flaky.write([callRecord({})])).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    failures = 2;
    await expect(flaky.ping()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  });

  test("two logs with different endpoints stay apart", async () => {
    const other = new PostgresCallLog(UNREACHABLE);
    const [mine, theirs] = await Promise.allSettled([log.ping(), other.ping()]);
    expect([mine.status, theirs.status]).toEqual(["fulfilled", "rejected"]);
  });
});
