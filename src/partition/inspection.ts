import { FIXED_POSITION, hashRange, positionOf } from "../identity/hash-order.ts";
import type { Placement } from "../identity/object-id.ts";
import { objectKey } from "../object/message.ts";
import { sumOfCalls } from "../observe/call-counters.ts";
import { FIRST_EPOCH } from "../placement/shard-state.ts";
import type { Clock, SqlRow, SqlStorage } from "../platform/ports.ts";
import type { CallKey, CallRecord, OwnerAnswer } from "../reliable/call-record.ts";
import { type CausedCalls, mergedCalls } from "../reliable/caused-calls.ts";
import type { NewestCalls, NewestQuery, OwnerStats } from "../reliable/newest-calls.ts";
import { charactersOf, fitting, PAGE_CHARACTERS } from "../reliable/ports.ts";
import type { IndexPage, IndexQuery } from "../router/index-query.ts";
import type { OwnerCounters } from "../router/owner-counters.ts";
import type {
  ObjectCursor,
  ObjectDescription,
  ObjectListing,
  ObjectQuery,
  ParkedCalls,
  ParkedQuery,
  PartitionStatus,
} from "../router/views.ts";
import { CallList } from "./calls/call-list.ts";
import { CausedList } from "./calls/caused-list.ts";
import { pendingCounts } from "./calls/pending-counts.ts";
import type { PartitionCore } from "./core.ts";
import { findObjects } from "./find-objects.ts";
import type { Owned } from "./storage/ownership.ts";
import { callName } from "./storage/reminder-rows.ts";
import type { CallPlace } from "./storage/stored-call.ts";

/** Rows one listing may look at, so that a filter that matches little can't hold the partition up. */
const SCAN = 10_000;

/** What the core has a part in; the rest outlasts it. */
type StatusOfCore = Omit<PartitionStatus, "refused">;

/** What a partition says of itself before it belongs to a cluster. */
export function idleStatus(name: string): StatusOfCore {
  return {
    name,
    shards: 0,
    objectsInMemory: 0,
    bytesInMemory: 0,
    waitingTurns: 0,
    commits: 0,
    repliesCommitted: 0,
    failedCommits: 0,
    openCalls: 0,
    backlogBytes: 0,
    messages: 0,
    messageBytes: 0,
    reminders: 0,
    remindersRefused: 0,
    sinks: [],
    log: null,
  };
}

/** What a partition says of its calls before it belongs to a cluster. */
export function idleCounters(): OwnerCounters {
  return {
    pending: { pending: 0, parked: 0, oldest: null, shards: [], complete: true },
    backlog: { records: 0, bytes: 0, oldest: null, failures: 0 },
    since: sumOfCalls([]),
  };
}

/** What a partition says of an object before it belongs to a cluster. */
export function idleDescription(placement: Placement, shards: number): ObjectDescription {
  const shard = placement.kind === "partition" ? -1 : placement.hash % shards;
  return { exists: false, shard, epoch: FIRST_EPOCH, claimedAt: null, inMemory: false };
}

/** Read-only views of a running partition. */
export class Inspection {
  readonly #core: PartitionCore;
  readonly #storage: SqlStorage;
  readonly #list: CallList;
  readonly #clock: Clock;
  readonly #caused: CausedList;

  constructor(core: PartitionCore, storage: SqlStorage, clock: Clock) {
    this.#core = core;
    this.#storage = storage;
    this.#clock = clock;
    const { ownership } = core;
    const owned = (position: number) => ownership.epochAt(position) !== undefined;
    const shardAt = (position: number) => ownership.shardAt(position);
    this.#list = new CallList({ storage, clock, owned, places: ownership.registry });
    this.#caused = new CausedList({ storage, clock, owned, shardAt, whole: core.shipper === undefined });
  }

  status(): StatusOfCore {
    this.#core.activations.sweep();
    const { ownership, activations, commit, engine, reliable, table, shipper, work } = this.#core;
    const { outbox, reminders, events } = work;
    return {
      name: ownership.name,
      shards: this.shards().length,
      objectsInMemory: activations.map.size,
      bytesInMemory: activations.bytes,
      waitingTurns: engine.waiting,
      commits: commit.stats.commits,
      repliesCommitted: commit.stats.joined,
      failedCommits: commit.stats.failures,
      openCalls: reliable.open,
      backlogBytes: table.backlog.size.bytes,
      messages: outbox.size.rows,
      messageBytes: outbox.size.bytes,
      reminders: reminders.size.rows,
      remindersRefused: reminders.refused,
      sinks: events.status,
      log: shipper?.status ?? null,
    };
  }

  /** Claimed shards with their epochs, as pairs. */
  shards(): [shard: number, epoch: number][] {
    return [...this.#core.ownership.owned()];
  }

  /** Stored objects in hash order. `cursor` of the answer is where to go on; it may come with an empty page. */
  objects(query: ObjectQuery): { objects: ObjectListing[]; cursor?: ObjectCursor } {
    const { ownership } = this.#core;
    const { map } = ownership;
    const range =
      query.shard === undefined ? { first: FIXED_POSITION, last: 2 ** 32 } : hashRange(query.shard, map.shards);
    const scanned = query.type === undefined ? query.limit : SCAN;
    const from = query.cursor ?? { position: range.first, type: "", id: "" };
    const seen = this.#storage.query<ObjectCursor & SqlRow>(
      "SELECT position, type, id FROM objects WHERE (position, type, id) > (?, ?, ?) AND position <= ? ORDER BY position, type, id LIMIT ?",
      from.position,
      from.type,
      from.id,
      range.last,
      scanned,
    );
    const found: ObjectListing[] = [];
    let last: ObjectCursor | undefined;
    let looked = 0;
    for (const row of seen) {
      if (found.length === query.limit) break;
      looked++;
      last = { position: row.position, type: row.type, id: row.id };
      // Rows of a shard that arrives or has left are listed by its owner.
      if ((query.type === undefined || row.type === query.type) && ownership.epochAt(row.position) !== undefined)
        found.push({ type: row.type, id: row.id, shard: ownership.shardAt(row.position) });
    }
    // Rows that are not listed count as well: a page may be empty and still have a cursor.
    const more = seen.length === scanned || looked < seen.length;
    return more && last !== undefined ? { objects: found, cursor: last } : { objects: found };
  }

  /** Objects by an index, as far as their last turns are durable. */
  async find(query: IndexQuery): Promise<IndexPage> {
    const { indexes, ownership } = this.#core;
    if (!indexes.isReady(query.type, query.version)) return { kind: "building" };
    const page = findObjects(this.#storage, ownership, query, (stored) =>
      this.#core.lastChange.age(stored, this.#clock.now()),
    );
    await this.#storage.barrier();
    return page;
  }

  describe(type: string, id: string): ObjectDescription | { readonly movedTo: string } {
    const owned = this.#owned(type, id);
    if ("movedTo" in owned) return owned;
    const activation = this.#core.activations.map.get(objectKey(type, id));
    const stored = this.#storage.query(
      "SELECT 1 AS there FROM objects WHERE position = ? AND type = ? AND id = ?",
      owned.position,
      type,
      id,
    );
    const claimed = this.#storage.query<{ claimed: number }>("SELECT claimed FROM shards WHERE shard = ?", owned.shard);
    return {
      exists: activation?.dirty === true ? activation.exists : stored.length > 0,
      shard: owned.shard,
      epoch: owned.epoch,
      claimedAt: claimed[0]?.claimed ?? null,
      inMemory: activation?.instance !== undefined,
    };
  }

  /** What is known here of a reliable call; null when nothing is. */
  call(type: string, id: string, callId: string): CallRecord | null | { readonly movedTo: string } {
    const owned = this.#owned(type, id);
    if ("movedTo" in owned) return owned;
    const record = this.#core.table.find(owned.position, type, id, callId)?.record ?? null;
    // What happened since its last attempt began is stored with the next one.
    const { history } = this.#core.reliable.underWay({ type, id, callId }) ?? {};
    return record === null || history === undefined ? record : { ...record, history };
  }

  /** The same, also of a call that waits for its time ([TIME7]). */
  callOrWaiting(type: string, id: string, callId: string): CallRecord | null | { readonly movedTo: string } {
    const found = this.call(type, id, callId);
    if (found !== null) return found;
    const { position, shard, epoch } = this.#owned(type, id) as Owned;
    return this.#core.work.reminders.scheduled.record([position, type, id, callName(callId)], { shard, epoch }) ?? null;
  }

  /** The same of many calls: of the first ones, as many as fit in one message. Without their requests, unless `whole`. */
  calls(keys: readonly CallKey[], whole = false): OwnerAnswer[] {
    const answers: OwnerAnswer[] = [];
    let characters = 0;
    for (const { type, id, callId } of keys) {
      const answer = this.call(type, id, callId);
      const record = answer === null || "movedTo" in answer ? undefined : answer;
      // What is read counts as well as what is sent.
      if (record !== undefined) characters += charactersOf(record);
      if (characters > PAGE_CHARACTERS && answers.length > 0) break;
      answers.push(record === undefined ? answer : whole ? record : { ...record, request: null });
    }
    return answers;
  }

  /** The newest calls here. */
  async newestCalls(query: NewestQuery): Promise<NewestCalls | { readonly movedTo: string }> {
    const { type, id } = query;
    const located = id !== undefined && this.#core.ownership.registry.locates(type);
    const owned = located ? this.#owned(type ?? "", id) : undefined;
    return owned !== undefined && "movedTo" in owned ? owned : this.#list.newest(query);
  }

  /** What became of reliable calls, and what waits. */
  callCounters(): OwnerCounters {
    const { ownership, table, shipper } = this.#core;
    const { oldest, size } = table.backlog;
    return {
      pending: pendingCounts(this.#storage, (position) => ownership.shardAt(position)),
      backlog: { ...size, oldest: Number.isFinite(oldest) ? oldest : null, failures: shipper?.status.failures ?? 0 },
      since: table.counters.values,
    };
  }

  callStats(): Promise<OwnerStats> {
    return this.#list.stats();
  }

  /** Calls that these calls have made: those that are here, and what their objects have sent and not delivered. */
  async causedBy(causes: readonly CallKey[], limit: number): Promise<CausedCalls> {
    const sent = causes.flatMap((cause) => {
      const owned = this.#owned(cause.type, cause.id);
      return "movedTo" in owned ? [] : this.#core.work.outbox.sentDuring(owned.position, cause, limit + 1);
    });
    const here = await this.#caused.of(causes, limit);
    const { calls, complete } = mergedCalls([sent, here.calls], limit);
    return { calls, complete: complete && here.complete };
  }

  /** Parked calls in hash order, as many as fit in one message. */
  parkedCalls(query: ParkedQuery): ParkedCalls {
    const { ownership, table } = this.#core;
    const { after } = query;
    const scanned = table.parked(after === undefined ? undefined : this.#placeOf(after), SCAN);
    const matching = scanned.filter(
      ({ position, type, id }) =>
        (query.type === undefined || type === query.type) &&
        (query.id === undefined || id === query.id) &&
        ownership.epochAt(position) !== undefined,
    );
    const chosen = fitting(matching.slice(0, query.limit), ({ bytes }) => bytes);
    const calls = chosen.flatMap(
      ({ position, type, id, callId }) => table.find(position, type, id, callId)?.record ?? [],
    );
    const last = chosen.length < matching.length ? chosen.at(-1) : scanned.length === SCAN ? scanned.at(-1) : undefined;
    return { calls, next: last === undefined ? null : { type: last.type, id: last.id, callId: last.callId } };
  }

  /** Where the object is; also while its shard is being handed off, as long as it is here. Claims nothing ([OWN1]). */
  #owned(type: string, id: string): Owned | { readonly movedTo: string } {
    const { ownership } = this.#core;
    const placement = ownership.registry.placement(type, id);
    const located = ownership.locate(placement);
    if (located.kind === "owned") return located;
    if (located.kind === "gated") return located.owned ?? { movedTo: ownership.moved(located.shard).partition };
    if (located.partition !== ownership.name || placement.kind === "partition") return { movedTo: located.partition };
    return { kind: "owned", shard: located.shard, epoch: located.epoch, position: positionOf(placement.hash) };
  }

  #placeOf({ type, id, callId }: CallKey): CallPlace {
    const placement = this.#core.ownership.registry.placement(type, id);
    const position = placement.kind === "partition" ? FIXED_POSITION : positionOf(placement.hash);
    return [position, type, id, callId];
  }
}
