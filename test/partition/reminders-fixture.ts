import { method, type ReminderTime, VirtualObject } from "edgeverse";
import { ManualClock, SqliteStorage, TestCluster } from "edgeverse/testing";
import { z } from "zod";

const time = z.custom<ReminderTime>();
const named = z.object({ name: z.string() });
const setting = named.extend({ time, text: z.string().default("") });
type Setting = z.output<typeof setting>;

/** Has itself called, and keeps by what. */
export class Clock extends VirtualObject.withState(z.object({ rang: z.array(z.string()).default([]) })) {
  static override readonly type: string = "Clock";
  static override readonly methods = {
    set: method({ request: setting }),
    setMany: method({ request: z.object({ settings: z.array(setting) }) }),
    setAndThrow: method({ request: setting }),
    setWrong: method({
      request: z.object({ name: z.string().default("x"), method: z.string(), time, text: z.unknown().optional() }),
    }),
    peek: method({ readonly: true, request: setting }),
    forgetIt: method({ request: named }),
    turn: method({ request: setting }),
    leave: method({ request: z.object({ first: setting.optional() }) }),
    ring: method({ request: z.object({ text: z.string() }) }),
    read: method({ readonly: true }),
    list: method({ readonly: true }),
  };

  set({ name, time, text }: Setting) {
    return this.remind(name, time, "ring", { text });
  }

  setMany({ settings }: { settings: Setting[] }) {
    for (const { name, time, text } of settings) this.remind(name, time, "ring", { text });
  }

  setAndThrow(request: Setting) {
    this.set(request);
    this.fail("NO", "changed its mind");
  }

  setWrong({ name, method, time, text }: { name: string; method: string; time: ReminderTime; text?: unknown }) {
    return this.remind(name, time, method as "ring", text === undefined ? undefined : { text });
  }

  peek(request: Setting) {
    return this.set(request);
  }

  forgetIt({ name }: { name: string }) {
    return this.forget(name);
  }

  /** Sets and forgets, and says what it sees. */
  turn({ name, time, text }: Setting) {
    const before = this.reminders().map((reminder) => reminder.name);
    this.remind(name, time, "ring", { text });
    const set = this.reminders().map((reminder) => reminder.name);
    this.remind("passing", time, "ring", { text });
    const forgotten = [this.forget("passing"), this.forget("passing")];
    return { before, set, forgotten, after: this.reminders().map((reminder) => reminder.name) };
  }

  leave({ first }: { first?: Setting | undefined }) {
    if (first !== undefined) this.set(first);
    this.deleteSelf();
  }

  ring({ text }: { text: string }) {
    if (text === "throw") throw new Error("a bug");
    if (text === "refuse") this.fail("NO", "not now");
    const { reminder } = this.context.caller;
    if (text === "again") this.remind(String(reminder?.name), { after: 1_000 }, "ring", { text });
    if (text === "stop") this.forget(String(reminder?.name));
    this.state.rang.push(`${reminder?.name} ${reminder?.due} ${reminder?.missed}`);
    return this.reminders().length;
  }

  read() {
    return this.state.rang;
  }

  list() {
    return this.reminders();
  }
}

export const START = Date.UTC(2026, 0, 1);

/** Clocks on partitions, from a known time on. `again` goes on with the same databases, later. */
export function clocks(
  partitions = 1,
  config: Record<string, unknown> = {},
  storageOf = (_name: string) => new SqliteStorage(),
  now = START,
) {
  const storages = new Map<string, SqliteStorage>();
  const cluster = new TestCluster({
    objects: [Clock],
    partitions,
    clock: new ManualClock(now),
    config: { shards: 64, ...config },
    storageOf: (name) => {
      const storage = storageOf(name);
      storages.set(name, storage);
      return storage;
    },
  });
  const again = (later: number) =>
    clocks(partitions, config, (name) => storages.get(name) ?? new SqliteStorage(), later);
  const on = (partition: string, name: string) => {
    for (let index = 0; ; index++) {
      const id = `${name}${index}`;
      if (cluster.ownerOf(Clock, id) === partition) return id;
    }
  };
  const rows = (partition = "p0") =>
    cluster
      .storage(partition)
      .query<{ name: string; due: number }>("SELECT name, due FROM reminders ORDER BY due, name");
  /** When each has rung, ms after the start. */
  const rang = async (id: string) =>
    (await cluster.object(Clock, id).read()).map((line) => {
      const [name, due, missed] = line.split(" ");
      return `${name} ${Number(due) - START}${missed === "0" ? "" : ` missed ${missed}`}`;
    });
  return { cluster, on, rows, rang, again };
}
