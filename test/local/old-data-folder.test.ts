import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expected, unpackLog, unpackObjects } from "../support/old-data-folder.ts";
import { cleanUp, type HostProcess, spawnHost, temporaryFolder, until } from "./host-process.ts";

const TOKEN = "t".repeat(32);
const old = expected();

let host: HostProcess;
let url: string;

beforeAll(async () => {
  const folder = temporaryFolder();
  unpackObjects(folder);
  await unpackLog(folder);
  host = spawnHost(
    {
      EDGEVERSE_DATA: folder,
      EDGEVERSE_ADMIN_TOKEN: TOKEN,
      EDGEVERSE_SHARDS: "16",
      EDGEVERSE_PARTITIONS: "3",
      EDGEVERSE_REBALANCE: "off",
      // However old the fixture is: its marks are kept, and its move is not given up.
      EDGEVERSE_RETENTION: "36500d",
      EDGEVERSE_MOVE_STALL: "36500d",
      EDGEVERSE_MOVE_LIMIT: "36500d",
    },
    ["--json"],
    ["--config", resolve(import.meta.dirname, "../end-to-end/wrangler.toml")],
  );
  ({ url } = await host.ready());
}, 60_000);
afterAll(cleanUp);

interface Answer {
  readonly status: number;
  readonly replayed: boolean;
  readonly body: { readonly response?: unknown; readonly code?: string };
}

async function call(object: string, method: string, request?: unknown, callId?: string): Promise<Answer> {
  const slash = object.indexOf("/");
  const path = `${object.slice(0, slash)}/${encodeURIComponent(object.slice(slash + 1))}/${method}`;
  const answer = await fetch(`${url}/api/v1/objects/call/${path}`, {
    method: "POST",
    headers: callId === undefined ? {} : { "idempotency-key": callId },
    body: JSON.stringify({ request }),
  });
  return {
    status: answer.status,
    replayed: answer.headers.get("idempotency-replayed") === "true",
    body: (await answer.json()) as Answer["body"],
  };
}

async function admin<T>(path: string): Promise<T> {
  const answer = await fetch(`${url}/admin/v1/${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  expect(answer.status).toBe(200);
  return (await answer.json()) as T;
}

async function log(): Promise<Map<string, string>> {
  const { calls } = await admin<{ calls: { callId: string; status: string }[] }>("calls?limit=100");
  return new Map(calls.map(({ callId, status }) => [callId, status]));
}

// In this order: the first tests look before the later ones change anything.
describe("a data folder of commit 1a5850a", () => {
  test("has every object's state and rows", async () => {
    for (const { object, method, request, response } of old.reads)
      expect({ object, answer: await call(object, method, request) }).toEqual({
        object,
        answer: { status: 200, replayed: false, body: { response } },
      });
  });

  test("[CALL1] answers every finished call with its first outcome, and runs none again", async () => {
    for (const { object, method, request, callId, status, response, code } of old.calls) {
      const answer = await call(object, method, request, callId);
      expect({ callId, ...answer }).toMatchObject({ callId, status, replayed: true });
      expect(answer.body).toMatchObject(status === 200 ? { response } : { code });
    }
    for (const { object, method, request, response } of old.reads)
      expect(await call(object, method, request)).toMatchObject({ body: { response } });
  });

  test("[CALL3] goes on with calls that were accepted: each runs to effect once, and the log hears of it", async () => {
    const outcomes = [];
    for (const { object, callId, request } of old.pending)
      outcomes.push({ callId, ...(await call(object, "work", request, callId)) });
    expect(outcomes.map(({ callId, status, body }) => [callId, status, body])).toEqual([
      ["pending-1", 200, { response: { done: 1 } }],
      ["pending-2", 200, { response: { done: 2 } }],
      ["pending-3", 200, { response: { done: 1 } }],
      ["pending-4", 200, { response: { done: 1 } }],
    ]);
    for (const [object, done] of [
      ["Slow/s1", 2],
      ["Slow/s2", 1],
      ["Slow/shard#7/s3", 1],
    ] as const)
      expect(await call(object, "done")).toMatchObject({ body: { response: { done } } });
    const ids = [...old.calls, ...old.pending].map(({ callId }) => callId);
    await until(async () => {
      const statuses = await log();
      return ids.every((id) => statuses.get(id) === (id === "too-much" ? "failed" : "success"));
    }, 20_000);
  });

  test("has the shard map, and the pin", async () => {
    const { shards } = await admin<{ shards: { shard: number; partition: string; pinnedTo: string | null }[] }>(
      "shards",
    );
    expect(shards).toHaveLength(16);
    expect(shards[old.moved.shard]).toMatchObject({ shard: old.moved.shard, partition: old.moved.to, pinned: false });
    expect(shards[old.pinned.shard]).toMatchObject({ partition: old.pinned.to, pinned: true, pinnedTo: old.pinned.to });
  });

  test("[MIG3] ends the move that was in the middle of its copy, with all that the shard holds", async () => {
    const { shard, from, to } = old.moving;
    const ended = () => admin<{ moves: Record<string, unknown>[] }>(`moves?shard=${shard}&limit=1`);
    await until(async () => (await ended()).moves[0]?.["phase"] === "done", 20_000);
    expect((await ended()).moves).toMatchObject([{ shard, from, to }]);
    expect(await admin(`shards/${shard}`)).toMatchObject({ partition: to, moving: null });
    const names = Array.from({ length: 600 }, (_, n) => n);
    const answer = await fetch(`${url}/api/v1/objects/batch`, {
      method: "POST",
      body: JSON.stringify({
        calls: names.map((n) => ({ type: "Counter", id: `shard#${shard}/n${n}`, method: "get" })),
      }),
    });
    const { results } = (await answer.json()) as { results: { response: { value: number } }[] };
    expect(results.map(({ response }) => response.value)).toEqual(names.map((n) => old.touched[n] ?? n));
  });

  test("takes new calls, plain and reliable, and ends as it should", async () => {
    expect(await call("Counter/c3", "add", { by: 5 })).toMatchObject({ body: { response: { value: 15 } } });
    for (const replayed of [false, true])
      expect(await call("Wallet/w3", "deposit", { amount: 2 }, "new-1")).toMatchObject({
        status: 200,
        replayed,
        body: { response: { balance: 100 } },
      });
    host.child.kill("SIGTERM");
    expect(await host.exited).toBe(0);
    // The one thing to complain of: a move that is as old as the fixture.
    const errors = host.stderr().split("\n");
    expect(errors.filter((line) => line.includes('"error"') && !line.includes("a move is stuck"))).toEqual([]);
  });
});
