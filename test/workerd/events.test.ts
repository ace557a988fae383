import { SELF } from "cloudflare:test";
import type { PublicEvent } from "edgeverse";
import { expect, inject, test, vi } from "vitest";
import { openNeon } from "../../durable/neon-database.ts";
import { queued } from "./queued.ts";

async function pay(id: string, amount: number): Promise<string> {
  const url = `http://host/api/v1/objects/call/Shop/${id}/pay`;
  const answer = await SELF.fetch(url, { method: "POST", body: JSON.stringify({ request: { amount } }) });
  const { response, message } = (await answer.json()) as { response: string; message?: string };
  expect(message).toBeUndefined();
  return response;
}

/** Events of an object, each as it came first. */
function firsts(events: readonly PublicEvent[], subject: string): PublicEvent[] {
  const own = events.filter((event) => event.subject === subject);
  return [...new Map(own.map((event) => [event.id, event])).values()];
}

test("[EVT1] [EVT6] [EVT7] [EVT8] in workerd events reach a webhook, the table and a queue, in order per object", async () => {
  const ids: string[] = [];
  for (let amount = 1; amount <= 10; amount++) ids.push(await pay("s1", amount));
  const wait = { timeout: 25_000, interval: 100 };

  const posted = await vi.waitUntil(async () => {
    const answer = await fetch(inject("webhookUrl"));
    const all = (await answer.json()) as { headers: Record<string, string>; body: string }[];
    return (
      firsts(
        all.map(({ body }) => JSON.parse(body) as PublicEvent),
        "s1",
      ).length === 10 && all
    );
  }, wait);
  const events = firsts(
    posted.map(({ body }) => JSON.parse(body) as PublicEvent),
    "s1",
  );
  expect(events.map(({ id }) => id)).toEqual(ids);
  expect(events[2]).toMatchObject({ source: "/objects/Shop", type: "shop.paid", data: { amount: 3 } });
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map(({ sequence }) => sequence).sort());
  expect(posted[0]?.headers["webhook-signature"]).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/);

  const db = openNeon({ url: inject("databaseUrl"), endpoint: inject("sqlEndpoint") });
  const stored = await vi.waitUntil(async () => {
    const rows = (await db.execute("select id from edgeverse_events where subject = 's1' order by seq")) as unknown;
    return (rows as { id: string }[]).length === 10 && (rows as { id: string }[]);
  }, wait);
  expect(stored.map(({ id }) => id)).toEqual(ids);

  await vi.waitUntil(() => firsts(queued, "s1").length === 10, wait);
  expect(
    firsts(queued, "s1")
      .map(({ id }) => id)
      .sort(),
  ).toEqual([...ids].sort());
});
