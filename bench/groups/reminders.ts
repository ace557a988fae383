import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuTime } from "../cpu-time.ts";
import type { Fact, FactGroup } from "../group.ts";
import { type Host, ROOT } from "../host.ts";
import { median } from "../median.ts";
import { residentMiB } from "../resident.ts";

/** As many as an object may have. */
const EACH = 1_000;
const SLEEPING = 1_000_000;
const DUE = 50_000;
/** Reminders of a million take more than one partition may keep. */
const PARTITIONS = 4;
/** Ms from when the last is set to when all are due, and of one that is due among the others. */
const AHEAD = 2_000;
const WAKE_UPS = 5;
/** Reminders that come due while others call their partition, and how long they call, ms, with and without them. */
const BESIDE = { count: 1_000, ms: 1_000, callers: 4, times: 5 };
const DAY = 86_400_000;

/** What reminders cost while none is due, and how fast many are that are due at one moment. */
export const remindersGroup: FactGroup = {
  kind: "facts",
  name: "reminders",
  title: "Reminders",
  async measure(context) {
    const { quick } = context.options;
    const host = await context.host({ partitions: PARTITIONS, config: join(ROOT, "bench/wrangler.toml") });
    try {
      const rate = await dueAtOnce(host, quick ? EACH : DUE);
      const beside = await besideCallers(host, quick ? 1 : BESIDE.times);
      await sleep(quick ? 0 : 10_000);
      const count = quick ? 10 * EACH : SLEEPING;
      const memory = residentMiB(host.workerdPid);
      const started = performance.now();
      for (let object = 0; object < count / EACH; object++)
        await fallAsleep(host, `s${object}`, EACH, Date.now() + DAY);
      const seconds = (performance.now() - started) / 1_000;
      await sleep(quick ? 500 : 10_000);
      const after = residentMiB(host.workerdPid);
      const idle = await busy(host, quick ? 1_000 : 10_000);
      const late: number[] = [];
      for (let time = 0; time < (quick ? 1 : WAKE_UPS); time++) late.push(await oneAmongThem(host, time));
      return [
        { name: "due at one moment in one partition, called per second", value: rate, unit: "/s" },
        ...beside,
        { name: "sleeping", value: count, unit: "" },
        { name: "set per second, a thousand in a turn, one turn after the other", value: count / seconds, unit: "/s" },
        { name: "workerd before they were set", value: memory, unit: "MiB" },
        { name: "workerd while they sleep", value: after, unit: "MiB" },
        { name: "processor time while they sleep", value: idle, unit: "ms/s" },
        { name: "one that is due among them calls late by, p50", value: median(late), unit: "ms" },
      ];
    } finally {
      await host.stop();
    }
  },
};

/** How long callers of other objects of the partition wait, in seconds in which a thousand come due and in others, in turn. */
async function besideCallers(host: Host, times: number): Promise<Fact[]> {
  const waits: Record<"with" | "without", number[]> = { with: [], without: [] };
  for (let time = 0; time < times; time++) {
    waits.without.push(...(await waitsOfCallers(host)));
    const id = `partition#p0/beside${time}`;
    const at = Date.now() + AHEAD;
    await fallAsleep(host, id, BESIDE.count, at);
    await sleep(at - Date.now() - BESIDE.ms / 4);
    waits.with.push(...(await waitsOfCallers(host)));
    while ((await call(host, id, "get")).woken < BESIDE.count) await sleep(20);
  }
  return (["with", "without"] as const).flatMap((which) => {
    const sorted = waits[which].sort((left, right) => left - right);
    const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
    const name = `calls to neighbours ${which} ${BESIDE.count} that come due`;
    return [
      { name: `${name}, p50`, value: at(0.5), unit: "ms" },
      { name: `${name}, p99`, value: at(0.99), unit: "ms" },
      { name: `${name}, longest`, value: at(1), unit: "ms" },
    ];
  });
}

/** Ms that each of the calls took that a few callers made one after another. */
async function waitsOfCallers(host: Host): Promise<number[]> {
  const waits: number[] = [];
  const until = performance.now() + BESIDE.ms;
  const caller = async (_: unknown, number: number) => {
    for (let start = performance.now(); start < until; start = performance.now()) {
      await call(host, `partition#p0/caller${number}`, "add", { by: 1 }, "Counter");
      waits.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: BESIDE.callers }, caller));
  return waits;
}

async function dueAtOnce(host: Host, count: number): Promise<number> {
  const objects = Array.from({ length: count / EACH }, (_, index) => `partition#p0/due${index}`);
  // Far enough that none is due before the last is set.
  const at = Date.now() + AHEAD + objects.length * 200;
  for (const id of objects) await fallAsleep(host, id, EACH, at);
  await sleep(at - Date.now());
  const done = new Set<string>();
  while (done.size < objects.length) {
    for (const id of objects) if (!done.has(id) && (await call(host, id, "get")).woken === EACH) done.add(id);
  }
  return (count / (Date.now() - at)) * 1_000;
}

/** Sets one that is due soon; how late it called, ms. */
async function oneAmongThem(host: Host, time: number): Promise<number> {
  const id = `partition#p0/one${time}`;
  await fallAsleep(host, id, 1, Date.now() + AHEAD);
  await sleep(AHEAD);
  for (;;) {
    const { woken, late } = await call(host, id, "get");
    if (woken === 1) return late;
    await sleep(20);
  }
}

/** Processor time of workerd in a second, over `ms`. */
async function busy(host: Host, ms: number): Promise<number> {
  const before = cpuTime(host.workerdPid);
  await sleep(ms);
  return (cpuTime(host.workerdPid) - before) / ms;
}

async function fallAsleep(host: Host, id: string, count: number, at: number): Promise<void> {
  await call(host, id, "sleep", { count, at });
}

async function call(host: Host, id: string, method: string, request?: unknown, type = "Sleeper") {
  const path = `/api/v1/objects/call/${type}/${encodeURIComponent(id)}/${method}`;
  const answer = await fetch(`http://127.0.0.1:${host.port}${path}`, {
    method: "POST",
    body: JSON.stringify(request === undefined ? {} : { request }),
  });
  const body = await answer.text();
  if (!answer.ok) throw new Error(`${method}: ${answer.status} ${body}`);
  return (JSON.parse(body) as { response: { readonly woken: number; readonly late: number } }).response;
}
