import { expect, test } from "vitest";
import { partitionClient } from "../../src/partition/client.ts";
import { PickyStorage } from "./picky-storage.ts";
import { Clock, clocks, START } from "./reminders-fixture.ts";

const SECOND = 1_000;

test("[TIME1] a reminder survives the end of the process at any commit, and calls once", async () => {
  for (let afterCommits = 0; afterCommits < 6; afterCommits++) {
    const { cluster, rang, rows } = clocks();
    const ann = cluster.object(Clock, "ann");
    await ann.read();
    cluster.crash("p0", { afterCommits });
    const callId = `set-${afterCommits}`;
    const set = () =>
      cluster.object(Clock, "ann", { callId }).set({ name: "tea", time: { at: START + 5 * SECOND }, text: "" });
    await set().catch(() => undefined);
    await cluster.clock.advance(60 * SECOND);
    await set();
    await cluster.clock.advance(60 * SECOND);
    expect([await rang("ann"), rows()]).toEqual([[`tea ${5 * SECOND}`], []]);
    cluster.stop();
  }
});

test("[TIME1] a process that ends as a call becomes due leaves it to the next, whichever commit was its last", async () => {
  for (let afterCommits = 0; afterCommits < 4; afterCommits++) {
    const { cluster, rang, rows } = clocks();
    const first = (await cluster.object(Clock, "ann").set({ name: "tick", time: { every: 30 * SECOND } })) - START;
    await cluster.clock.advance(29 * SECOND);
    cluster.crash("p0", { afterCommits });
    await cluster.clock.advance(62 * SECOND);
    expect(await rang("ann")).toEqual([0, 1, 2].map((index) => `tick ${first + index * 30 * SECOND}`));
    expect(rows()).toHaveLength(1);
    cluster.stop();
  }
});

test("[TIME1] [MIG3] reminders move with their object, also while they are set, forgotten and due", async () => {
  const { cluster, on, rows, rang } = clocks(2);
  const id = on("p0", "ann");
  const ann = cluster.object(Clock, id);
  const names = Array.from({ length: 40 }, (_, index) => `n${index}`);
  const times = names.map((_, index) => ({ at: START + (1 + index) * 50 }));
  await ann.setMany({
    settings: names.map((name, index) => ({ name, time: times[index] as { at: number }, text: "" })),
  });
  await ann.set({ name: "late", time: { at: START + 60 * SECOND } });
  await ann.set({ name: "never", time: { at: START + 60 * SECOND } });
  const moving = cluster.move(Clock, id, { to: "p1" });
  const meanwhile = Promise.all([
    ann.forgetIt({ name: "never" }),
    ann.set({ name: "new", time: { at: START + 61 * SECOND } }),
    ann.set({ name: "late", time: { at: START + 62 * SECOND } }),
  ]);
  await cluster.clock.until(Promise.all([moving, meanwhile]));
  await cluster.clock.advance(10 * SECOND);
  expect(rows("p0")).toEqual([]);
  expect(rows("p1").map(({ name }) => name)).toEqual(["new", "late"]);
  await cluster.clock.advance(60 * SECOND);
  const expected = [
    ...names.map((name, index) => `${name} ${(1 + index) * 50}`),
    `new ${61 * SECOND}`,
    `late ${62 * SECOND}`,
  ];
  expect((await rang(id)).sort()).toEqual(expected.sort());
});

test("[TIME1] what the database refuses is not set, and a call that it refuses is due again", async () => {
  const storage = new PickyStorage();
  const { cluster, rows, rang } = clocks(1, {}, (name) => (name === "p0" ? storage : new PickyStorage()));
  const ann = cluster.object(Clock, "ann");
  await expect(ann.set({ name: "bad", time: { after: SECOND }, text: "POISON" })).rejects.toMatchObject({
    code: "COMMIT_REFUSED",
  });
  expect([rows(), await ann.list()]).toEqual([[], []]);
  await ann.set({ name: "tea", time: { at: START + 2 * SECOND } });
  storage.full = true;
  await cluster.clock.advance(10 * SECOND);
  expect(rows()).toHaveLength(1);
  storage.full = false;
  await cluster.clock.advance(60 * SECOND);
  expect([await rang("ann"), rows()]).toEqual([[`tea ${2 * SECOND}`], []]);
});

test("[TIME1] a method that is no more sets its reminder aside until there is other code, and holds up nothing", async () => {
  const { cluster, rows, rang } = clocks();
  const ann = cluster.object(Clock, "ann");
  await ann.set({ name: "gone", time: { at: START + SECOND } });
  await ann.set({ name: "tea", time: { at: START + 2 * SECOND } });
  cluster.storage("p0").query("UPDATE reminders SET method = 'gone' WHERE name = 'gone'");
  await cluster.clock.advance(60 * SECOND);
  expect([await rang("ann"), rows().map(({ name }) => name)]).toEqual([[`tea ${2 * SECOND}`], ["gone"]]);
  const [row] = cluster.storage("p0").query<{ error: string }>("SELECT error FROM reminders");
  expect(row?.error).toContain("METHOD_NOT_FOUND");
  expect(cluster.warnings.map(({ event }) => event)).toEqual(["a reminder can't be taken up"]);
  expect(await partitionClient(cluster.partition("p0")).status()).toMatchObject({ reminders: 1, remindersRefused: 1 });
  cluster.storage("p0").query("UPDATE reminders SET method = 'ring'");
  await cluster.clock.advance(60 * SECOND);
  expect(await rang("ann")).toEqual([`tea ${2 * SECOND}`]);
  cluster.crash("p0");
  await ann.read();
  await cluster.clock.advance(10 * SECOND);
  expect(await rang("ann")).toEqual([`tea ${2 * SECOND}`, `gone ${SECOND}`]);
});

test("[TIME1] what is set aside is looked at again within an hour", async () => {
  const { cluster, rows, rang } = clocks();
  await cluster.object(Clock, "ann").set({ name: "gone", time: { at: START + SECOND } });
  cluster.storage("p0").query("UPDATE reminders SET method = 'gone'");
  await cluster.clock.advance(10 * SECOND);
  cluster.storage("p0").query("UPDATE reminders SET method = 'ring'");
  await cluster.clock.advance(3_600 * SECOND);
  expect([await rang("ann"), rows()]).toEqual([[`gone ${SECOND}`], []]);
});

test("[TIME6] an object has a thousand reminders at most, and a partition so many bytes", async () => {
  const { cluster } = clocks(1, { reminders: 600_000 });
  const ann = cluster.object(Clock, "ann");
  const settings = Array.from({ length: 1_000 }, (_, index) => ({ name: `n${index}`, time: { after: 1e9 }, text: "" }));
  await ann.setMany({ settings });
  await expect(ann.set({ name: "more", time: { after: 1e9 } })).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
  await ann.set({ name: "n7", time: { after: 2e9 } });
  const large = cluster.object(Clock, "bob").set({ name: "x", time: { after: 1e9 }, text: "x".repeat(100_000) });
  await expect(large).rejects.toMatchObject({ code: "OVERLOADED" });
  await ann.forgetIt({ name: "n7" });
  await ann.set({ name: "more", time: { after: 1e9 } });
});

test("[TIME1] what could not be called is refused where it is set", async () => {
  const { cluster, rows } = clocks();
  const ann = cluster.object(Clock, "ann");
  const time = { after: 0 };
  await expect(ann.setWrong({ method: "rung", time })).rejects.toMatchObject({ code: "METHOD_NOT_FOUND" });
  await expect(ann.setWrong({ method: "ring", time, text: 5 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  await expect(ann.setWrong({ method: "read", time })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  await expect(ann.setWrong({ name: "a b", method: "ring", time, text: "" })).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
  });
  expect(rows()).toEqual([]);
});

test("[TIME1] the size is right after sets, resets, calls, deletions and moves", async () => {
  const { cluster, on, rows } = clocks(2);
  const id = on("p0", "ann");
  const ann = cluster.object(Clock, id);
  for (const text of ["short", "a longer one"]) await ann.set({ name: "a", time: { after: 1e9 }, text });
  await ann.set({ name: "b", time: { after: SECOND } });
  await cluster.clock.advance(2 * SECOND);
  await cluster.clock.until(cluster.move(Clock, id, { to: "p1" }));
  await cluster.clock.advance(10 * SECOND);
  const size = (name: string) => cluster.storage(name).query("SELECT rows, bytes FROM reminder_size");
  expect([rows("p0"), size("p0")]).toEqual([[], [{ rows: 0, bytes: 0 }]]);
  expect(size("p1")).toEqual([{ rows: 1, bytes: JSON.stringify({ text: "a longer one" }).length }]);
  await cluster.delete(Clock, id);
  expect(size("p1")).toEqual([{ rows: 0, bytes: 0 }]);
});

test("[TIME1] a reminder goes on after a due time whose call came from the log first", async () => {
  const { cluster, rang } = clocks();
  await cluster.object(Clock, "ann").set({ name: "tea", time: { every: 60_000 } });
  const [row] = cluster.storage("p0").query<{ setting: string; due: number }>("SELECT setting, due FROM reminders");
  const callId = `${row?.setting}.${row?.due}`;
  const message = cluster.message("Clock", "ann", "ring", { text: "" }, { callId });
  await cluster.clock.until(cluster.router.call({ ...message, reliable: { callId, answer: "outcome" } }));
  await cluster.clock.advance(200_000);
  expect(await rang("ann")).toEqual(["undefined NaN missed undefined", "tea 120000", "tea 180000"]);
});
