import { ManualClock, MemoryCallLog } from "edgeverse/testing";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import type { CallRecord } from "../../src/reliable/call-record.ts";
import { type Backlog, type Batch, Shipper } from "../../src/reliable/shipper.ts";
import { callRecord } from "../support/call-records.ts";

export const INTERVAL = 250;

interface FakeBatch extends Batch {
  readonly entries: readonly [seq: number, record: CallRecord][];
}

/** The owner's tables in miniature: what was not shipped in its present status is handed out again. */
export class FakeBacklog implements Backlog<FakeBatch> {
  readonly rows = new Map<number, CallRecord>();
  asked = 0;
  waits = false;
  readonly #shipped = new Map<number, string>();
  failShipped: Error | undefined;
  #seq = 0;

  add(changes: Partial<CallRecord> = {}): number {
    this.rows.set(++this.#seq, callRecord({ callId: `c${this.#seq}`, ...changes }));
    return this.#seq;
  }

  async next(): Promise<FakeBatch | undefined> {
    this.asked++;
    const entries = this.open().slice(0, 500);
    return entries.length === 0 ? undefined : { entries, records: entries.map(([, record]) => record) };
  }

  shipped({ entries }: FakeBatch): void {
    if (this.failShipped !== undefined) throw this.failShipped;
    for (const [seq, record] of entries) this.#shipped.set(seq, record.status);
  }

  open(): [number, CallRecord][] {
    return [...this.rows].filter(([seq, record]) => this.#shipped.get(seq) !== record.status);
  }
}

/** A log that notes its batches, can be held up, and refuses what it is told to. */
export class FakeLog extends MemoryCallLog {
  readonly batches: string[][] = [];
  readonly refuses = new Set<string>();
  #held: Promise<void> | undefined;

  /** Holds writes up until what it returns is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return resolve;
  }

  override async write(records: readonly CallRecord[]): Promise<void> {
    await this.#held;
    this.batches.push(records.map(({ callId }) => callId));
    const refused = records.filter(({ callId }) => this.refuses.has(callId));
    await super.write(records.filter((record) => !refused.includes(record)));
    if (refused.length > 0) throw new EdgeverseError("INVALID_ARGUMENT", "refused", { details: { refused } });
  }
}

export function setup() {
  const clock = new ManualClock();
  const log = new FakeLog(clock);
  const backlog = new FakeBacklog();
  const refusals: EdgeverseError[] = [];
  const shipper = new Shipper({
    backlog,
    log,
    clock,
    config: { logInterval: INTERVAL },
    onRefused: (error) => refusals.push(error),
  });
  const logged = async () => (await log.list({ limit: 1_000 })).calls;
  return { clock, log, backlog, refusals, shipper, logged };
}

export const PENDING = { status: "pending", response: null, finishedAt: null } as const;
