import { DurableObject } from "cloudflare:workers";
import type { ClientReport } from "../src/limits/client-report.ts";
import type { Limits } from "../src/limits/limits-schema.ts";
import type { CallMessage, LeftCall, LifecycleMessage } from "../src/object/message.ts";
import type { Registry } from "../src/object/registry.ts";
import { partitionClient } from "../src/partition/client.ts";
import { Partition } from "../src/partition/partition.ts";
import type { Turn } from "../src/partition/turns/turn.ts";
import type { MoveOrder, TransferChunk } from "../src/placement/move.ts";
import type { CallKey } from "../src/reliable/call-record.ts";
import { maintenanceOf } from "../src/reliable/maintenance.ts";
import type { SweepOrder } from "../src/reliable/mark-sweep.ts";
import type { NewestQuery } from "../src/reliable/newest-calls.ts";
import type { AsideQuery, EventKey, EventVerdict } from "../src/router/event-views.ts";
import type { IndexQuery } from "../src/router/index-query.ts";
import type { LiveWant } from "../src/router/live-views.ts";
import type { PartitionClient } from "../src/router/ports.ts";
import { Router } from "../src/router/router.ts";
import type { ObjectQuery, ParkedQuery } from "../src/router/views.ts";
import type { VersionedDocument } from "../src/settings/document.ts";
import { consoleObserver, filtered } from "./console-observer.ts";
import { DurableStorage } from "./durable-storage.ts";
import { deploymentOf, type Env } from "./environment.ts";
import { EventHost } from "./event-sinks.ts";
import { asyncScope, clock, durableClock, random } from "./platform.ts";
import { sharedMemory } from "./shared-memory.ts";
import { callFromWire, type PartitionRpc, replyToWire, settingsOfWire, type WireCall, type WireReply } from "./wire.ts";

/** What `partitionClass` makes: a Durable Object class for the Worker to export. */
export type PartitionClass = new (ctx: DurableObjectState, env: Env) => DurableObject<Env> & PartitionRpc;

/**
 * The Durable Object of one partition. Its memory may vanish at any await, and it is made again by the next message or
 * alarm; all that counts is in its SQLite. It has no `fetch`: only this worker's own code can reach it, by RPC.
 */
export function partitionClass(
  registry: Registry,
  events: EventHost = new EventHost(registry),
  limits: Limits = {},
): PartitionClass {
  return class PartitionDurableObject extends DurableObject<Env> implements PartitionRpc {
    readonly #partition: Partition;
    readonly #client: PartitionClient;

    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env);
      const { proposal, cache, connect, gates, coordinator, log, settings } = deploymentOf(env);
      const live = settings(registry);
      const { config, registry: types } = live;
      const router = new Router({ registry: types, connect, cache, clock });
      const maintenance = maintenanceOf({ log, router, connect, config, registry: types, clock });
      this.#partition = new Partition({
        settings: live,
        registry: types,
        config,
        limits,
        proposal,
        log,
        env,
        events: events.routes(env, config),
        clock: durableClock(ctx.storage),
        random,
        storage: new DurableStorage(ctx.storage),
        scope: asyncScope<Turn>(),
        peers: router,
        reconcile: () => maintenance.reconcile(),
        bootstrapper: {
          bootstrap: (genesis) => coordinator().bootstrap(genesis),
          settings: (known) => coordinator().newerSettings(known),
        },
        loads: { report: (report) => coordinator().report(report) },
        connect,
        memory: sharedMemory(ctx.id.toString(), this, config),
        gates,
        observer: filtered(consoleObserver, live),
        name: ctx.id.name,
      });
      this.#client = partitionClient(this.#partition);
    }

    override alarm(): Promise<void> {
      return this.#partition.wake();
    }

    async call(...call: WireCall): Promise<WireReply> {
      const answer = this.#partition.call(callFromWire(call));
      return replyToWire(await this.#partition.settings.told(settingsOfWire(call), answer));
    }

    batch(messages: readonly CallMessage[], room?: number, known?: number) {
      return this.#client.batch(messages, room, known);
    }

    batchSoon(messages: readonly CallMessage[], room?: number, known?: number) {
      return this.#client.batchSoon(messages, room, known);
    }

    fetchReply(ticket: string) {
      return this.#client.fetchReply(ticket);
    }

    withdraw(calls: readonly LeftCall[]) {
      return this.#client.withdraw(calls);
    }

    lifecycle(message: LifecycleMessage, known?: number) {
      return this.#client.lifecycle(message, known);
    }

    configure(offer: VersionedDocument) {
      return this.#client.configure(offer);
    }

    settings() {
      return this.#client.settings();
    }

    callRecord(type: string, id: string, callId: string) {
      return this.#client.callRecord(type, id, callId);
    }

    callRecords(keys: readonly CallKey[], whole?: boolean) {
      return this.#client.callRecords(keys, whole);
    }

    newestCalls(query: NewestQuery) {
      return this.#client.newestCalls(query);
    }

    callStats() {
      return this.#client.callStats();
    }

    callCounters() {
      return this.#client.callCounters();
    }

    causedBy(causes: readonly CallKey[], limit: number) {
      return this.#client.causedBy(causes, limit);
    }

    describe(type: string, id: string) {
      return this.#client.describe(type, id);
    }

    status() {
      return this.#client.status();
    }

    reportClients(report: ClientReport) {
      return this.#client.reportClients(report);
    }

    shards() {
      return this.#client.shards();
    }

    objects(query: ObjectQuery) {
      return this.#client.objects(query);
    }

    find(query: IndexQuery) {
      return this.#client.find(query);
    }

    advance(order: MoveOrder) {
      return this.#client.advance(order);
    }

    undo(order: MoveOrder) {
      return this.#client.undo(order);
    }

    inquire(order: MoveOrder) {
      return this.#client.inquire(order);
    }

    transfer(chunk: TransferChunk) {
      return this.#client.transfer(chunk);
    }

    activate(order: MoveOrder) {
      return this.#client.activate(order);
    }

    drop(order: MoveOrder, epoch: number) {
      return this.#client.drop(order, epoch);
    }

    reshard(shards: number, version: number) {
      return this.#client.reshard(shards, version);
    }

    watch(gate: string, wants: readonly LiveWant[]) {
      return this.#client.watch(gate, wants);
    }

    load() {
      return this.#client.load();
    }

    wake() {
      return this.#client.wake();
    }

    sweepMarks(order: SweepOrder) {
      return this.#client.sweepMarks(order);
    }

    parkedCalls(query: ParkedQuery) {
      return this.#client.parkedCalls(query);
    }

    unpark(type: string, id: string, callId: string) {
      return this.#client.unpark(type, id, callId);
    }

    cancelCall(type: string, id: string, callId: string, requestHash: string) {
      return this.#client.cancelCall(type, id, callId, requestHash);
    }

    failCall(type: string, id: string, callId: string) {
      return this.#client.failCall(type, id, callId);
    }

    asideEvents(query: AsideQuery) {
      return this.#client.asideEvents(query);
    }

    decideEvent(verdict: EventVerdict, key: EventKey) {
      return this.#client.decideEvent(verdict, key);
    }
  };
}
