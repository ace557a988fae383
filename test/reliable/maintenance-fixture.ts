import { method, VirtualObject } from "edgeverse";
import { ManualClock, MemoryCallLog, TestCluster } from "edgeverse/testing";
import { z } from "zod";
import type { CallMessage } from "../../src/object/message.ts";
import { partitionClient } from "../../src/partition/client.ts";
import type { CallKey, CallRecord } from "../../src/reliable/call-record.ts";
import { maintenanceOf } from "../../src/reliable/maintenance.ts";
import type { PartitionClient } from "../../src/router/ports.ts";
import { callRecord } from "../support/call-records.ts";

export const DAY = 86_400_000;
export const STALE = 30_001;

export let runs: string[] = [];
export const gates = new Map<string, () => void>();

export class Probe extends VirtualObject<{ total: number }> {
  static override readonly type = "Probe";
  static override readonly state = z.object({ total: z.number().default(0) });
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number() }) }),
    refuse: method(),
    slow: method({ timeout: "5m" }),
    total: method({ readonly: true }),
  };
  add({ by }: { by: number }) {
    runs.push(`${this.id}:${by}`);
    this.state.total += by;
    return { total: this.state.total };
  }
  refuse() {
    runs.push(`${this.id}:refuse`);
    throw this.fail("NO", "never");
  }
  async slow() {
    runs.push(`${this.id}:slow`);
    await new Promise<void>((resolve) => gates.set(this.id, resolve));
    return "done";
  }
  total() {
    return this.state.total;
  }
}

/** It is remembered for a day only. */
export class Brief extends VirtualObject {
  static override readonly type = "Brief";
  static override readonly retention = "1d";
  static override readonly methods = { run: method() };
  run() {
    runs.push(`${this.id}:run`);
  }
}

export function setup(
  options: {
    config?: Record<string, string | number>;
    other?: boolean;
    withoutLog?: boolean;
    /** In place of the partition. */
    pretend?: (name: string, client: PartitionClient) => PartitionClient;
  } = {},
) {
  runs = [];
  gates.clear();
  const clock = new ManualClock();
  const shipped = new MemoryCallLog(clock);
  const cluster = new TestCluster({
    objects: [Probe, Brief],
    partitions: 3,
    clock,
    log: shipped,
    ...(options.config === undefined ? {} : { config: options.config }),
  });
  // With `other`, upkeep looks at a log that the owners do not write: one that lost what they wrote.
  const log = options.other === true ? new MemoryCallLog(clock) : shipped;
  const { router, config, registry } = cluster;
  let messages = 0;
  const connect = (name: string): PartitionClient => {
    messages++;
    if (cluster.unreachable.has(name)) throw new Error(`nothing reaches ${name}`);
    const client = partitionClient(cluster.partition(name));
    return options.pretend?.(name, client) ?? client;
  };
  const counted = options.withoutLog === true ? undefined : counting(log, () => messages++);
  const maintenance = maintenanceOf({ log: counted, router, connect, config, registry, clock });
  const run = <R>(work: Promise<R>) => letPass(clock, work);
  /** Statements and messages that upkeep has made. */
  const subrequests = () => messages;
  return { clock, log, cluster, connect, maintenance, run, subrequests };
}

function counting(log: MemoryCallLog, count: () => void): MemoryCallLog {
  return new Proxy(log, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        count();
        return (Reflect.get(target, name) as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

/** Ids of objects of one partition. */
export function idsOf(cluster: TestCluster, partition: string, count: number): string[] {
  const ids: string[] = [];
  for (let index = 0; ids.length < count; index++)
    if (cluster.router.owner({ type: "T", id: `x${index}` }) === partition) ids.push(`x${index}`);
  return ids;
}

/** Lets time pass until `work` is done, `ms` at a time. */
export async function letPass<R>(clock: ManualClock, work: Promise<R>, ms = 1): Promise<R> {
  let done = false;
  const end = () => {
    done = true;
  };
  work.then(end, end);
  for (let step = 0; !done && step < 1_000; step++) await clock.advance(ms);
  return work;
}

/** A row as `enqueueCall` leaves it. */
export function enqueued(changes: Partial<CallRecord>): CallRecord {
  return callRecord({
    type: "Probe",
    method: "add",
    request: '{"by": 1}',
    status: "pending",
    response: null,
    finishedAt: null,
    epoch: 0,
    attempts: 0,
    shard: -1,
    requestHash: "",
    ...changes,
  });
}

export const total = (cluster: TestCluster, id: string) => cluster.call("Probe", id, "total");

/** What upkeep has asked partitions, in order. */
export interface Asked {
  readonly looks: [partition: string, keys: readonly CallKey[]][];
  readonly batches: [partition: string, messages: readonly CallMessage[]][];
}

/** A cluster whose partitions note what upkeep asks them. @param instead answers for a partition, before or in place of the real one */
export function watched(
  instead: (name: string, client: PartitionClient) => Partial<PartitionClient> = () => ({}),
  config: Record<string, number> = {},
) {
  const asked: Asked = { looks: [], batches: [] };
  const made = setup({
    config,
    pretend: (name, client) => {
      const own = instead(name, client);
      return {
        ...client,
        callRecords: (keys) => {
          asked.looks.push([name, keys]);
          return own.callRecords?.(keys) ?? client.callRecords(keys);
        },
        batch: (messages) => {
          asked.batches.push([name, messages]);
          return own.batch?.(messages) ?? client.batch(messages);
        },
      };
    },
  });
  return { ...made, asked, reconcile: () => made.run(made.maintenance.reconcile()) };
}

/** An id of the partition. */
export const one = (cluster: TestCluster, partition: string) => idsOf(cluster, partition, 1)[0] as string;
