import { abortAllDurableObjects, env, evictAllDurableObjects, runDurableObjectAlarm, SELF } from "cloudflare:test";
import { describe, expect, test } from "vitest";

const BEARER = { authorization: "Bearer test-admin-token" };

async function admin<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await SELF.fetch(`http://host/admin/v1/${path}`, {
    method,
    headers: BEARER,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await answer.json()) as T;
}

/** Adds 1 by a reliable call, repeated until it has its outcome. */
async function add(id: string, callId: string): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await SELF.fetch(`http://host/api/v1/objects/call/Counter/${encodeURIComponent(id)}/add`, {
      method: "POST",
      body: '{"request":{"by":1}}',
      headers: { "idempotency-key": callId },
    });
    const body = (await answer.json()) as { response?: { value: number } };
    if (body.response !== undefined) return body.response.value;
    expect(answer.status, JSON.stringify(body)).toBeGreaterThanOrEqual(500);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${callId} has no outcome`);
}

/** Alarms that the platform would fire by itself. */
async function alarms(): Promise<void> {
  await runDurableObjectAlarm(env.COORDINATOR.getByName("coordinator"));
  for (const name of ["p0", "p1", "p2"]) await runDurableObjectAlarm(env.PARTITION.getByName(name));
}

async function settled(): Promise<void> {
  for (let round = 0; round < 200; round++) {
    const { counts } = await admin<{ counts?: { active: number; planned: number } }>("GET", "moves?limit=1");
    if (counts !== undefined && counts.active + counts.planned === 0) return;
    await alarms();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`moves don't end: ${JSON.stringify(await admin("GET", "moves?active=true"))}`);
}

describe("moves in workerd", () => {
  test("[MIG4] [CALL1] every Durable Object is aborted in the middle of moves, and evicted after them: each call counts once", {
    timeout: 120_000,
  }, async () => {
    const SHARD = 4_321;
    const ids = Array.from({ length: 6 }, (_, index) => `shard#${SHARD}/moved${index}`);
    for (const id of ids) await add(id, `first-${id}`);
    let counted = 1;
    for (let round = 0; round < 6; round++) {
      const { partition } = await admin<{ partition: string }>("GET", `shards/${SHARD}`);
      const to = partition === "p2" ? "p0" : "p2";
      await admin("POST", `shards/${SHARD}/move`, { partition: to });
      const calls = ids.map((id) => add(id, `round-${round}-${id}`));
      // At another moment of the move each time.
      await new Promise((resolve) => setTimeout(resolve, round * 3));
      await abortAllDurableObjects();
      await Promise.all(calls);
      counted++;
      await settled();
      if (round === 5) await evictAllDurableObjects();
      for (const id of ids) expect(await add(id, `round-${round}-${id}`)).toBe(counted);
    }
    const { moves } = await admin<{ moves: { phase: string }[] }>("GET", `moves?shard=${SHARD}`);
    expect(moves.length).toBeGreaterThanOrEqual(6);
    for (const { phase } of moves) expect(["done", "undone"]).toContain(phase);
  });
});
