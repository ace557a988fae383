import { setTimeout as sleep } from "node:timers/promises";
import type { Fact, FactGroup } from "../group.ts";
import type { Host } from "../host.ts";
import { residentMiB, watchResident } from "../resident.ts";

/** The shard that moves; all its objects name it, so that it is as large as it is meant to be. */
const SHARD = 7;
/** Calls a second on objects of the shard while it moves. */
const RATE = 200;
const MOVES = 20;
const BATCH = 1_000;

interface Call {
  readonly sent: number;
  readonly took: number;
  readonly ok: boolean;
}

/** What callers see of a shard that moves under constant load, and how fast its objects go. */
export function movesGroup(objects: number): FactGroup {
  return {
    kind: "facts",
    name: `moves-${objects}`,
    title: `A shard of ${objects.toLocaleString("en")} objects moves, ${RATE} writes a second on it`,
    async measure(context) {
      const host = await context.host({ partitions: 2 });
      try {
        await fill(host, objects);
        return await moveUnderLoad(host, objects, context.options.quick ? 4 : MOVES);
      } finally {
        await host.stop();
      }
    },
  };
}

async function moveUnderLoad(host: Host, objects: number, moves: number): Promise<Fact[]> {
  const load = new Load(host, objects);
  load.start();
  await sleep(1_000);
  const still = load.take();
  const memory = residentMiB(host.workerdPid);
  const peak = watchResident(host.workerdPid);
  const took: number[] = [];
  const pauses: number[] = [];
  const stopped: number[] = [];
  for (let move = 0; move < moves; move++) {
    load.take();
    const done = await moveShard(host);
    took.push(done.took);
    stopped.push(done.stopped);
    await sleep(100);
    // The longest call of each move is the pause that somebody saw.
    pauses.push(Math.max(...load.take().map((call) => call.took)));
  }
  const failed = await load.stop();
  pauses.sort((a, b) => a - b);
  took.sort((a, b) => a - b);
  stopped.sort((a, b) => a - b);
  const median = quantile(took, 0.5);
  return [
    { name: "calls that failed", value: failed, unit: "" },
    { name: "longest call without a move", value: Math.max(...still.map((call) => call.took)), unit: "ms" },
    { name: "pause seen, p50 of the moves", value: quantile(pauses, 0.5), unit: "ms" },
    { name: "pause seen, p99 of the moves", value: quantile(pauses, 0.99), unit: "ms" },
    { name: "pause seen, longest", value: pauses.at(-1) ?? 0, unit: "ms" },
    { name: "callers stopped by the hand-off, p50", value: quantile(stopped, 0.5), unit: "ms" },
    { name: "callers stopped by the hand-off, longest", value: stopped.at(-1) ?? 0, unit: "ms" },
    { name: "a move, from order to end, p50", value: median, unit: "ms" },
    { name: "objects moved per second", value: (objects / median) * 1_000, unit: "/s" },
    { name: "workerd before the moves", value: memory, unit: "MiB" },
    { name: "workerd at most", value: peak(), unit: "MiB" },
  ];
}

/** Orders the shard to the other partition and waits until it is there; ms it took in all, and with callers stopped. */
async function moveShard(host: Host): Promise<{ took: number; stopped: number }> {
  const { partition } = await admin<{ partition: string }>(host, "GET", `shards/${SHARD}`);
  const started = performance.now();
  const to = partition === "p0" ? "p1" : "p0";
  const { id } = await admin<{ id: number }>(host, "POST", `shards/${SHARD}/move`, { partition: to });
  for (;;) {
    const { moves } = await admin<{
      moves: { id: number; phase: string; endedAt: string; startedAt: string; pausedMs: number | null }[];
    }>(host, ...(["GET", `moves?shard=${SHARD}&limit=1`] as const));
    const [move] = moves;
    if (move?.id === id && move.phase === "done") {
      return { took: Date.parse(move.endedAt) - Date.parse(move.startedAt), stopped: move.pausedMs ?? Number.NaN };
    }
    if (move?.phase === "undone") throw new Error(`the move was undone: ${JSON.stringify(move)}`);
    if (performance.now() - started > 120_000) throw new Error("the move does not end");
    await sleep(20);
  }
}

/** Writes at a constant rate, whether or not the ones before were answered. */
class Load {
  readonly #host: Host;
  readonly #objects: number;
  #calls: Call[] = [];
  #failed = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #pending = new Set<Promise<void>>();
  #next = 0;

  constructor(host: Host, objects: number) {
    this.#host = host;
    this.#objects = objects;
  }

  start(): void {
    this.#timer = setInterval(() => {
      const call = this.#call().finally(() => this.#pending.delete(call));
      this.#pending.add(call);
    }, 1_000 / RATE);
  }

  /** The calls answered since the last time. */
  take(): Call[] {
    const calls = this.#calls;
    this.#calls = [];
    return calls;
  }

  async stop(): Promise<number> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
    return this.#failed;
  }

  async #call(): Promise<void> {
    const id = encodeURIComponent(`shard#${SHARD}/o${(this.#next++ * 7919) % this.#objects}`);
    const sent = performance.now();
    const answer = await fetch(`http://127.0.0.1:${this.#host.port}/api/v1/objects/call/Counter/${id}/add`, {
      method: "POST",
      body: '{"request":{"by":1}}',
    });
    await answer.arrayBuffer();
    if (!answer.ok) this.#failed++;
    this.#calls.push({ sent, took: performance.now() - sent, ok: answer.ok });
  }
}

async function fill(host: Host, objects: number): Promise<void> {
  for (let first = 0; first < objects; first += BATCH) {
    const calls = Array.from({ length: Math.min(BATCH, objects - first) }, (_, index) => ({
      type: "Counter",
      id: `shard#${SHARD}/o${first + index}`,
      method: "add",
      request: { by: 1 },
    }));
    const answer = await fetch(`http://127.0.0.1:${host.port}/api/v1/objects/batch`, {
      method: "POST",
      body: JSON.stringify({ calls }),
    });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`cannot fill: ${answer.status}`);
  }
}

async function admin<T>(host: Host, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${host.port}/admin/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${host.adminToken}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
