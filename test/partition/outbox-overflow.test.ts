import type { TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { Desk, desks } from "./outbox-fixture.ts";

/** More messages than are kept in memory. */
const MANY = 11_000;

const texts = Array.from({ length: 200 }, (_, index) => `${index}`);

/** Multiplies the message that the partition has: all are the same call, so that its receiver runs one. */
function multiply(cluster: TestCluster, partition: string, status: "waiting" | "parked"): void {
  const [row = {}] = cluster.storage(partition).query("SELECT * FROM outbox");
  const columns = Object.keys(row);
  const values = columns.map((column) => ({ n: "printf('%016d', i)", status: `'${status}'` })[column] ?? column);
  cluster.storage(partition).query(
    `INSERT INTO outbox (${columns.join(", ")}) WITH RECURSIVE numbers (i) AS
       (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${MANY})
     SELECT ${values.join(", ")} FROM outbox, numbers`,
  );
  cluster.crash(partition);
}

test("[CALL7] messages that wait for silent partitions hold up none to others, however many they are", {
  timeout: 120_000,
}, async () => {
  const { cluster, on } = desks(4);
  const [ann, bob, cid] = [on("p0", "ann"), on("p1", "bob"), on("p2", "cid")];
  cluster.unreachable.add("p1").add("p2");
  await cluster.object(Desk, ann).send({ to: bob, text: "never" });
  multiply(cluster, "p0", "waiting");
  for (let index = 0; index < 10; index++) {
    await cluster.object(Desk, ann).sendMany({ to: cid, texts: Array.from({ length: 600 }, () => "never") });
  }
  const [dan, eve] = [on("p0", "dan"), on("p3", "eve")];
  await cluster.object(Desk, dan).sendMany({ to: eve, texts });
  await cluster.object(Desk, dan).sendMany({ to: dan, texts });
  await cluster.clock.advance(3_000);
  expect((await cluster.object(Desk, eve).read()).got).toEqual(texts.map((text) => `${dan}: ${text}`));
  expect((await cluster.object(Desk, dan).read()).got).toEqual(texts.map((text) => `${dan}: ${text}`));
  cluster.crash("p0");
  await cluster.object(Desk, dan).send({ to: eve, text: "after" });
  await cluster.clock.advance(20_000);
  expect((await cluster.object(Desk, eve).read()).got.at(-1)).toBe(`${dan}: after`);
  cluster.stop();
});

test("[CALL7] what did not fit in memory follows in order, whatever ends or moves meanwhile", {
  timeout: 120_000,
}, async () => {
  const { cluster, on, settled } = desks(3);
  const [ann, bob] = [on("p0", "ann"), on("p1", "bob")];
  cluster.unreachable.add("p1");
  const stub = cluster.object(Desk, ann);
  await stub.send({ to: bob, text: "first" });
  multiply(cluster, "p0", "waiting");
  await stub.sendMany({ to: bob, texts });
  // Another partition takes half of the memory.
  await stub.sendMany({ to: on("p2", "cid"), texts: ["x"] });
  await cluster.clock.advance(1_000);
  cluster.unreachable.delete("p1");
  await cluster.clock.advance(3_000);
  await stub.send({ to: bob, text: "later" });
  cluster.crash("p0");
  await cluster.clock.advance(2_000);
  await cluster.move(Desk, ann, { to: "p2" });
  await stub.send({ to: bob, text: "last" });
  await settled();
  const expected = ["first", ...texts, "later", "last"].map((text) => `${ann}: ${text}`);
  expect((await cluster.object(Desk, bob).read()).got).toEqual(expected);
  cluster.stop();
});

test("[CALL7] calls that were set aside hold up no other, however many there are", async () => {
  const { cluster, on } = desks(3);
  const [ann, bob, cid, dan] = [on("p0", "ann"), on("p1", "bob"), on("p0", "cyd"), on("p2", "dan")];
  cluster.unreachable.add("p1").add("p2");
  await cluster.object(Desk, ann).send({ to: bob, text: "never" });
  multiply(cluster, "p0", "parked");
  await cluster.object(Desk, cid).send({ to: dan, text: "before" });
  cluster.crash("p0");
  await cluster.object(Desk, cid).send({ to: dan, text: "after" });
  cluster.unreachable.delete("p2");
  await cluster.clock.advance(60_000);
  expect((await cluster.object(Desk, dan).read()).got).toEqual([`${cid}: before`, `${cid}: after`]);
  cluster.stop();
});
