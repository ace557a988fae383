import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { DEFAULT_CRONS, runCron, tasksOf } from "../../workers/cron.ts";

const { triggers } = parse(readFileSync(join(import.meta.dirname, "../../wrangler.toml"), "utf8")) as {
  triggers: { crons: string[] };
};

test("[HOST3] the default deployment's crons are for one task each, and none of them keeps Postgres awake", () => {
  expect(triggers.crons.map((cron) => tasksOf(DEFAULT_CRONS, cron))).toEqual([["wake"], ["cleanUp"]]);
});

test("[HOST3] an author's own cron is for nothing", () => {
  for (const cron of ["* * * * *", "*/5 * * * *", "0 0 * * *", "", " 7 * * * *"])
    expect(tasksOf(DEFAULT_CRONS, cron)).toEqual([]);
});

test("[HOST3] crons may be others, and one for several tasks", () => {
  const crons = { reconcile: "*/10 * * * *", wake: "0 * * * *", cleanUp: "0 * * * *" };
  expect(tasksOf(crons, "*/10 * * * *")).toEqual(["reconcile"]);
  expect(tasksOf(crons, "0 * * * *")).toEqual(["wake", "cleanUp"]);
  expect(tasksOf(crons, "* * * * *")).toEqual([]);
});

/** A host's services that note what they are asked for. */
function services({ log = true, cleanUp = async () => undefined as unknown } = {}) {
  const done: string[] = [];
  const note = (what: string, action?: () => Promise<unknown>) => async () => {
    done.push(what);
    await action?.();
  };
  const partitions = ["p0", "p1", "p2"];
  const parts = {
    deployment: {
      log: log ? {} : undefined,
      config: { upkeepMessages: 800 },
      coordinator: () => ({ wake: note("coordinator") }),
      connect: (name: string) => ({
        wake: note(name, name === "p1" ? () => Promise.reject(new Error("away")) : undefined),
      }),
    },
    router: { map: { partitions }, refresh: note("refresh") },
    cleanUpEvents: note("old events"),
    maintenance: { cleanUp: note("clean up", cleanUp), reconcile: note("reconcile") },
  } as unknown as Parameters<typeof runCron>[1];
  const warned: string[] = [];
  const observer = { methodThrew: () => undefined, warn: (event: string) => warned.push(event) };
  return { done, warned, run: (...tasks: Parameters<typeof runCron>[0]) => runCron(tasks, parts, observer) };
}

test("[MEM2] waking partitions asks Postgres nothing, and one that is away keeps no other asleep", async () => {
  const { done, warned, run } = services();
  await run("wake");
  expect([...done].sort()).toEqual(["coordinator", "p0", "p1", "p2", "refresh"]);
  expect(warned).toEqual(["cron could not wake partition p1"]);
});

test("[CALL9][CALL10] a cleanup reconciles as well, also when it failed, and not without a log", async () => {
  const { done, run } = services();
  await run("cleanUp");
  expect(done).toEqual(["clean up", "old events", "reconcile"]);
  const failing = services({ cleanUp: () => Promise.reject(new Error("away")) });
  await failing.run("cleanUp");
  expect([failing.done, failing.warned]).toEqual([
    ["clean up", "old events", "reconcile"],
    ["cron could not clean up"],
  ]);
  const without = services({ log: false });
  await without.run("cleanUp");
  expect(without.done).toEqual(["clean up", "old events"]);
});
