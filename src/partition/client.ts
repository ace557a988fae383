import { LeftCalls } from "../object/left-call.ts";
import type { SweepReport } from "../reliable/mark-sweep.ts";
import { NONE_FINAL } from "../reliable/ports.ts";
import type { IndexPage } from "../router/index-query.ts";
import type { PartitionClient } from "../router/ports.ts";
import type { ParkedCalls } from "../router/views.ts";
import { AsideEventList } from "./aside-events.ts";
import { Inspection, idleCounters, idleDescription, idleStatus } from "./inspection.ts";
import { LateReplies } from "./late-replies.ts";
import { BatchCalls, dropLeft } from "./left-calls.ts";
import type { Partition } from "./partition.ts";
import { runBatch, runBatchSoon } from "./run-batch.ts";

const NO_MARKS: SweepReport = { removed: NONE_FINAL, visited: 0, next: null };
const NOTHING_FOUND: IndexPage = { kind: "page", places: [], next: null, settled: { changed: null, waiting: false } };
const NO_CALLS: ParkedCalls = { calls: [], next: null };

/** A running partition as its callers see it. What a Durable Object offers over RPC, and a test cluster directly. */
export function partitionClient(partition: Partition): PartitionClient {
  const inspect = async () => {
    const core = await partition.core();
    return new Inspection(core, partition.storage, partition.clock);
  };
  const late = new LateReplies(partition.clock, () => partition.random.uuid());
  const batches = new BatchCalls();
  return {
    call: (message, settings) => partition.settings.told(settings, partition.call(message)),
    batch: async (messages, room, settings) => {
      const [first, ...rest] = await runBatch(partition, messages, room, batches);
      return first === undefined ? [] : [await partition.settings.told(settings, Promise.resolve(first)), ...rest];
    },
    batchSoon: async (messages, room, settings) => {
      const [first, ...rest] = await runBatchSoon(partition, late, messages, room, batches);
      return first === undefined ? [] : [await partition.settings.told(settings, Promise.resolve(first)), ...rest];
    },
    fetchReply: (ticket) => late.take(ticket),
    withdraw: async (calls) => {
      const left = new LeftCalls(calls);
      batches.drop(left);
      if (partition.bootstrapped) dropLeft(await partition.core(), left);
    },
    lifecycle: (message, settings) => partition.settings.told(settings, partition.lifecycle(message)),
    // Looking at a cluster must not bootstrap it, nor claim anything in it.
    callRecord: async (type, id, callId) =>
      partition.bootstrapped ? (await inspect()).callOrWaiting(type, id, callId) : null,
    callRecords: async (keys, whole) =>
      partition.bootstrapped ? (await inspect()).calls(keys, whole) : keys.map(() => null),
    newestCalls: async (query) =>
      partition.bootstrapped ? (await inspect()).newestCalls(query) : { calls: [], complete: true },
    callStats: async () => (partition.bootstrapped ? (await inspect()).callStats() : { counts: [], complete: true }),
    callCounters: async () => (partition.bootstrapped ? (await inspect()).callCounters() : idleCounters()),
    causedBy: async (causes, limit) =>
      partition.bootstrapped ? (await inspect()).causedBy(causes, limit) : { calls: [], complete: true },
    describe: async (type, id) =>
      partition.bootstrapped
        ? (await inspect()).describe(type, id)
        : idleDescription(partition.placement(type, id), partition.proposal.shards),
    status: async () => ({
      ...(partition.bootstrapped ? (await inspect()).status() : idleStatus(partition.name ?? "")),
      refused: partition.refusals.values,
    }),
    // A keeper is only memory: it needs no cluster.
    reportClients: async (report) => partition.keeper.report(report),
    shards: async () => (partition.bootstrapped ? (await inspect()).shards() : []),
    objects: async (query) => (partition.bootstrapped ? (await inspect()).objects(query) : { objects: [] }),
    find: async (query) => (partition.bootstrapped ? (await inspect()).find(query) : NOTHING_FOUND),
    advance: async (order) => (await partition.core()).moves.outgoing.advance(order),
    undo: async (order) => (await partition.core()).moves.outgoing.undo(order),
    inquire: async (order) => (await partition.core()).moves.outgoing.inquire(order),
    transfer: async (chunk) => (await partition.core()).moves.incoming.transfer(chunk),
    activate: async (order) => (await partition.core()).moves.incoming.activate(order),
    drop: async (order, epoch) => (await partition.core()).moves.incoming.drop(order, epoch),
    reshard: async (shards, version) => (await partition.core()).reshard(shards, version),
    watch: async (gate, wants) => (await partition.core()).live.watch(gate, wants),
    load: async () => (await partition.core()).meter.report(),
    wake: () => partition.wake(),
    sweepMarks: async (order) => (partition.bootstrapped ? (await partition.core()).marks.step(order) : NO_MARKS),
    parkedCalls: async (query) => (partition.bootstrapped ? (await inspect()).parkedCalls(query) : NO_CALLS),
    unpark: async (...key) => (partition.bootstrapped ? (await partition.core()).calls.unpark(...key) : null),
    cancelCall: async (...key) => (partition.bootstrapped ? (await partition.core()).calls.cancel(...key) : null),
    asideEvents: async (query) =>
      partition.bootstrapped ? new AsideEventList(await partition.core()).list(query) : { events: [], next: null },
    decideEvent: async (...decision) =>
      partition.bootstrapped ? new AsideEventList(await partition.core()).decide(...decision) : { found: false },
    configure: async (offer) => {
      if (partition.bootstrapped) await partition.core();
      return partition.settings.take(offer);
    },
    settings: async () => {
      if (partition.bootstrapped) await partition.core();
      return partition.settings.view();
    },
    failCall: async (...key) => (partition.bootstrapped ? (await partition.core()).calls.fail(...key) : null),
  };
}
