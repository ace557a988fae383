import { expect, test } from "vitest";
import { Clock, clocks, START } from "./reminders-fixture.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

test("[TIME1] a reminder calls its method once, when it is due", async () => {
  const { cluster, rows, rang } = clocks();
  const ann = cluster.object(Clock, "ann");
  const due = await ann.set({ name: "tea", time: { after: 5 * SECOND } });
  expect(await ann.list()).toEqual([{ name: "tea", due }]);
  await cluster.clock.advance(due - cluster.clock.now() - 1);
  expect(await rang("ann")).toEqual([]);
  await cluster.clock.advance(SECOND);
  expect(await rang("ann")).toEqual([`tea ${due - START}`]);
  expect([rows(), await ann.list()]).toEqual([[], []]);
  await cluster.clock.advance(HOUR);
  expect(await rang("ann")).toHaveLength(1);
});

test("[TIME1] its call is reliable, and made by the object itself", async () => {
  const { cluster } = clocks();
  const due = await cluster.object(Clock, "ann").set({ name: "tea", time: { after: 5 * SECOND } });
  await cluster.clock.advance(6 * SECOND);
  const marks = cluster
    .storage("p0")
    .query<{ call_id: string; method: string; status: string }>("SELECT call_id, method, status FROM marks");
  expect(marks).toEqual([{ call_id: expect.stringMatching(`\\.${due}$`), method: "ring", status: "success" }]);
});

test("[TIME1] a time that has passed is due at once", async () => {
  const { cluster, rang } = clocks();
  await cluster.object(Clock, "ann").set({ name: "past", time: { at: START - HOUR } });
  await cluster.clock.advance(10);
  expect(await rang("ann")).toEqual([`past ${-HOUR}`]);
});

test("[TIME1] reminders commit with their turn: one that fails has set none, and a readonly one can't", async () => {
  const { cluster, rows } = clocks();
  const ann = cluster.object(Clock, "ann");
  await expect(ann.setAndThrow({ name: "x", time: { after: 0 } })).rejects.toMatchObject({ reason: "NO" });
  await expect(ann.peek({ name: "x", time: { after: 0 } })).rejects.toMatchObject({ code: "INTERNAL" });
  await cluster.clock.advance(SECOND);
  expect([rows(), await ann.read()]).toEqual([[], []]);
});

test("[TIME2] a turn sees what it has set and forgotten, and what turns before it have", async () => {
  const { cluster } = clocks();
  const ann = cluster.object(Clock, "ann");
  const turns = await Promise.all([
    ann.turn({ name: "b", time: { after: HOUR } }),
    ann.turn({ name: "a", time: { after: 2 * HOUR } }),
    ann.forgetIt({ name: "b" }),
    ann.list(),
  ]);
  expect(turns).toEqual([
    { before: [], set: ["b"], forgotten: [true, false], after: ["b"] },
    { before: ["b"], set: ["b", "a"], forgotten: [true, false], after: ["b", "a"] },
    true,
    [{ name: "a", due: expect.any(Number) }],
  ]);
  expect(await ann.forgetIt({ name: "b" })).toBe(false);
});

test("[TIME2] one that is set again takes the place of the one with its name, and one that is forgotten never calls", async () => {
  const { cluster, rang } = clocks();
  const ann = cluster.object(Clock, "ann");
  await ann.set({ name: "tea", time: { after: SECOND } });
  await ann.set({ name: "tea", time: { at: START + 5 * SECOND } });
  await ann.set({ name: "coffee", time: { after: SECOND } });
  await ann.forgetIt({ name: "coffee" });
  await cluster.clock.advance(HOUR);
  expect(await rang("ann")).toEqual([`tea ${5 * SECOND}`]);
});

test("[TIME2] a method may set its own reminder again, or forget it", async () => {
  const { cluster, rang } = clocks();
  const ann = cluster.object(Clock, "ann");
  await ann.set({ name: "again", time: { at: START + SECOND }, text: "again" });
  await ann.set({ name: "stop", time: { every: SECOND }, text: "stop" });
  await cluster.clock.advance(3_900);
  expect((await rang("ann")).map((line) => line.split(" ")[0]).sort()).toEqual(["again", "again", "again", "stop"]);
});

test("[TIME3] every: by its own times, however late the calls are", async () => {
  const { cluster, rang } = clocks();
  const ann = cluster.object(Clock, "ann");
  const first = (await ann.set({ name: "tick", time: { every: 1_500 } })) - START;
  await cluster.clock.advance(5_000);
  expect(await rang("ann")).toEqual([0, 1, 2].map((index) => `tick ${first + index * 1_500}`));
});

test("[TIME4] after downtime a reminder calls once, with the number of due times that it missed", async () => {
  const { cluster, again } = clocks();
  const ann = cluster.object(Clock, "ann");
  const first = (await ann.set({ name: "tick", time: { every: 10 * SECOND } })) - START;
  await ann.set({ name: "hourly", time: { cron: "0 * * * *" } });
  await ann.set({ name: "once", time: { at: START + 20 * SECOND } });
  cluster.stop();
  const later = again(START + 10 * HOUR + 5 * SECOND);
  await later.cluster.object(Clock, "other").read();
  await later.cluster.clock.advance(10 * SECOND);
  expect((await later.rang("ann")).sort()).toEqual([
    `hourly ${HOUR} missed 9`,
    `once ${20 * SECOND}`,
    `tick ${first} missed 3599`,
    `tick ${first + 10 * HOUR}`,
  ]);
});

/** A reminder whose last call is parked: what is due meanwhile is held back. */
async function heldBack() {
  const { cluster, rang, rows } = clocks();
  const ann = cluster.object(Clock, "ann");
  await ann.set({ name: "tick", time: { every: SECOND } });
  cluster.storage("p0").query(
    `INSERT INTO pending SELECT position, type, id, setting || '.' || (due - 1000), 1, 'parked', 'ring', 'h', NULL, NULL, NULL, 1, 1, 0, NULL,
       'write-behind', 0, 0, NULL, NULL FROM reminders`,
  );
  cluster.storage("p0").query("UPDATE reminders SET last = due - 1000");
  await cluster.clock.advance(10 * SECOND);
  expect(await rang("ann")).toEqual([]);
  return { cluster, rang, rows, ann };
}

test("[TIME2] [TIME5] forgetting one that is held back stops it: it is in no line yet", async () => {
  const { cluster, rang, rows, ann } = await heldBack();
  expect(await ann.forgetIt({ name: "tick" })).toBe(true);
  cluster.storage("p0").query("DELETE FROM pending");
  await cluster.clock.advance(60 * SECOND);
  expect([await rang("ann"), rows()]).toEqual([[], []]);
});

test("[TIME5] a call that is due while the one before has not ended is missed", async () => {
  const { cluster, rang, rows } = await heldBack();
  cluster.storage("p0").query("DELETE FROM pending");
  await cluster.clock.advance(20 * SECOND);
  expect((await rang("ann"))[0]).toMatch(/^tick \d+ missed [1-9]/);
  expect(rows()).toHaveLength(1);
});

test("[TIME1] a method that refuses or fails ends its call, and the next is due all the same", async () => {
  const { cluster, rows } = clocks();
  const ann = cluster.object(Clock, "ann");
  await ann.set({ name: "no", time: { every: SECOND }, text: "refuse" });
  await ann.set({ name: "bug", time: { every: SECOND }, text: "throw" });
  await cluster.clock.advance(3_900);
  const ended = cluster.storage("p0").query<{ status: string }>("SELECT status FROM marks");
  expect(ended.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => "failed"));
  expect(rows()).toHaveLength(2);
});

test("[TIME1] [LIFE3] a deleted object has no reminders, whatever it set before or in the same turn", async () => {
  const { cluster, rows } = clocks();
  const ann = cluster.object(Clock, "ann");
  await ann.set({ name: "a", time: { after: HOUR } });
  await Promise.all([
    ann.set({ name: "b", time: { after: HOUR } }),
    ann.leave({ first: { name: "c", time: { after: HOUR }, text: "" } }),
    ann.set({ name: "d", time: { after: HOUR } }),
  ]);
  expect(rows().map(({ name }) => name)).toEqual(["d"]);
  await cluster.delete(Clock, "ann");
  expect([rows(), await ann.list()]).toEqual([[], []]);
});

test("[TIME1] a thousand that are due at one moment call once each, and callers go on meanwhile", async () => {
  const { cluster } = clocks();
  const settings = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ name: `n${index}`, time: { at: START + HOUR }, text: "" }));
  for (const id of ["a", "b", "c"]) await cluster.object(Clock, id).setMany({ settings: settings(350) });
  await cluster.clock.advance(START + HOUR - cluster.clock.now() - 5);
  const before = cluster.partition("p0");
  const core = await before.core();
  const commits = core.commit.stats.commits;
  await cluster.clock.advance(5);
  const answered = cluster.object(Clock, "other").read();
  await cluster.clock.advance(SECOND);
  expect(await answered).toEqual([]);
  for (const id of ["a", "b", "c"]) expect(await cluster.object(Clock, id).read()).toHaveLength(350);
  expect(core.commit.stats.commits - commits).toBeGreaterThan(10);
  expect(core.work.reminders.stats.fired).toBe(1_050);
});
