import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { DEFAULT_CRONS, tasksOf } from "../../workers/cron.ts";

const { triggers } = parse(readFileSync(join(import.meta.dirname, "../../wrangler.toml"), "utf8")) as {
  triggers: { crons: string[] };
};

test("[HOST3] the default deployment's crons are for one task each, and every task has one", () => {
  expect(triggers.crons.map((cron) => tasksOf(DEFAULT_CRONS, cron))).toEqual([["reconcile"], ["wake"], ["cleanUp"]]);
});

test("[HOST3] an author's own cron is for nothing", () => {
  for (const cron of ["*/5 * * * *", "0 0 * * *", "", " * * * * *"]) expect(tasksOf(DEFAULT_CRONS, cron)).toEqual([]);
});

test("[HOST3] crons may be others, and one for several tasks", () => {
  const crons = { reconcile: "*/10 * * * *", wake: "0 * * * *", cleanUp: "0 * * * *" };
  expect(tasksOf(crons, "*/10 * * * *")).toEqual(["reconcile"]);
  expect(tasksOf(crons, "0 * * * *")).toEqual(["wake", "cleanUp"]);
  expect(tasksOf(crons, "* * * * *")).toEqual([]);
});
