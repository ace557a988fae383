import { configSchema } from "../../src/config/config.ts";
import type { ClientDebts, ClientReport } from "../../src/limits/client-report.ts";
import type { CallMessage, LeftCall, LifecycleMessage, Reply } from "../../src/object/message.ts";
import { idleCounters } from "../../src/partition/inspection.ts";
import type { LoadReport } from "../../src/placement/load-report.ts";
import type {
  ActivateReply,
  MoveInquiry,
  MoveOrder,
  MoveReport,
  ReshardReply,
  TransferReply,
  UndoReport,
} from "../../src/placement/move.ts";
import type { CallKey, CallRecord, OwnerAnswer } from "../../src/reliable/call-record.ts";
import type { CausedCall, CausedCalls } from "../../src/reliable/caused-calls.ts";
import type { SweepReport } from "../../src/reliable/mark-sweep.ts";
import type { NewestCalls, NewestQuery, OwnerStats } from "../../src/reliable/newest-calls.ts";
import { NONE_FINAL } from "../../src/reliable/ports.ts";
import type { AsideEvents, EventDecision } from "../../src/router/event-views.ts";
import type { IndexPage, IndexQuery } from "../../src/router/index-query.ts";
import type { LiveAnswer, LiveWant } from "../../src/router/live-views.ts";
import type { OwnerCounters } from "../../src/router/owner-counters.ts";
import type { CallDecision, PartitionClient } from "../../src/router/ports.ts";
import type { ObjectCursor, ObjectListing, ObjectQuery, ParkedCalls, ParkedQuery } from "../../src/router/views.ts";
import type { VersionedDocument } from "../../src/settings/document.ts";
import { type Confirmation, LiveSettings, type ProcessSettings } from "../../src/settings/live-settings.ts";

/** A partition that remembers what it was asked and answers what a test tells it to. */
export class FakePartition implements PartitionClient {
  readonly name: string;
  readonly messages: CallMessage[] = [];
  readonly reports: ClientReport[] = [];
  /** Calls that nobody waits for any more. */
  readonly left: LeftCall[] = [];
  readonly lifecycles: LifecycleMessage[] = [];
  reply: (message: CallMessage) => Reply = ({ method, request }) => ({
    kind: "response",
    response: JSON.stringify({ method, request: request === undefined ? "none" : JSON.parse(request) }),
  });
  records = new Map<string, CallRecord>();
  counters = idleCounters();
  /** Answers to what calls have made. */
  caused: CausedCall[] = [];
  claimed: [number, number][] = [];
  stored: ObjectListing[] = [];
  created = new Set<string>();
  state: "up" | "down" | "silent" = "up";

  constructor(name: string) {
    this.name = name;
  }

  async configure({ version }: VersionedDocument): Promise<Confirmation> {
    return { seen: version, version };
  }

  async settings(): Promise<ProcessSettings> {
    return new LiveSettings({ config: configSchema.parse({}) }).view();
  }

  async withdraw(calls: readonly LeftCall[]): Promise<void> {
    this.left.push(...calls);
  }

  call(message: CallMessage): Promise<Reply> {
    this.messages.push(message);
    return this.#answer(() => this.reply(message));
  }

  batch(messages: readonly CallMessage[]): Promise<Reply[]> {
    this.messages.push(...messages);
    return this.#answer(() => messages.map((message) => this.reply(message)));
  }

  batchSoon(messages: readonly CallMessage[]): Promise<Reply[]> {
    return this.batch(messages);
  }

  fetchReply(): Promise<never> {
    return this.#answer(() => {
      throw new Error("everything was answered");
    });
  }

  watch(_gate: string, wants: readonly LiveWant[]): Promise<LiveAnswer[]> {
    return this.#answer(() => wants.map(() => ({ kind: "same" as const })));
  }

  lifecycle(message: LifecycleMessage): Promise<Reply> {
    this.lifecycles.push(message);
    return this.#answer(() => {
      const there = this.created.has(message.id);
      if (message.action === "create") {
        this.created.add(message.id);
        return { kind: "response", response: JSON.stringify({ created: !there }) };
      }
      this.created.delete(message.id);
      return { kind: "response", response: JSON.stringify({ existed: there }) };
    });
  }

  callRecord(type: string, id: string, callId: string): Promise<CallRecord | null> {
    return this.#answer(() => this.records.get(`${type}/${id}/${callId}`) ?? null);
  }

  callRecords(keys: readonly CallKey[]): Promise<OwnerAnswer[]> {
    return this.#answer(() => keys.map(({ type, id, callId }) => this.records.get(`${type}/${id}/${callId}`) ?? null));
  }

  newestCalls(_query: NewestQuery): Promise<NewestCalls> {
    return this.#answer(() => ({ calls: [], complete: true }));
  }

  callStats(): Promise<OwnerStats> {
    return this.#answer(() => ({ counts: [], complete: true }));
  }

  callCounters(): Promise<OwnerCounters> {
    return this.#answer(() => this.counters);
  }

  causedBy(_causes: readonly CallKey[], _limit: number): Promise<CausedCalls> {
    return this.#answer(() => ({ calls: this.caused, complete: true }));
  }

  describe(_type: string, id: string) {
    const fixed = id.startsWith("partition#");
    return this.#answer(() => ({
      exists: this.created.has(id),
      shard: fixed ? -1 : 3,
      epoch: 1,
      claimedAt: fixed ? null : 1_800_000_000_000,
      inMemory: false,
    }));
  }

  status() {
    return this.#answer(() => ({
      name: this.name,
      shards: this.claimed.length,
      objectsInMemory: 1,
      bytesInMemory: 100,
      waitingTurns: 0,
      commits: 7,
      repliesCommitted: 9,
      failedCommits: 0,
      openCalls: 2,
      backlogBytes: 800,
      messages: 2,
      messageBytes: 1_100,
      reminders: 5,
      remindersRefused: 1,
      sinks: [],
      refused: {},
      log: { state: "idle" as const, failures: 0, shipped: 5, lastError: undefined },
    }));
  }

  reportClients(report: ClientReport): Promise<ClientDebts> {
    this.reports.push(report);
    return this.#answer(() => report.limits.map(({ used }) => used.map(() => 0)));
  }

  shards(): Promise<[number, number][]> {
    return this.#answer(() => this.claimed);
  }

  /** Pages by place in `stored`; `position` of the cursor is that place. */
  objects(query: ObjectQuery): Promise<{ objects: ObjectListing[]; cursor?: ObjectCursor }> {
    return this.#answer(() => {
      const from = query.cursor === undefined ? 0 : query.cursor.position;
      const fitting = this.stored.filter(
        (row) =>
          (query.type === undefined || row.type === query.type) &&
          (query.shard === undefined || row.shard === query.shard),
      );
      const objects = fitting.slice(from, from + query.limit);
      const last = objects.at(-1);
      if (last === undefined || objects.length < query.limit) return { objects };
      return { objects, cursor: { position: from + objects.length, type: last.type, id: last.id } };
    });
  }

  advance(_order: MoveOrder): Promise<MoveReport> {
    return this.#answer(() => ({ kind: "committed", epoch: 2, active: true, rows: 3, bytes: 30 }));
  }

  undo(): Promise<UndoReport> {
    return this.#answer(() => ({ kind: "undone", epoch: 1 }));
  }

  inquire(): Promise<MoveInquiry> {
    return this.#answer(() => ({ kind: "serving" }));
  }

  transfer(): Promise<TransferReply> {
    return this.#answer(() => ({ kind: "refused", reason: "only pretends" }));
  }

  activate(): Promise<ActivateReply> {
    return this.#answer(() => ({ kind: "active" }));
  }

  drop(): Promise<void> {
    return this.#answer(() => undefined);
  }

  reshard(): Promise<ReshardReply> {
    return this.#answer(() => ({ kind: "done" }));
  }

  load(): Promise<LoadReport> {
    return this.#answer(() => ({ partition: "fake", period: 1, shards: [] }));
  }

  found: IndexPage = { kind: "page", places: [], next: null, settled: { changed: null, waiting: false } };
  queries: IndexQuery[] = [];

  find(query: IndexQuery): Promise<IndexPage> {
    this.queries.push(query);
    return this.#answer(() => this.found);
  }

  wake(): Promise<void> {
    return this.#answer(() => undefined);
  }

  sweepMarks(): Promise<SweepReport> {
    return this.#answer(() => ({ removed: NONE_FINAL, visited: 0, next: null }));
  }

  /** Its parked calls in the order in which they were set. */
  parkedCalls({ type, id, after, limit }: ParkedQuery): Promise<ParkedCalls> {
    return this.#answer(() => {
      const parked = [...this.records.values()].filter(({ status }) => status === "parked");
      const from = after === undefined ? 0 : parked.findIndex(({ callId }) => callId === after.callId) + 1;
      const matching = parked
        .slice(from)
        .filter((call) => (type === undefined || call.type === type) && (id === undefined || call.id === id));
      const calls = matching.slice(0, limit);
      const last = calls.length < matching.length ? calls.at(-1) : undefined;
      return { calls, next: last === undefined ? null : { type: last.type, id: last.id, callId: last.callId } };
    });
  }

  unpark(type: string, id: string, callId: string): Promise<CallDecision> {
    return this.#decide(type, id, callId, { status: "pending", error: null });
  }

  cancelCall(type: string, id: string, callId: string, _requestHash: string): Promise<CallDecision> {
    return this.#answer(() => {
      const key = `${type}/${id}/${callId}`;
      const known = this.records.get(key);
      if (known === undefined) return null;
      if (known.notBefore === undefined) return { refused: `the call is ${known.status}` };
      this.records.delete(key);
      return known;
    });
  }

  asideEvents(): Promise<AsideEvents> {
    return this.#answer(() => ({ events: [], next: null }));
  }

  decideEvent(): Promise<EventDecision> {
    return this.#answer(() => ({ found: false }));
  }

  failCall(type: string, id: string, callId: string): Promise<CallDecision> {
    return this.#decide(type, id, callId, { status: "failed", finishedAt: 1_800_000_000_000 });
  }

  #decide(type: string, id: string, callId: string, change: Partial<CallRecord>): Promise<CallDecision> {
    return this.#answer(() => {
      const known = this.records.get(`${type}/${id}/${callId}`);
      if (known === undefined) return null;
      if (known.status !== "parked") return { refused: `the call is ${known.status}` };
      const decided = { ...known, ...change };
      this.records.set(`${type}/${id}/${callId}`, decided);
      return decided;
    });
  }

  #answer<T>(make: () => T): Promise<T> {
    if (this.state === "silent") return new Promise(() => {});
    if (this.state === "down") return Promise.reject(Object.assign(new Error("internal detail"), { retryable: true }));
    return new Promise((resolve) => resolve(make()));
  }
}
