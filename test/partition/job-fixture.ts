import { EdgeverseError, method, VirtualObject } from "edgeverse";
import { type ManualClock, MemoryCallLog, TestCluster } from "edgeverse/testing";
import { z } from "zod";
import type { CallRecord } from "../../src/reliable/call-record.ts";

export const gates = new Map<string, () => void>();
export const gate = (name: string) => new Promise<void>((resolve) => gates.set(name, resolve));
export const open = (name: string) => gates.get(name)?.();
export const order: number[] = [];
/** Another part of the cluster, as calls meet it. */
export const elsewhere = { away: false };

export class Job extends VirtualObject<{ total: number; text?: string | undefined }> {
  static override readonly type = "Job";
  static override readonly state = z.object({ total: z.number().default(0), text: z.string().optional() });
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number() }) }),
    slow: method({ request: z.object({ gate: z.string() }) }),
    brief: method({ timeout: "1s" }),
    badDetails: method(),
    needsOther: method(),
    callSelf: method(),
    write: method({ request: z.object({ text: z.string() }) }),
    total: method({ readonly: true }),
  };
  add({ by }: { by: number }) {
    order.push(by);
    this.state.total += by;
    return this.state.total;
  }
  async slow({ gate: name }: { gate: string }) {
    await gate(name);
    return ++this.state.total;
  }
  brief() {
    return ++this.state.total;
  }
  badDetails() {
    throw this.fail("NO", "no", { big: 1n });
  }
  needsOther() {
    if (elsewhere.away) throw new EdgeverseError("UNAVAILABLE", "the other one is away");
    return ++this.state.total;
  }
  async callSelf() {
    return await this.object(Job, this.id, { callId: "inner" }).add({ by: 1 });
  }
  write({ text }: { text: string }) {
    this.state.text = text;
  }
  total() {
    return this.state.total;
  }
}

export function setup(config: Record<string, string | number> = {}, log?: (clock: ManualClock) => MemoryCallLog) {
  gates.clear();
  order.length = 0;
  elsewhere.away = false;
  const first = new TestCluster({ objects: [Job] });
  const clock = first.clock;
  const made = new TestCluster({ objects: [Job], config, clock, log: log?.(clock) ?? false });
  return { made, clock };
}

/** A log whose next statements wait for the test. */
export class SlowLog extends MemoryCallLog {
  held: { go(): void; fail(): void; records: readonly CallRecord[] }[] = [];
  hold = false;
  override async write(records: readonly CallRecord[]): Promise<void> {
    if (this.hold) {
      await new Promise<void>((resolve, reject) => {
        this.held.push({ records, go: resolve, fail: () => reject(new EdgeverseError("LOG_UNAVAILABLE", "away")) });
      });
    }
    await super.write(records);
  }
}

export async function counts(made: TestCluster) {
  const { reliable } = await made.partition("p0").core();
  const sql = "SELECT (SELECT count(*) FROM pending) + (SELECT coalesce(sum(records), 0) FROM backlog) AS n";
  return { open: reliable.open, sql: made.storage("p0").query<{ n: number }>(sql)[0]?.n };
}
