import { env, runInDurableObject, SELF } from "cloudflare:test";
import { expect, test } from "vitest";

async function tables(stub: DurableObjectStub): Promise<unknown[]> {
  const query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'";
  return runInDurableObject(stub, (_, { storage }) => storage.sql.exec(query).toArray());
}

test("[HTTP9] looking at a new cluster neither bootstraps it nor leaves anything behind", async () => {
  const ready = await SELF.fetch("http://host/ready");
  expect([ready.status, await ready.json()]).toMatchObject([
    200,
    { status: "ready", bootstrapped: false, failing: [] },
  ]);
  const objects = [
    env.COORDINATOR.getByName("coordinator"),
    ...["p0", "p1", "p2"].map((name) => env.PARTITION.getByName(name)),
  ];
  for (const stub of objects) expect(await tables(stub)).toEqual([]);

  const call = await SELF.fetch("http://host/api/v1/objects/call/Counter/a/get", { method: "POST" });
  expect(call.status).toBe(200);
  // An answer of /ready serves for a second.
  const look = async () => (await (await SELF.fetch("http://host/ready")).json()) as { bootstrapped: boolean };
  await expect.poll(look, { timeout: 10_000 }).toMatchObject({ bootstrapped: true });
  const used = await Promise.all(objects.map(async (stub) => (await tables(stub)).length > 0));
  expect(used.filter((yes) => yes)).toHaveLength(2);
});
