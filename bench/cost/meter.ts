import { AsyncLocalStorage } from "node:async_hooks";
import type { Counts } from "./counts.ts";
import { POSTGRES_IDLE_MINUTES } from "./prices.ts";

/** A timer or alarm that waits for the meter's clock. */
interface Held {
  readonly due: number;
  readonly action: () => unknown;
}

/** Timers of this many ms and more wait for the meter's clock; shorter ones are real. */
const HELD_FROM = 40;
const MINUTE = 60_000;

// Each called as a plain function: workerd refuses them with another `this`.
const { setTimeout: realTimeout, clearTimeout: realClear, fetch: realFetch } = globalThis;
/** The meter's clock: it stands still but for what timers wait, so that a slow machine counts the same. */
let time = Date.parse("2026-11-21T12:00:00Z");
let counts: Record<Exclude<keyof Counts, "postgresMinutes" | "timerMs">, number>;
let statementTimes: number[] = [];
let under = 0;
let cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
const metered = new Map<string, Metered>();
const here = new AsyncLocalStorage<Metered>();
let handles = 0;

/** What the meter knows of one Durable Object. */
export class Metered {
  readonly timers = new Map<number, Held>();
  alarm: number | null = null;
  awakeMs = 0;
  readonly className: string;
  readonly name: string;

  constructor(className: string, name: string) {
    this.className = className;
    this.name = name;
    metered.set(`${className} ${name}`, this);
  }

  /** The time its next timer or alarm is due. */
  get due(): number {
    return Math.min(this.alarm ?? Number.POSITIVE_INFINITY, ...[...this.timers.values()].map(({ due }) => due));
  }

  /** Runs code of the object: its timers are held, and its requests counted as under way. */
  async run<T>(code: () => T | Promise<T>): Promise<T> {
    under++;
    try {
      return await here.run(this, code);
    } finally {
      under--;
    }
  }

  /** Runs the next timer, or else the alarm, in the Durable Object's own context. */
  async fire(runAlarm: () => unknown): Promise<void> {
    const [handle, next] = [...this.timers].sort(([, one], [, other]) => one.due - other.due)[0] ?? [];
    if (handle !== undefined && next !== undefined && next.due <= (this.alarm ?? Number.POSITIVE_INFINITY)) {
      this.timers.delete(handle);
      await this.run(() => void next.action());
      return;
    }
    this.alarm = null;
    counts.objectRequests++;
    await this.run(runAlarm);
  }
}

/** Counts what a Durable Object's storage does. */
export function meterStorage(storage: DurableObjectStorage, object: Metered): void {
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  Object.assign(sql, {
    exec: (query: string, ...bindings: unknown[]) => {
      const cursor = exec(query, ...bindings);
      cursors.push(cursor);
      return cursor;
    },
  });
  const alarmAt = async (time: number | null) => {
    if (time === null && object.alarm === null) return;
    counts.alarms++;
    counts.rowsWritten++;
    object.alarm = time;
  };
  Object.assign(storage, { setAlarm: (time: number) => alarmAt(time), deleteAlarm: () => alarmAt(null) });
}

export function countRequest(kind: "workerRequests" | "objectRequests"): void {
  counts[kind]++;
}

/** Starts counting anew. */
export function reset(): void {
  counts = { workerRequests: 0, objectRequests: 0, rowsRead: 0, rowsWritten: 0, alarms: 0, statements: 0 };
  statementTimes = [];
  cursors = [];
  for (const object of metered.values()) object.awakeMs = 0;
}

/** What was counted so far. */
export function read(): Counts {
  for (const { rowsRead, rowsWritten } of cursors) {
    counts.rowsRead += rowsRead;
    counts.rowsWritten += rowsWritten;
  }
  cursors = [];
  const timerMs = [...metered.values()].reduce((sum, { awakeMs }) => sum + awakeMs, 0);
  return { ...counts, timerMs, postgresMinutes: awakeMinutes(statementTimes) };
}

/** The object with the earliest timer or alarm, and when that is due. */
export function next(): Metered | undefined {
  const [first] = [...metered.values()].sort((one, other) => one.due - other.due);
  return first?.due === Number.POSITIVE_INFINITY ? undefined : first;
}

/** Moves the clock on. Objects with timers were awake meanwhile. */
export function moveTo(until: number): void {
  const by = Math.max(0, until - time);
  time += by;
  for (const object of metered.values()) if (object.timers.size > 0) object.awakeMs += by;
}

/** Resolves when no request, and no statement, is under way. */
export async function quiet(): Promise<void> {
  for (let looks = 0; looks < 3; looks = under === 0 ? looks + 1 : 0) {
    await new Promise((resolve) => realTimeout(resolve, 3));
  }
}

function awakeMinutes(times: readonly number[]): number {
  const idle = POSTGRES_IDLE_MINUTES * MINUTE;
  return times.reduce((sum, time, index) => sum + Math.min(idle, (times[index + 1] ?? time + idle) - time), 0) / MINUTE;
}

/** Takes the place of the platform's clock, timers and fetch, for the code of metered objects. */
export function takeOver(): void {
  Date.now = () => time;
  Object.assign(globalThis, {
    setTimeout(action: () => void, delay = 0) {
      const object = here.getStore();
      const due = time + delay;
      if (object === undefined || delay < HELD_FROM) {
        return realTimeout(() => {
          time = Math.max(time, due);
          action();
        }, delay);
      }
      const handle = -++handles;
      object.timers.set(handle, { due, action });
      return handle;
    },
    clearTimeout(handle: number) {
      if (handle >= 0) realClear(handle);
      else for (const { timers } of metered.values()) timers.delete(handle);
    },
    async fetch(input: RequestInfo, init?: RequestInit) {
      const { queries } = JSON.parse(String(init?.body ?? "{}")) as { queries?: unknown[] };
      counts.statements += queries?.length ?? 1;
      statementTimes.push(time);
      under++;
      try {
        return await realFetch(input, init);
      } finally {
        under--;
      }
    },
  });
}

reset();
