import { expect, test } from "vitest";
import { Desk, desks } from "./outbox-fixture.ts";

/** More messages than are kept in memory. */
const MANY = 11_000;

test("[CALL7] what did not fit in memory leaves when the shard that filled it has moved", async () => {
  const { cluster, on } = desks(3);
  const [ann, bob] = [on("p0", "ann"), on("p1", "bob")];
  cluster.unreachable.add("p1");
  const texts = Array.from({ length: 1_000 }, (_, index) => `${index}`);
  for (let sent = 0; sent < MANY; sent += texts.length) await cluster.object(Desk, ann).sendMany({ to: bob, texts });
  const [cid, dan] = [on("p0", "cyd"), on("p2", "dan")];
  await cluster.object(Desk, cid).send({ to: dan, text: "hello" });
  await cluster.move(Desk, ann, { to: "p2" });
  expect(cluster.ownerOf(Desk, cid)).toBe("p0");
  await cluster.clock.advance(20_000);
  expect((await cluster.object(Desk, dan).read()).got).toEqual([`${cid}: hello`]);
  cluster.stop();
});

test("[CALL7] calls that were set aside hold up no other, however many there are", async () => {
  const { cluster, on } = desks(3);
  const [ann, bob, cid, dan] = [on("p0", "ann"), on("p1", "bob"), on("p0", "cyd"), on("p2", "dan")];
  cluster.unreachable.add("p1").add("p2");
  await cluster.object(Desk, ann).send({ to: bob, text: "never" });
  const [row = {}] = cluster.storage("p0").query("SELECT * FROM outbox");
  const columns = Object.keys(row);
  const values = columns.map((column) => ({ n: "printf('%016d', i)", status: "'parked'" })[column] ?? column);
  cluster.storage("p0").query(
    `INSERT INTO outbox (${columns.join(", ")}) WITH RECURSIVE numbers (i) AS
       (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${MANY})
     SELECT ${values.join(", ")} FROM outbox, numbers`,
  );
  await cluster.object(Desk, cid).send({ to: dan, text: "before" });
  cluster.crash("p0");
  await cluster.object(Desk, cid).send({ to: dan, text: "after" });
  cluster.unreachable.delete("p2");
  await cluster.clock.advance(60_000);
  expect((await cluster.object(Desk, dan).read()).got).toEqual([`${cid}: before`, `${cid}: after`]);
  cluster.stop();
});
