import { Cron } from "croner";
import { DEFAULT_CRONS } from "../../workers/cron.ts";
import type { Site } from "./site.ts";

/** A kind of work whose bill is made. */
export interface Work {
  readonly name: string;
  /** It comes alone, so its bill has the time that everything is awake afterwards; a call in traffic shares that. */
  readonly alone?: boolean;
  /** Done before counting. */
  prepare?(site: Site): Promise<void>;
  /** Does it, and says how many units that was. */
  run(site: Site): Promise<number>;
  /** The same by hand, on one Durable Object an object. */
  bare?(site: Site): Promise<number>;
}

const CALLS = 500;
const BATCH = 100;
const NEIGHBOURS = 100;
const SHARD = 7;
const EXPRESSIONS = Object.values(DEFAULT_CRONS).filter((expression) => expression !== undefined);
const MINUTE = 60_000;
const ADD = { request: { by: 1 } };
/** All on one partition, so that batches and neighbours stay there. */
const id = (name: string) => `partition#p0/${name}`;
const path = (action: string, type: string, name: string, method = "") =>
  `/api/v1/objects/${action}/${type}/${encodeURIComponent(name)}${method === "" ? "" : `/${method}`}`;

let keys = 0;
const key = () => ({ "idempotency-key": `cost-${++keys}` });

async function each(count: number, one: (index: number) => Promise<unknown>): Promise<number> {
  for (let index = 0; index < count; index++) await one(index);
  return count;
}

function call(name: string, method: string, headers?: () => Readonly<Record<string, string>>) {
  return (site: Site) =>
    each(CALLS, (at) =>
      site.post(path("call", "Counter", id(`${name}${at}`), method), method === "add" ? ADD : {}, headers?.()),
    );
}

function batch(reliable: boolean) {
  const item = (at: number) => ({ type: "Counter", id: id(`c${at}`), method: "add", ...ADD });
  const items = () =>
    Array.from({ length: BATCH }, (_, at) => (reliable ? { ...item(at), callId: `cost-${++keys}` } : item(at)));
  return async (site: Site) => {
    await each(CALLS / BATCH, () => site.post("/api/v1/objects/batch", { calls: items() }));
    return CALLS;
  };
}

function lifecycle(action: "create" | "delete") {
  return (site: Site) => each(CALLS, (at) => site.post(path(action, "Counter", id(`made${at}`))));
}

function neighbours(partition: string) {
  return async (site: Site) => {
    const request = { prefix: `partition#${partition}/n`, count: NEIGHBOURS, method: "add" };
    await each(10, () => site.post(path("call", "Hub", id("hub"), "inTurn"), { request }));
    return 10 * NEIGHBOURS;
  };
}

/** What a hub sends is delivered before the next request, or soon after it. */
function tells(partition: string) {
  return async (site: Site) => {
    const request = { prefix: `partition#${partition}/s`, count: NEIGHBOURS };
    await each(10, () => site.post(path("call", "Hub", id("hub"), "tell"), { request }));
    await site.pass(1_000);
    return 10 * NEIGHBOURS;
  };
}

function bare(what: string, name = "c", headers?: () => Readonly<Record<string, string>>, query = "") {
  return (site: Site) => each(CALLS, (at) => site.post(`/bare/${what}/${name}${at}${query}`, {}, headers?.()));
}

async function bareMany(site: Site, what: string, count: number, times: number): Promise<number> {
  await each(times, () => site.post(`/bare/${what}/n?count=${count}`));
  return count * times;
}

async function moveShard(site: Site): Promise<number> {
  const { partition } = await site.admin<{ partition: string }>(`shards/${SHARD}`);
  await site.admin(`shards/${SHARD}/move`, { partition: partition === "p0" ? "p1" : "p0" });
  for (let step = 0; step < 600; step++) {
    await site.pass(100);
    const { moves } = await site.admin<{ moves: { phase: string }[] }>(`moves?shard=${SHARD}&limit=1`);
    if (moves[0]?.phase === "done") return 1;
  }
  throw new Error("The move did not end within a minute of the meter's clock");
}

/** An hour in which nobody calls: its crons, alarms and timers. */
async function idleHour(site: Site): Promise<number> {
  const from = new Date("2026-11-21T12:00:00Z");
  const crons = EXPRESSIONS.flatMap((expression) =>
    new Cron(expression, { timezone: "UTC", startAt: from })
      .nextRuns(60, from)
      .map((time) => ({ expression, at: time.getTime() - from.getTime() }))
      .filter(({ at }) => at <= 60 * MINUTE),
  );
  crons.sort((one, other) => one.at - other.at);
  let now = 0;
  for (const { expression, at } of crons) {
    await site.pass(at - now);
    now = at;
    await site.cron(expression);
  }
  await site.pass(60 * MINUTE - now);
  return 1;
}

const cron = (expression: string) => async (site: Site) => {
  await site.cron(expression);
  return 1;
};

export const WORKS: readonly Work[] = [
  {
    name: "first touch",
    run: call("c", "add"),
    bare: bare("add"),
  },
  { name: "durable call", run: call("c", "add"), bare: bare("add") },
  { name: "readonly call", run: call("c", "get"), bare: bare("get") },
  {
    name: "durable calls in batches of 100",
    run: batch(false),
    bare: (site) => bareMany(site, "batch", BATCH, CALLS / BATCH),
  },
  {
    name: "neighbour calls of the same partition",
    prepare: async (site) => void (await neighbours("p0")(site)),
    run: neighbours("p0"),
    bare: (site) => bareMany(site, "neighbours", NEIGHBOURS, 10),
  },
  {
    name: "neighbour calls of another partition",
    prepare: async (site) => void (await neighbours("p1")(site)),
    run: neighbours("p1"),
    bare: (site) => bareMany(site, "neighbours", NEIGHBOURS, 10),
  },
  { name: "deliveries within the partition, 100 sent in a turn", run: tells("p0") },
  { name: "deliveries to another partition, 100 sent in a turn", run: tells("p1") },
  {
    name: "call that writes 10 rows of its store",
    run: (site) =>
      each(CALLS, (at) => site.post(path("call", "Shelf", id(`s${at % 10}`), "fill"), { request: { rows: 10 } })),
    bare: (site) => each(CALLS, (at) => site.post(`/bare/fill/s${at % 10}?count=10`)),
  },
  { name: "create", run: lifecycle("create"), bare: bare("add", "made") },
  { name: "delete", run: lifecycle("delete"), bare: bare("remove", "made") },
  {
    name: "reliable call, write-behind",
    prepare: async (site) => void (await bare("addOnce", "c", key)(site)),
    run: call("c", "add", key),
    bare: bare("addOnce", "c", key),
  },
  {
    name: "reliable call, write-ahead",
    run: call("c", "add", () => ({ ...key(), "edgeverse-log": "write-ahead" })),
  },
  {
    name: "reliable call, respond-async",
    run: call("c", "add", () => ({ ...key(), prefer: "respond-async" })),
  },
  { name: "reliable calls in batches of 100", run: batch(true) },
  {
    name: "move of a shard with 1,000 objects",
    alone: true,
    prepare: async (site) => {
      const calls = Array.from({ length: 1_000 }, (_, at) => ({
        type: "Counter",
        id: `shard#${SHARD}/m${at}`,
        method: "add",
        ...ADD,
      }));
      await site.post("/api/v1/objects/batch", { calls });
      await site.pass(MINUTE);
    },
    run: moveShard,
  },
  { name: "an idle hour, crons included", alone: true, run: idleHour },
  { name: "cron: wake", alone: true, run: cron(DEFAULT_CRONS.wake) },
  { name: "cron: clean up", alone: true, run: cron(DEFAULT_CRONS.cleanUp) },
];
