import { expect, test } from "vitest";
import { Desk, desks } from "./outbox-fixture.ts";

test("[CALL7] a message that is delivered while the table is read is not taken in again", async () => {
  const { cluster, on, settled } = desks(2);
  const [ann, bob] = [on("p0", "ann"), on("p1", "bob")];
  const { outbox } = (await cluster.partition("p0").core()).work;
  const storage = cluster.storage("p0");
  let read = false;
  // A shard comes in the commit that removes the message: its row is read once more, right before it goes.
  storage.onQuery = (sql) => {
    if (!sql.startsWith("DELETE FROM outbox") || read) return;
    read = true;
    outbox.resume();
  };
  await cluster.object(Desk, ann).send({ to: bob, text: "once" });
  await settled();
  await cluster.clock.advance(100);
  expect(read).toBe(true);
  expect(outbox.pending).toBe(0);
  expect((await cluster.object(Desk, bob).read()).got).toEqual([`${ann}: once`]);
});
