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
