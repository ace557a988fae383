import { expect, test } from "vitest";
import { Desk, desks } from "./outbox-fixture.ts";

test("[CALL7] a call that is sent runs once its turn has committed, and leaves only the receiver's mark", async () => {
  const { cluster, rows, settled } = desks();
  const callId = await cluster.object(Desk, "ann").send({ to: "bob", text: "hello" });
  await settled();
  expect(await cluster.object(Desk, "bob").read()).toMatchObject({ got: ["ann: hello"] });
  expect(rows()).toEqual([]);
  const marks = cluster.storage("p0").query<{ id: string; call_id: string }>("SELECT id, call_id FROM marks");
  expect(marks).toEqual([{ id: "bob", call_id: callId }]);
});

test("[CALL7] a turn that fails has sent nothing, and a readonly one can't", async () => {
  const { cluster, rows, settled } = desks();
  const ann = cluster.object(Desk, "ann");
  await expect(ann.sendAndThrow({ to: "bob", text: "never" })).rejects.toMatchObject({ reason: "NO" });
  await expect(ann.peek({ to: "bob", text: "never" })).rejects.toMatchObject({ code: "INTERNAL" });
  expect(rows()).toEqual([]);
  await settled();
  expect(await cluster.object(Desk, "bob").read()).toMatchObject({ got: [] });
});

test.each([1, 3])(
  "[CALL7] calls from one object to another arrive in order, over %i partitions",
  async (partitions) => {
    const { cluster, on, settled } = desks(partitions);
    const [ann, bob] = [on("p0", "ann"), on(`p${partitions - 1}`, "bob")];
    const texts = Array.from({ length: 120 }, (_, index) => `${index}`);
    const stub = cluster.object(Desk, ann);
    await stub.sendMany({ to: bob, texts: texts.slice(0, 50) });
    await stub.sendMany({ to: bob, texts: texts.slice(50) });
    await settled();
    expect((await cluster.object(Desk, bob).read()).got).toEqual(texts.map((text) => `${ann}: ${text}`));
  },
);

test.each([1, 2])("[CALL7] the sender hears each outcome once, over %i partitions", async (partitions) => {
  const { cluster, on, settled } = desks(partitions);
  const [ann, bob] = [on("p0", "ann"), on(`p${partitions - 1}`, "bob")];
  const stub = cluster.object(Desk, ann);
  for (const text of ["fine", "refuse", "throw"]) await stub.sendAndHear({ to: bob, text });
  await settled();
  expect((await stub.read()).outcomes.sort()).toEqual(["failed INTERNAL", "failed REFUSED", 'success {"got":1}']);
});

test("[CALL7] a delayed call leaves when its time has come, also after the process has ended", async () => {
  const { cluster, settled, rows } = desks();
  const bob = cluster.object(Desk, "bob");
  await cluster.object(Desk, "ann").send({ to: "bob", text: "later", delay: 3_600_000 });
  await cluster.object(Desk, "ann").send({ to: "bob", text: "now" });
  await cluster.clock.advance(3_000_000);
  expect([(await bob.read()).got, rows()]).toEqual([["ann: now"], ["waiting"]]);
  cluster.crash("p0");
  await cluster.clock.advance(600_000);
  await settled(1_000);
  expect((await bob.read()).got).toEqual(["ann: now", "ann: later"]);
});

test("[CALL7] a delayed call stands behind what was sent meanwhile, also after the process has ended", async () => {
  const { cluster, on, settled } = desks(2);
  const [ann, bob] = [on("p0", "ann"), on("p1", "bob")];
  cluster.unreachable.add("p1");
  const stub = cluster.object(Desk, ann);
  await stub.send({ to: bob, text: "delayed", delay: 5_000 });
  await stub.send({ to: bob, text: "at once" });
  await cluster.clock.advance(6_000);
  await stub.send({ to: bob, text: "later" });
  cluster.crash("p0");
  // What the last process has sent is answered by then.
  await cluster.clock.advance(20_000);
  cluster.unreachable.delete("p1");
  await settled();
  const expected = ["at once", "delayed", "later"].map((text) => `${ann}: ${text}`);
  expect((await cluster.object(Desk, bob).read()).got).toEqual(expected);
});

test("[CALL7] a partition whose messages wait for a silent one is woken less and less", async () => {
  const { cluster, on } = desks(2);
  const [ann, bob] = [on("p0", "ann"), on("p1", "bob")];
  cluster.unreachable.add("p1");
  await cluster.object(Desk, ann).sendMany({ to: bob, texts: ["one", "two"] });
  const storage = cluster.storage("p0");
  const wakeAt = storage.wakeAt.bind(storage);
  const wakeUps = new Set<number>();
  storage.wakeAt = (time) => {
    if (time !== null) wakeUps.add(time);
    wakeAt(time);
  };
  await cluster.clock.advance(600_000);
  // It is tried once in half a minute by then.
  expect(wakeUps.size).toBeLessThan(60);
  cluster.stop();
});

test("[CALL7] [CALL8] a call that is not accepted in time ends as expired, and never runs", async () => {
  const { cluster, on, settled } = desks(2);
  const [ann, bob] = [on("p0", "ann"), on("p1", "bob")];
  cluster.unreachable.add("p1");
  const stub = cluster.object(Desk, ann);
  await stub.sendAndHear({ to: bob, text: "urgent", expiresIn: 5_000 });
  await cluster.clock.advance(20_000);
  cluster.unreachable.delete("p1");
  await settled();
  expect((await stub.read()).outcomes).toEqual(["expired EXPIRED"]);
  expect((await cluster.object(Desk, bob).read()).got).toEqual([]);
});

test("[CALL7] a partition that is away holds up only what is for it", async () => {
  const { cluster, on, settled } = desks(3);
  const [ann, bob, cid] = [on("p0", "ann"), on("p1", "bob"), on("p2", "cid")];
  cluster.unreachable.add("p1");
  const stub = cluster.object(Desk, ann);
  for (let index = 0; index < 300; index++) await stub.sendMany({ to: `${bob}-${index}`, texts: ["x"] });
  await stub.send({ to: bob, text: "to bob" });
  await stub.send({ to: cid, text: "to cid" });
  await cluster.clock.advance(2_000);
  expect((await cluster.object(Desk, cid).read()).got).toEqual([`${ann}: to cid`]);
  cluster.unreachable.delete("p1");
  await settled();
  expect((await cluster.object(Desk, bob).read()).got).toEqual([`${ann}: to bob`]);
});

test("[CALL7] what was sent survives the end of the sender's process, and of the receiver's, at any commit", async () => {
  for (const afterCommits of [0, 1, 2, 3, 4, 5, 6]) {
    const { cluster, on, settled } = desks(2);
    const [ann, bob] = [on("p0", "ann"), on("p1", "bob")];
    const stub = cluster.object(Desk, ann);
    await stub.read();
    await cluster.object(Desk, bob).read();
    cluster.crash("p0", { afterCommits });
    cluster.crash("p1", { afterCommits });
    const callId = `call-${afterCommits}`;
    await cluster
      .object(Desk, ann, { callId })
      .sendAndHear({ to: bob, text: "once" })
      .catch(() => undefined);
    await cluster.clock.advance(60_000);
    await cluster.object(Desk, ann, { callId }).sendAndHear({ to: bob, text: "once" });
    await settled();
    expect((await cluster.object(Desk, bob).read()).got).toEqual([`${ann}: once`]);
    expect((await stub.read()).outcomes).toEqual(['success {"got":1}']);
    cluster.stop();
  }
});

test("[CALL7] [MIG3] what an object has to send moves with it, and arrives in order", async () => {
  const { cluster, on, rows, settled } = desks(3);
  const [ann, bob] = [on("p0", "ann"), on("p1", "bob")];
  cluster.unreachable.add("p1");
  const stub = cluster.object(Desk, ann);
  const texts = Array.from({ length: 40 }, (_, index) => `${index}`);
  await stub.sendMany({ to: bob, texts: texts.slice(0, 20) });
  await stub.send({ to: bob, text: "late", delay: 100_000 });
  expect(rows()).toHaveLength(21);
  await cluster.move(Desk, ann, { to: "p2" });
  cluster.unreachable.delete("p1");
  await stub.sendMany({ to: bob, texts: texts.slice(20) });
  await cluster.move(Desk, bob, { to: "p0" });
  await cluster.clock.advance(110_000);
  await settled();
  const expected = [...texts, "late"].map((text) => `${ann}: ${text}`);
  expect((await cluster.object(Desk, bob).read()).got).toEqual(expected);
  expect(rows()).toEqual([]);
});

test("[CALL7] a method that is internal is called by objects alone", async () => {
  const { cluster } = desks();
  const outcome = { callId: "c", status: "success", response: 1 } as const;
  const client = cluster.object(Desk, "ann", { identity: null });
  await expect(client.heard(outcome)).rejects.toMatchObject({ code: "METHOD_NOT_FOUND" });
});

test("[CALL7] a request that does not fit is refused as it is sent", async () => {
  const { cluster, rows } = desks();
  await expect(cluster.object(Desk, "ann").sendUnfit({ to: "bob" })).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
  });
  expect(rows()).toEqual([]);
});

test("[CALL7] what waits to be delivered is bounded in bytes", async () => {
  const { cluster, on, rows, settled } = desks(2, { outbox: 1_000_000 });
  const [ann, bob] = [on("p0", "ann"), on("p1", "bob")];
  cluster.unreachable.add("p1");
  const stub = cluster.object(Desk, ann);
  for (let index = 0; index < 4; index++) await stub.sendLarge({ to: bob, bytes: 200_000 });
  await expect(stub.sendLarge({ to: bob, bytes: 200_000 })).rejects.toMatchObject({ code: "OVERLOADED" });
  expect(rows()).toHaveLength(4);
  const many = desks().cluster.object(Desk, "ann").sendLarge({ to: "bob", bytes: 1, times: 1_001 });
  await expect(many).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
  cluster.unreachable.delete("p1");
  await settled();
  await stub.sendLarge({ to: bob, bytes: 200_000 });
  await settled();
  expect((await cluster.object(Desk, bob).read()).got).toHaveLength(5);
});
